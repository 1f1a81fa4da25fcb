import { forwardHandlers } from '../../../agent/forward-control.js';
import { ExitCode } from '../../../base/errors.js';
import { destinationName } from '../../../forward/options.js';
import { defineCommand, flag } from '../../define-command.js';
import { at, objectsAt, textAt } from '../../output/read.js';
import { Sheet } from '../../output/sheet.js';
import { ago } from '../../values.js';
import { isSound, stateOf, stateText } from './destination-line.js';

/** Failures in a row after which waiting is more than a hiccup, as for the agent's own verdict. */
const manyFailures = 3;

/** Labels of the lanes in the order in which they are sent. */
const waiting = { alert: 'alerts wait', status: 'status waits', event: 'events wait' };

/** A run of simulated events keeps them back as it should; a wait of a moment is none to speak of. */
function isHealthy(one: unknown, running: boolean): boolean {
  if (!running) return false;
  const state = stateOf(one);
  const fails = Math.max(
    0,
    ...['alert', 'status', 'event'].map((lane) => Number(at(one, `lanes.${lane}.fails`) ?? 0)),
  );
  const isWaiting = state === 'waiting' && fails < manyFailures;
  return isSound(one) || state === 'holding_simulated' || isWaiting || state === 'not_started';
}

export const forwardStatus = defineCommand({
  description:
    'Asks the running agent, or reads the store when none runs. The first line is a verdict; exit code 1 when a destination that is\n' +
    'configured does not deliver: paused, refused, parked, never started, or no agent runs.',
  options: { json: flag('--json', 'one JSON document a destination (NDJSON)') },
  examples: [{ line: 'sudo launchwarden forward status', says: 'what waits for whom, and why' }],
  needs: 'read access to the data directory (root, when the agent runs as a daemon)',
  async handler({ context, options }) {
    const { out, clock } = context;
    const op = 'forward.status';
    const reply = await context.askDaemon(op, undefined);
    const result =
      reply?.result ??
      (await context.withStore((store) => forwardHandlers({ outbox: store.outbox })[op]?.(undefined)));
    const known = objectsAt({ result }, 'result');
    const settings = await context.settings();
    // What the configuration has and nothing has ever run with.
    const missing = settings.destinations
      .map(destinationName)
      .filter((name) => !known.some((one) => one['name'] === name))
      .map((name): Record<string, unknown> => ({ name, state: 'unknown', reason: null }));
    const all = [...known, ...missing];
    const bad = all.filter((one) => stateOf(one) !== 'removed' && !isHealthy(one, reply !== undefined));
    const code = bad.length === 0 ? ExitCode.ok : ExitCode.checkFailed;
    if (options.json) {
      for (const one of all) out.document('destination/1', one);
      return code;
    }
    if (all.length === 0) {
      out.line('No destinations.');
      return code;
    }
    const names = bad.map((one) => `${textAt(one, 'name')}: ${stateText(one)}`).join('; ');
    const verdict = bad.length === 0 ? 'HEALTHY' : `DEGRADED: ${names}`;
    out.line(out.style(bad.length === 0 ? 'green' : 'yellow', verdict));
    out.line();
    const sheet = new Sheet(out);
    const since = (value: unknown) =>
      typeof value === 'number' ? ago(value * 1000, clock.now()) : undefined;
    for (const one of all) {
      sheet.section(textAt(one, 'name') ?? '?', (section) => {
        section.field('state', stateText(one));
        section.field('reason', textAt(one, 'reason'));
        if (stateOf(one) === 'unknown') return;
        section.field(
          'delivered',
          `${textAt(one, 'delivered') ?? '0'}, ${textAt(one, 'duplicates') ?? '0'} of them had been before`,
        );
        section.field('last', since(at(one, 'lastOk')));
        const failed = since(at(one, 'lastErrorAt'));
        section.field(
          'last error',
          failed === undefined ? undefined : `${textAt(one, 'lastError')} (${failed})`,
        );
        for (const [lane, label] of Object.entries(waiting)) {
          const of = at(one, `lanes.${lane}`);
          const rows = Number(at(of, 'rows') ?? 0);
          const oldest = since(at(of, 'oldest'));
          const standing = textAt(of, 'state') ?? 'open';
          const parts = [
            `${rows}`,
            ...(oldest === undefined ? [] : [`the oldest came ${oldest}`]),
            ...(standing === 'open' ? [] : [standing]),
          ];
          section.field(label, parts.join(', '));
          // Of the lane that speaks for the destination the reason stands above.
          const reason = textAt(of, 'reason');
          if (reason !== undefined && reason !== textAt(one, 'reason')) section.field(`${lane} lane`, reason);
          section.field(`${lane} warning`, textAt(of, 'last_warning'));
        }
        section.field('dead', textAt(one, 'dead'));
        section.field('given up', textAt(one, 'evicted'));
      });
    }
    return code;
  },
});
