import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { things } from '../../base/count.js';
import { ExitCode, messageOf, UserError } from '../../base/errors.js';
import type { Micros } from '../../base/time.js';
import { type QueryMatch, QueryRun } from '../../detect/index.js';
import { type Event, wallTime } from '../../event/event.js';
import { compileQuery, formatDiagnostic, type Query, querySource } from '../../rules/index.js';
import type { CapturedEvent, OpenCapture } from '../../sensors/capture/index.js';
import type { Store } from '../../store/index.js';
import {
  type CaptureTally,
  readFor,
  searchedWords,
  takeInOrder,
  tellSkipped,
  withInput,
} from '../capture-input.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import type { TextSink } from '../io.js';
import { KeptLines } from '../kept-lines.js';
import { jsonLine, safe } from '../output/output.js';
import type { Progress } from '../output/progress.js';
import { tableLines } from '../output/table.js';
import { filePath, oneOf, timePoint, timeRange, wholeNumber } from '../values.js';
import { eventLines } from './alerts/show-events.js';
import { eventCells, eventColumns } from './events/event-row.js';

const maxQueryBytes = 1024 * 1024;

interface QueryText {
  readonly text: string;
  readonly file?: string;
}

function readQuery(context: CommandContext, query: string | undefined, file: string | undefined): QueryText {
  if ((query === undefined) === (file === undefined)) {
    throw new UserError('hunt/no-query', 'one of --query and --query-file is needed, and not both', {
      hint: 'For example --query "process where process.name == \\"launchctl\\"".',
    });
  }
  if (query !== undefined) return { text: query };
  const place = path.resolve(context.io.cwd, file!);
  const refuse = (code: string, message: string, cause?: unknown) =>
    new UserError(code, message, { at: { file: place }, ...(cause === undefined ? {} : { cause }) });
  try {
    // Looked at first: a device has no end, and a pipe that nobody writes to is waited for.
    const stat = statSync(place);
    if (!stat.isFile()) throw refuse('hunt/unreadable', 'cannot read the query: it is not a regular file');
    if (stat.size > maxQueryBytes)
      throw refuse('hunt/too-large', `the query is larger than ${maxQueryBytes} bytes`);
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(place)), file: place };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : messageOf(error);
    throw refuse('hunt/unreadable', `cannot read the query: ${reason}`, error);
  }
}

/** The tree of a query, or a UserError with every diagnostic. A field that nobody knows is told: it would match nothing. */
function compile(language: 'eql' | 'kql', { text, file }: QueryText, stderr: TextSink): Query {
  const compiled = compileQuery(language === 'kql' ? 'kuery' : 'eql', text, querySource(text, file));
  if ('query' in compiled) {
    for (const one of compiled.warnings) stderr.write(`${formatDiagnostic({ file: 'query', ...one })}\n`);
    return compiled.query;
  }
  const [first, ...more] = compiled.diagnostics.filter(({ severity }) => severity === 'error');
  const { line, column, message, code, excerpt, hint } = first!;
  const rest = more.map((one) => `\n${formatDiagnostic(one)}`).join('');
  throw new UserError(code, `${message}\n${excerpt}${rest}`, {
    at: { file: file ?? 'query', line, column },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Matches that people are shown unless they ask for more. */
const shownMatches = 100;

interface PrintOptions {
  readonly json: boolean;
  readonly documents: boolean;
  /** Matches that are printed; the rest is counted. */
  readonly limit: number;
  readonly nameOf: (event: Event) => string | number;
}

/**
 * Keeps matches until all are known, and prints them: a table of events, blocks of sequences, or for programs exactly
 * `{"events":[...],"join_keys":[...]}` a line. What is kept for programs is the text of it, beyond some MiB on the disk.
 */
class Matches {
  readonly #context: CommandContext;
  readonly #options: PrintOptions;
  readonly #kept: QueryMatch[] = [];
  readonly #lines = new KeptLines();
  count = 0;

  constructor(context: CommandContext, options: PrintOptions) {
    this.#context = context;
    this.#options = options;
  }

  readonly add = (match: QueryMatch): void => {
    this.count++;
    const { json, documents, limit, nameOf } = this.#options;
    if (this.count > limit) return;
    if (!json) {
      this.#kept.push(match);
      return;
    }
    const events = match.events.map((event) => (event === null ? null : nameOf(event)));
    const found = { events, join_keys: match.joinKeys };
    const docs = match.events.map((event) => event?.doc ?? null);
    this.#lines.add(
      jsonLine(documents ? { schema: 'launchwarden.match/1', ...found, documents: docs } : found),
    );
  };

  clear(): void {
    this.count = 0;
    this.#kept.length = 0;
    this.#lines.close();
  }

  print(): void {
    const { out, io } = this.#context;
    for (const text of this.#lines.all()) io.stdout.write(text);
    this.#lines.close();
    const isTable = this.#kept.every(({ events, joinKeys }) => events.length === 1 && joinKeys.length === 0);
    if (this.#kept.length > 0 && isTable)
      for (const line of tableLines(eventColumns(out), this.#kept.flatMap(this.#row), out)) out.line(line);
    else for (const [index, match] of this.#kept.entries()) this.#block(match, index + 1);
    if (!this.#options.json && this.count > this.#options.limit)
      out.line(
        `Showing ${this.#options.limit} of ${things(this.count, 'match', 'matches')}: --limit shows more.`,
      );
  }

  readonly #row = ({ events: [event] }: QueryMatch): string[][] =>
    event === null || event === undefined
      ? []
      : [[safe(this.#options.nameOf(event)) ?? '', ...eventCells(event.doc, this.#context.out)]];

  #block(match: QueryMatch, number: number): void {
    const { out } = this.#context;
    const names = match.events.map((event) => (event === null ? null : this.#options.nameOf(event)));
    const keys = match.joinKeys.length === 0 ? '' : `, joined by ${safe(JSON.stringify(match.joinKeys))}`;
    out.line(
      out.style(
        'bold',
        `match ${number}: events ${safe(names.map((name) => name ?? 'none').join(', '))}${keys}`,
      ),
    );
    const docs = match.events.flatMap((event) => (event === null ? [] : [event.doc]));
    for (const { text, indent } of eventLines(docs, out, true)) out.line(`${' '.repeat(indent)}${text}`);
  }
}

/** Matches wait until the whole capture has proved to be in order, or else come from the sorted one. */
async function huntInput(
  context: CommandContext,
  input: string,
  how: { readonly query: Query; readonly matches: Matches },
): Promise<string> {
  const { query, matches } = how;
  const now = Math.floor(context.clock.now() / 1000);
  return withInput(context, { written: input }, async (capture, progress) => {
    const begin = () => new QueryRun({ query, now, onMatch: matches.add });
    let run = begin();
    const tally =
      capture.form === 'eslogger'
        ? await takeEslogger(context, capture, { run, progress })
        : takeInOrder(
            capture.file,
            {
              take: (event) => run.process(event),
              restart() {
                matches.clear();
                run = begin();
              },
              get done() {
                return run.done;
              },
            },
            readFor([query], progress.update),
          );
    run.finish();
    progress.end();
    matches.print();
    tellSkipped(tally, capture, context.io.stderr);
    return searchedWords(tally);
  });
}

/** What reads eslogger's messages is loaded for them alone. */
async function takeEslogger(
  context: CommandContext,
  capture: OpenCapture,
  { run, progress }: { readonly run: QueryRun; readonly progress: Progress },
): Promise<CaptureTally> {
  const { takeRecording } = await import('../eslogger-input.js');
  const { root } = await context.settings();
  return takeRecording(capture.file, (event) => run.process(event), {
    version: context.version,
    root,
    onProgress: progress.update,
  });
}

/** Over stored events. Returns how many were searched, in words. */
function huntStored(
  store: Store,
  range: { readonly from?: Micros; readonly to?: Micros },
  how: { readonly query: Query; readonly matches: Matches; readonly now: Micros },
): string {
  const { query, matches, now } = how;
  const run = new QueryRun({ query, now: Math.floor(now / 1000), onMatch: matches.add });
  let events = 0;
  let from: Micros | undefined;
  let to: Micros | undefined;
  for (const event of store.events.scan(range)) {
    events++;
    to = wallTime(event);
    from ??= to;
    run.process(event);
    if (run.done) break;
  }
  run.finish();
  matches.print();
  return searchedWords({ events, passed: 0, from, to });
}

export const hunt = defineCommand({
  description:
    'Prints every match, in the order of event time; nothing is suppressed and no alert is stored. With --json one line a\n' +
    'match: {"events":[...],"join_keys":[...]} with the ids of stored events, or with --input the zero-based line numbers (of\n' +
    'documents over several lines and of answers: of the events in them). With --documents the events themselves, too. The form\n' +
    'of the input is recognised by its content, see "launchwarden replay --help". Exit code 0 also when nothing matched, 2 when\n' +
    'the query does not compile or the input is no capture.',
  options: {
    language: value('--language LANGUAGE', 'eql (default) or kql', oneOf('--language', ['eql', 'kql'])),
    query: value('--query TEXT', 'the query', (text) => text),
    queryFile: value('--query-file FILE', 'a file that holds the query', filePath('--query-file')),
    input: value(
      '--input FILE',
      'a capture instead of stored events; "-" is standard input',
      filePath('--input'),
    ),
    since: value('--since TIME', 'stored events, not older: 2h, 2026-01-31T12:00:00Z', timePoint('--since')),
    until: value('--until TIME', 'stored events, older than this', timePoint('--until')),
    limit: value(
      '--limit NUMBER',
      `matches that are printed (${shownMatches}; all with --json)`,
      wholeNumber('--limit', 1),
    ),
    documents: flag('--documents', 'with --json: the events of each match, too'),
    json: flag('--json', 'one line a match'),
  },
  examples: [
    {
      line: 'launchwarden hunt --query "process where process.name == 1" --since 24h',
      says: 'over stored events',
    },
    {
      line: 'launchwarden hunt --language kql --query "file.path:*.plist" --input events.ndjson',
      says: 'over a file',
    },
  ],
  needs: 'read access to the data directory; with --input only the file, on any system',
  async handler({ context, options }) {
    const text = readQuery(context, options.query, options.queryFile);
    const query = compile(options.language ?? 'eql', text, context.io.stderr);
    const { input, documents } = options;
    const json = options.json || documents;
    const limit = options.limit ?? (json ? Number.POSITIVE_INFINITY : shownMatches);
    const nameOf =
      input === undefined ? (event: Event) => event.id : (event: Event) => (event as CapturedEvent).line;
    const matches = new Matches(context, { json, documents, limit, nameOf });
    let searched: string;
    if (input !== undefined) searched = await huntInput(context, input, { query, matches });
    else {
      const now = context.clock.now();
      const { since: from, until: to } = timeRange(options, now);
      const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      searched = await context.withStore((store) => huntStored(store, range, { query, matches, now }));
    }
    if (!json && matches.count === 0) context.out.line(`No matches in ${searched}.`);
    return ExitCode.ok;
  },
});
