import { ExitCode, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import type { Event } from '../../../event/event.js';
import type { Store } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { resolveId } from '../../ids.js';
import { safe } from '../../output/output.js';
import { quoted } from '../../output/read.js';
import { eventLines } from '../alerts/show-events.js';
import { eventFields, eventSchema } from './event-document.js';
import { type ProcessTree, processTree, type TreeProcess } from './process-tree.js';

const searchMs = 5_000;
const maxFields = 200;
const maxNear = 500;
const maxValue = 400;

/** The event of an id or of a beginning that only one has. Throws a UserError. */
function findEvent(store: Pick<Store, 'events'>, written: string): Event {
  const id = resolveId(written, {
    noun: 'recorded event',
    stage: 'events',
    listedBy: 'launchwarden events list',
    beginning: (text, limit) => store.events.beginningWith(text, limit).map((event) => event.id),
    known: () => newestIds(store),
  });
  const found = store.events.find(id);
  if (found !== undefined) return found;
  throw new UserError('events/unknown', `there is no recorded event ${quote(written, 100)}`, {
    hint: 'It was removed just now: the oldest events go when there are too many.',
  });
}

/** Ids that somebody may have meant. */
function newestIds(store: Pick<Store, 'events'>): string[] {
  const ids: string[] = [];
  for (const { id } of store.events.scanBack()) if (ids.push(id) >= maxNear) break;
  return ids;
}

export const eventsShow = defineCommand({
  description:
    'Every field of a recorded event, and the tree of its process: what it came from and what came from it, as far as it was\n' +
    'recorded from a day before to an hour after.',
  arguments: [
    { name: 'ID', summary: 'id of an event, or a beginning of at least 4 characters that only one has' },
  ],
  options: { json: flag('--json', 'the event and the tree as one JSON document') },
  examples: [{ line: 'launchwarden events show 4c1d09aa', says: 'an event of "events list" or of an alert' }],
  needs: 'read access to the data directory',
  async handler({ context, options, args: [written = ''] }) {
    const { out, clock } = context;
    const until = clock.monotonic() + searchMs;
    const { event, tree } = await context.withStore((store) => {
      const found = findEvent(store, written);
      return { event: found, tree: processTree(store, found, { expired: () => clock.monotonic() > until }) };
    });
    if (options.json) {
      out.document(eventSchema, { ...eventFields(event), process_tree: tree });
      return ExitCode.ok;
    }
    out.line(out.style('bold', `event ${safe(event.id)}`));
    for (const { text, indent } of eventLines([event.doc], out, true))
      out.line(`${' '.repeat(indent)}${text}`);
    printTree(context, tree);
    out.line();
    const fields = flattened(event.doc);
    const width = Math.min(44, Math.max(...fields.map(([name]) => name.length)));
    for (const [name, value] of fields.slice(0, maxFields))
      out.line(`${out.style('dim', (safe(name) ?? '').padEnd(width))}  ${safe(value) ?? '""'}`);
    if (fields.length > maxFields) out.line(`… and ${fields.length - maxFields} more (--json has all)`);
    return ExitCode.ok;
  },
});

function printTree({ out }: CommandContext, { processes, complete }: ProcessTree): void {
  if (processes.length === 0) return;
  out.line();
  out.line(out.style('bold', 'Processes'));
  for (const one of processes) {
    const text = `${'  '.repeat(one.depth + 1)}${one.pid ?? '?'}  ${commandOf(one)}`;
    const start = one.start === null ? '' : out.style('dim', `  ${safe(one.start.slice(0, 23))}`);
    out.line(one.relation === 'self' ? out.style('bold', text) + start : text + start);
  }
  if (!complete) out.line(out.style('dim', '  not everything was looked through: there may be more'));
}

function commandOf({ executable, args }: TreeProcess): string {
  const [, ...rest] = args;
  const shown = [executable ?? args[0] ?? '?', ...rest].map((one) => quoted(safe(one.slice(0, 200)) ?? ''));
  return shown.join(' ');
}

/** Dotted names with their values as text. */
function flattened(value: unknown, name = ''): [string, string][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const inside = Object.entries(value).flatMap(([key, one]) =>
      flattened(one, name === '' ? key : `${name}.${key}`),
    );
    return inside;
  }
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return [[name, text.length > maxValue ? `${text.slice(0, maxValue - 1)}…` : text]];
}
