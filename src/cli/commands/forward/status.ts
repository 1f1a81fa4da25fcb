import { forwardHandlers } from '../../../agent/forward-control.js';
import { ExitCode } from '../../../base/errors.js';
import { formatDuration } from '../../../base/time.js';
import { defineCommand, flag } from '../../define-command.js';
import { at, objectsAt, textAt } from '../../output/read.js';
import { Sheet } from '../../output/sheet.js';
import { ago } from '../../values.js';

/** Labels of the lanes in the order in which they are sent. */
const waiting = { alert: 'alerts wait', status: 'status waits', event: 'events wait' };

export const forwardStatus = defineCommand({
  description: 'Asks the running agent, or reads the store when none runs.',
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
    const all = objectsAt({ result }, 'result');
    if (options.json) {
      for (const one of all) out.document('destination/1', one);
      return ExitCode.ok;
    }
    if (all.length === 0) out.line('No destinations.');
    const sheet = new Sheet(out);
    const since = (value: unknown) =>
      typeof value === 'number' ? ago(value * 1000, clock.now()) : undefined;
    for (const one of all) {
      sheet.section(textAt(one, 'name') ?? '?', (section) => {
        const wait = Number(at(one, 'retryInMs') ?? 0);
        const retry = wait > 0 ? `, next try in ${formatDuration(wait * 1000)}` : '';
        const state = textAt(one, 'state') ?? `no agent runs; paused: ${textAt(one, 'paused') ?? 'no'}`;
        section.field('state', `${state}${retry}`);
        section.field('reason', textAt(one, 'reason'));
        section.field(
          'delivered',
          `${textAt(one, 'delivered')}, ${textAt(one, 'duplicates')} of them had been before`,
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
    return ExitCode.ok;
  },
});
