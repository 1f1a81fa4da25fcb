import { forwardHandlers } from '../../../agent/forward-control.js';
import { ExitCode, UserError } from '../../../base/errors.js';
import { type DeadDocument, deadDocuments } from '../../../forward/index.js';
import type { CommandContext } from '../../context.js';
import { writeThroughDaemon } from '../../daemon-write.js';
import { defineCommand, flag, value } from '../../define-command.js';
import { type IdRule, type Ids, resolveId } from '../../ids.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { timePoint, wholeNumber } from '../../values.js';
import { knownDestination } from '../forward/destinations.js';

const reading = 'read access to the data directory (root, when the agent runs as a daemon)';
const writing = 'root, when the agent runs as a daemon (it writes for us, through its socket)';
const schema = 'dead-letter/1';
const destination = value('--destination NAME', 'only of this destination', (text) => text);
const listHint = 'See "launchwarden outbox dead list".';
const idArgument = {
  name: '[ID]',
  summary: 'id of a document, or its beginning',
  // It would be the beginning of every id.
  check(text: string) {
    if (text === '') throw new UserError('outbox/unknown', 'the ID is empty', { hint: listHint });
  },
};

/** The whole id of the dead letter that was meant. Throws a UserError. */
async function letterId(context: CommandContext, written: string, rule: IdRule): Promise<string> {
  return context.withStore((store) => {
    const letters = () => [...new Set(store.outbox.dead.list({ limit: 100_000 }).map((one) => one.id))];
    const ids: Ids = {
      noun: 'dead letter',
      stage: 'outbox',
      listedBy: 'launchwarden outbox dead list',
      beginning: (text, limit) =>
        letters()
          .filter((id) => id.startsWith(text))
          .slice(0, limit),
      known: letters,
    };
    return resolveId(written, ids, rule);
  });
}

function fields({ diedAt, ...letter }: DeadDocument): object {
  const { destination: to, lane, id, revision, attempts, reason, document } = letter;
  const known = { destination: to, lane, id, revision, attempts, died: diedAt, reason };
  return document === undefined ? known : { ...known, document };
}

async function narrowed(
  context: CommandContext,
  name: string | undefined,
): Promise<{ destination?: string }> {
  return name === undefined ? {} : { destination: await knownDestination(context, name) };
}

export const deadList = defineCommand({
  options: {
    destination,
    limit: value('--limit N', 'at most so many (100)', wholeNumber('--limit', 1)),
    json: flag('--json', 'one JSON document a line (NDJSON), without the documents'),
  },
  examples: [
    { line: 'sudo launchwarden outbox dead list', says: 'what a receiver would never take, and why' },
  ],
  needs: reading,
  async handler({ context, options }) {
    const { out } = context;
    const filter = { ...(await narrowed(context, options.destination)), limit: options.limit ?? 100 };
    const letters = await context.withStore((store) => [...deadDocuments(store.outbox, filter)]);
    if (options.json) for (const { document: _, ...letter } of letters) out.document(schema, fields(letter));
    else if (letters.length === 0) out.line('No dead letters.');
    else {
      const columns = ['ID', 'REV', 'DIED (UTC)', 'LANE', 'DESTINATION'].map((title) => ({ title }));
      const rows = letters.map((one) => [
        safe(one.id) ?? '',
        String(one.revision),
        one.diedAt.slice(0, 19).replace('T', ' '),
        one.lane,
        safe(one.destination) ?? '',
        safe(one.reason) ?? '',
      ]);
      for (const line of tableLines([...columns, { title: 'REASON', flexible: true }], rows, out))
        out.line(line);
    }
    return ExitCode.ok;
  },
});

export const deadShow = defineCommand({
  description: 'With its document, as it would have been sent.',
  arguments: [{ ...idArgument, name: 'ID' }],
  options: { destination, json: flag('--json', 'in one line') },
  examples: [{ line: 'sudo launchwarden outbox dead show 3f9a', says: 'what is wrong with it' }],
  needs: reading,
  async handler({ context, options, args: [written = ''] }) {
    const id = await letterId(context, written, {});
    const filter = { ...(await narrowed(context, options.destination)), id };
    const letters = await context.withStore((store) => [...deadDocuments(store.outbox, filter)]);
    for (const letter of letters) {
      if (options.json) context.out.document(schema, fields(letter));
      else
        for (const line of JSON.stringify(fields(letter), null, 2).split('\n'))
          context.out.line(safe(line) ?? '');
    }
    return ExitCode.ok;
  },
});

export const deadExport = defineCommand({
  description: 'With their documents, one JSON document a line, for another way to the receiver.',
  options: { destination, json: flag('--json', 'as without it') },
  examples: [
    { line: 'sudo launchwarden outbox dead export --destination siem', says: 'into a file, or a pipe' },
  ],
  needs: reading,
  async handler({ context, options }) {
    const filter = await narrowed(context, options.destination);
    await context.withStore((store) => {
      for (const letter of deadDocuments(store.outbox, filter)) context.out.document(schema, fields(letter));
    });
    return ExitCode.ok;
  },
});

const changeJson = flag('--json', 'how many, as one JSON document');

/** Says how many letters were changed. */
function tell({ out }: CommandContext, count: number, how: { done: string; json: boolean }): void {
  if (how.json) out.document('dead-letters/1', { done: how.done.replace(' ', '-'), count });
  else out.line(`${count} ${how.done}`);
}

async function change(
  context: CommandContext,
  op: 'outbox.retry' | 'outbox.purge',
  args: object,
): Promise<number> {
  const result = await writeThroughDaemon(context, {
    op,
    args,
    direct: (store) => forwardHandlers({ outbox: store.outbox })[op]?.(args),
  });
  return Number((result as { readonly count?: unknown } | null | undefined)?.count ?? 0);
}

export const deadRetry = defineCommand({
  description:
    'Puts dead letters back into the queue, as never tried. Without ID and --destination: all of them.',
  arguments: [idArgument],
  options: { destination, json: changeJson },
  examples: [
    { line: 'sudo launchwarden outbox dead retry --destination siem', says: 'its mapping has been mended' },
  ],
  needs: writing,
  async handler({ context, options, args: [written] }) {
    const id = written === undefined ? undefined : await letterId(context, written, { change: true });
    const narrow = { ...(await narrowed(context, options.destination)), ...(id === undefined ? {} : { id }) };
    const count = await change(
      context,
      'outbox.retry',
      Object.keys(narrow).length === 0 ? { all: true } : narrow,
    );
    tell(context, count, { done: 'put back', json: options.json });
    return ExitCode.ok;
  },
});

export const deadPurge = defineCommand({
  description:
    'Forgets dead letters. The alerts themselves stay. One of ID, --destination, --before or --all is needed.',
  arguments: [idArgument],
  options: {
    destination,
    before: value('--before TIME', 'that died before: 30d, 2026-01-31T12:00:00Z', timePoint('--before')),
    all: flag('--all', 'all of them'),
    json: changeJson,
  },
  examples: [{ line: 'sudo launchwarden outbox dead purge --before 30d', says: 'what nobody will mend' }],
  needs: writing,
  async handler({ context, options, args: [written] }) {
    const id = written === undefined ? undefined : await letterId(context, written, { change: true });
    const before = options.before?.(context.clock.now());
    const narrow = {
      ...(await narrowed(context, options.destination)),
      ...(id === undefined ? {} : { id }),
      ...(before === undefined ? {} : { diedBefore: Math.floor(before / 1000) }),
    };
    if (Object.keys(narrow).length === 0 && !options.all) {
      throw new UserError('outbox/which', 'it is not said which dead letters to forget', {
        hint: 'Name an ID, --destination, --before, or --all.',
      });
    }
    const count = await change(
      context,
      'outbox.purge',
      Object.keys(narrow).length === 0 ? { all: true } : narrow,
    );
    tell(context, count, { done: 'forgotten', json: options.json });
    return ExitCode.ok;
  },
});
