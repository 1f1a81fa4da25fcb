import { things } from '../base/count.js';
import { escapeText } from '../base/escape.js';
import { isLaunchFolder } from '../base/launch-paths.js';
import { formatMicros } from '../base/time.js';
import type { DestinationStatus } from '../forward/index.js';
import type { BlindPlace, SensorHealth } from '../sensors/sensor.js';
import type { Store } from '../store/index.js';
import type { SwitchedOff } from './switched-off.js';
import type { TierStatus } from './tiers.js';

/** `blind`: a whole kind of event is not seen; `degraded`: a part does not work, or sees less than it could. */
export type Verdict = 'healthy' | 'degraded' | 'blind';

export interface VerdictFacts {
  readonly tier: Pick<TierStatus, 'running' | 'wanted' | 'reason' | 'refused' | 'lost'>;
  readonly sensors: readonly SensorHealth[];
  /**
   * Rule files whose rules run elsewhere, what of the rules cannot be used (one line each), and imported rules that the
   * running sensors cannot serve.
   */
  readonly rules: {
    readonly passedOver: number;
    readonly parked?: readonly string[];
    readonly muted: number;
    /** What of the detection is off by somebody's will. */
    readonly switchedOff?: SwitchedOff;
  };
  /** What of the configuration, managed preferences and the policy is not in force, one sentence each. */
  readonly config?: readonly string[];
  /** Why the files of exceptions are not in force; undefined when they are. */
  readonly exceptions?: string | undefined;
  /** Why alerts are not scanned as configured; undefined when they are. */
  readonly scan?: string | undefined;
  /** Why the newest canary failed; undefined when it did not. */
  readonly canary?: string | undefined;
  /** Why work is left out to stay within the budget; undefined when none is. */
  readonly budget?: string | undefined;
  readonly store: Pick<ReturnType<Store['condition']>, 'state' | 'reason' | 'held_alerts'>;
  readonly destinations: readonly (Pick<DestinationStatus, 'name' | 'state' | 'reason' | 'fails'> & {
    readonly lanes: Readonly<Record<string, { readonly fails?: number }>>;
  })[];
}

export interface Judgement {
  readonly verdict: Verdict;
  /** One line each, the gravest first; empty when all is well. */
  readonly reasons: readonly string[];
}

/** Sensors of which each sees files. */
const fileSensors = ['file-watch', 'eslogger', 'endpoint-security'];
/** States of a destination in which a person has something to mend. */
const inTrouble: ReadonlySet<string> = new Set(['paused', 'refused', 'rejecting', 'parked']);
/** Failures in a row after which waiting is more than a hiccup. */
const manyFailures = 3;
const namedPlaces = 5;

/** The one sentence on how well the agent sees, keeps and delivers now, with everything that speaks against it. */
export function judgeHealth(facts: VerdictFacts): Judgement {
  const { all: off } = facts.rules.switchedOff ?? {};
  const blind = [...(off === undefined ? [] : [off]), ...unseen(facts), ...blindFolders(facts.sensors)];
  const degraded = [
    ...sensorReasons(facts),
    ...storeReasons(facts.store),
    ...facts.destinations.flatMap(destinationReasons),
    ...ruleReasons(facts.rules),
    ...(facts.config ?? []),
    ...(facts.exceptions === undefined ? [] : [`exceptions are refused: ${facts.exceptions.split('\n')[0]}`]),
    ...(facts.scan === undefined ? [] : [facts.scan]),
    ...(facts.canary === undefined ? [] : [facts.canary]),
    ...(facts.budget === undefined ? [] : [facts.budget]),
  ];
  const reasons = [...blind, ...degraded].map((reason) => escapeText(reason).slice(0, 500));
  return { verdict: blind.length > 0 ? 'blind' : degraded.length > 0 ? 'degraded' : 'healthy', reasons };
}

function unseen({ tier, sensors }: VerdictFacts): string[] {
  const runs = (kind: string) => sensors.some((sensor) => sensor.kind === kind && sensor.running);
  const reasons: string[] = [];
  if (tier.running === null) reasons.push(`processes are not seen: ${tier.reason}`);
  if (!fileSensors.some(runs)) reasons.push('files are not seen: no sensor of files runs');
  return reasons;
}

/** Places that hide a folder of the system's launch items, or all homes. */
function blindFolders(sensors: readonly SensorHealth[]): string[] {
  return sensors.flatMap(({ kind, blind = [] }) =>
    blind.filter(({ place }) => isGrave(place)).map((one) => `${kind} is blind in ${told(one)}`),
  );
}

function isGrave(place: string): boolean {
  const above = place === '/' ? '/' : `${place}/`;
  return isSystemFolder(place) || [...systemFolders].some((folder) => folder.startsWith(above));
}

const systemFolders = [
  '/Library/LaunchAgents',
  '/Library/LaunchDaemons',
  '/Library/DirectoryServices/PlugIns',
  '/Users',
];

function isSystemFolder(place: string): boolean {
  return place === '/Users' || (isLaunchFolder(place) && !/^\/(?:Users|private\/var\/root)\//i.test(place));
}

function told({ place, since, reason }: BlindPlace): string {
  return `${place} since ${formatMicros(since).slice(0, 19)}Z: ${reason}`;
}

function sensorReasons({ tier, sensors }: VerdictFacts): string[] {
  const reasons = sensors
    .filter(({ running, unavailable }) => !running && unavailable !== true)
    .map(({ kind, notes }) => [`sensor ${kind} does not run`, ...notes.slice(0, 1)].join(': '));
  for (const { kind, degraded, blind = [] } of sensors) {
    if (degraded !== undefined) reasons.push(`${kind}: ${degraded}`);
    const places = blind.filter(({ place }) => !isGrave(place));
    for (const one of places.slice(0, namedPlaces)) reasons.push(`${kind} is blind in ${told(one)}`);
    if (places.length > namedPlaces)
      reasons.push(`${kind} is blind in ${things(places.length - namedPlaces, 'more place')}`);
  }
  for (const name of tier.lost) reasons.push(`tier ${name} was lost: ${tier.refused[name] ?? 'it ended'}`);
  for (const [name, reason] of Object.entries(tier.refused))
    if (!tier.lost.some((one) => one === name) && /Full Disk Access/i.test(reason))
      reasons.push(`tier ${name} is refused: ${reason}`);
  return reasons;
}

function storeReasons({ state, reason, held_alerts }: VerdictFacts['store']): string[] {
  const reasons = state === 'ok' ? [] : [`the store is ${state}: ${reason ?? 'no reason is known'}`];
  if (held_alerts > 0) reasons.push(`${things(held_alerts, 'alert is', 'alerts are')} in memory alone`);
  return reasons;
}

function destinationReasons(destination: VerdictFacts['destinations'][number]): string[] {
  const { name, state, reason, fails, lanes } = destination;
  const most = Math.max(fails, ...Object.values(lanes).map((lane) => lane.fails ?? 0));
  const troubled = state !== undefined && inTrouble.has(state);
  if (!troubled && (state !== 'waiting' || most < manyFailures)) return [];
  return [`destination ${name} is ${state}: ${reason ?? 'no reason is known'}`];
}

function ruleReasons({ passedOver, parked = [], muted, switchedOff }: VerdictFacts['rules']): string[] {
  const [first, ...others] = parked;
  const more = others.length === 0 ? '' : ` (and ${others.length} more: "launchwarden config check")`;
  return [
    ...(switchedOff?.reasons ?? []),
    ...(first === undefined ? [] : [`${rulesParked(parked.length)}: ${first}${more}`]),
    ...(passedOver === 0
      ? []
      : [
          `${things(passedOver, 'rule file is passed over, its rule runs', 'rule files are passed over, their rules run')} elsewhere: "launchwarden rules check" says why`,
        ]),
    ...(muted === 0
      ? []
      : [
          `${things(muted, 'imported rule is off: the running sensors cannot serve it', 'imported rules are off: the running sensors cannot serve them')}`,
        ]),
  ];
}

function rulesParked(count: number): string {
  return count === 1
    ? 'a rule is parked and detects nothing'
    : `${count} rules are parked and detect nothing`;
}
