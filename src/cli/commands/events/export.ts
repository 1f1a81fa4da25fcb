import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { things } from '../../../base/count.js';
import { ExitCode, errnoOf, reasonOf, UserError } from '../../../base/errors.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { jsonLine, safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { eventFields, eventSchema } from './event-document.js';
import { selection, selectOptions } from './select.js';

/** Events that are read between two looks at signals. */
const readAtOnce = 256;

export const eventsExport = defineCommand({
  description:
    'The recorded events that every option takes, in the order of event time, one JSON document a line: "hunt" and "replay" read\n' +
    'them again. With --ecs the bare ECS documents, as a SIEM has them. A file is made with mode 0600, and none is overwritten.',
  options: {
    ...selectOptions,
    output: value('--output FILE', 'instead of standard output', filePath('--output')),
    ecs: flag('--ecs', 'bare ECS documents'),
    json: flag('--json', 'NDJSON, as it is written anyway'),
  },
  examples: [
    {
      line: 'sudo launchwarden events export --since 1h --output hour.ndjson',
      says: 'for a colleague, or a test of a rule',
    },
    {
      line: 'launchwarden events export --ecs --item 30c5d501',
      says: 'of one item, for a SIEM',
    },
  ],
  needs: 'read access to the data directory',
  async handler({ context, options }) {
    const { range, wants } = selection(options, context.clock.now());
    const sink =
      options.output === undefined ? undefined : fileSink(path.resolve(context.io.cwd, options.output));
    // A file that was begun is removed, not left in half.
    const signal = sink === undefined ? undefined : context.io.interruption();
    let count = 0;
    let whole = false;
    try {
      await context.withStore(async (store) => {
        let read = 0;
        for (const event of store.events.scan(range)) {
          if (signal !== undefined && ++read % readAtOnce === 0) await turn();
          if (signal?.aborted === true) return;
          if (!wants(event)) continue;
          count++;
          const line = options.ecs
            ? jsonLine(event.doc)
            : jsonLine({ schema: `launchwarden.${eventSchema}`, ...eventFields(event) });
          if (sink === undefined) context.io.stdout.write(`${line}\n`);
          else sink.write(`${line}\n`);
        }
        whole = true;
      });
    } finally {
      sink?.close(whole);
    }
    if (!whole) return ExitCode.interrupted;
    if (options.output !== undefined)
      context.io.stderr.write(`launchwarden: ${things(count, 'event')} written to ${safe(options.output)}\n`);
    return ExitCode.ok;
  },
});

/** `close(false)` removes what was written. */
function fileSink(file: string): { write(text: string): void; close(whole: boolean): void } {
  const fail = (error: unknown) =>
    new UserError('events/not-written', `the events could not be written: ${reasonOf(error)}`, {
      hint:
        errnoOf(error) === 'EEXIST'
          ? 'Name a file that does not exist yet.'
          : 'Name a file in a folder that you may write, with room.',
      cause: error,
    });
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    throw fail(error);
  }
  return {
    write(text) {
      try {
        writeSync(descriptor, text);
      } catch (error) {
        throw fail(error);
      }
    },
    close(whole) {
      closeSync(descriptor);
      if (!whole) rmSync(file, { force: true });
    },
  };
}
