import { things } from '../../../base/count.js';
import { formatDuration, type Micros, parseTime } from '../../../base/time.js';
import { at, textAt } from '../../output/read.js';
import { ago } from '../../values.js';

/** What a state means, for people. */
const states: Readonly<Record<string, string>> = {
  not_started: 'never started: the agent has not turned to it yet',
  idle: 'all is delivered',
  sending: 'is sending',
  waiting: 'waits to try again',
  paused: 'paused',
  refused: 'the receiver refuses what it is sent',
  rejecting: 'the receiver rejects documents',
  parked: 'parked: it cannot be set up',
  stopped: 'stopped',
  holding_simulated: 'holds simulated events back: nothing leaves for it ("simulated = true" lets them)',
  unknown: 'never started: no agent has run with it',
  removed: 'not in the configuration any more',
};

/** States in which nothing is wrong. */
const sound: ReadonlySet<string> = new Set(['idle', 'sending']);

/** The state of a destination as the agent, or the store, tells it. */
export function stateOf(status: unknown): string {
  const live = at(status, 'state');
  if (typeof live === 'string') return live;
  if (at(status, 'removed_at') !== null && at(status, 'removed_at') !== undefined) return 'removed';
  return at(status, 'paused') === 'no' ? 'no agent' : 'paused';
}

/** True when it delivers, or would if there were something. */
export function isSound(status: unknown): boolean {
  return sound.has(stateOf(status));
}

/** In words; without an agent what is stored says. */
export function stateText(status: unknown): string {
  const state = stateOf(status);
  if (state === 'no agent') return 'no agent runs: nothing is delivered';
  // Nothing waits and nothing has ever been taken: that is no delivery.
  if (state === 'idle' && Number(at(status, 'delivered') ?? 0) === 0) return 'nothing has been delivered yet';
  const retry = Number(at(status, 'retryInMs') ?? 0);
  const wait = retry > 0 ? `, next try in ${formatDuration(retry * 1000)}` : '';
  return `${states[state] ?? state}${wait}`;
}

/** One line for a list of destinations. */
export function destinationLine(status: unknown, now: Micros): string {
  const waiting = Number(at(status, 'lanes.alert.rows') ?? 0);
  const last = parseTime(at(status, 'last_ok'))?.time;
  const dead = Number(at(status, 'dead') ?? 0);
  const reason = textAt(status, 'reason');
  return [
    stateText(status),
    ...(waiting === 0 ? [] : [things(waiting, 'alert waits', 'alerts wait')]),
    ...(last === undefined ? [] : [`delivered ${ago(last, now)}`]),
    ...(dead === 0 ? [] : [things(dead, 'dead letter')]),
    ...(reason === undefined ? [] : [reason]),
  ].join('; ');
}
