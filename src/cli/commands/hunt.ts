import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, messageOf, UserError } from '../../base/errors.js';
import { type QueryMatch, QueryRun } from '../../detect/index.js';
import type { Event } from '../../event/event.js';
import { compileQuery, formatDiagnostic, type Query, querySource } from '../../rules/index.js';
import type { CapturedEvent } from '../../sensors/capture/index.js';
import { readFor, takeInOrder, tellSkipped, withInput } from '../capture-input.js';
import type { CommandContext } from '../context.js';
import { defineCommand, flag, value } from '../define-command.js';
import type { TextSink } from '../io.js';
import { jsonLine, safe } from '../output/output.js';
import { filePath, oneOf, timePoint, timeRange } from '../values.js';
import { eventLines } from './alerts/show-events.js';

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

/** Prints matches: numbered lines for people, or exactly `{"events":[...],"join_keys":[...]}` a line. */
class MatchPrinter {
  readonly #context: CommandContext;
  readonly #json: boolean;
  readonly #nameOf: (event: Event) => string | number;
  count = 0;

  constructor(context: CommandContext, how: { json: boolean; nameOf: (event: Event) => string | number }) {
    this.#context = context;
    this.#json = how.json;
    this.#nameOf = how.nameOf;
  }

  print(match: QueryMatch): void {
    this.count++;
    const { out, io } = this.#context;
    const names = match.events.map((event) => (event === null ? null : this.#nameOf(event)));
    if (this.#json) {
      io.stdout.write(`${jsonLine({ events: names, join_keys: match.joinKeys })}\n`);
      return;
    }
    const keys = match.joinKeys.length === 0 ? '' : `, joined by ${safe(JSON.stringify(match.joinKeys))}`;
    out.line(
      out.style(
        'bold',
        `match ${this.count}: events ${safe(names.map((name) => name ?? 'none').join(', '))}${keys}`,
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
  how: { readonly query: Query; readonly printer: MatchPrinter },
): Promise<void> {
  const { query, printer } = how;
  const now = Math.floor(context.clock.now() / 1000);
  await withInput(context, input, (file, progress) => {
    let matches: QueryMatch[] = [];
    const begin = () => new QueryRun({ query, now, onMatch: (match) => matches.push(match) });
    let run = begin();
    const skipped = takeInOrder(
      file,
      {
        take: (event) => run.process(event),
        restart() {
          matches = [];
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
    for (const match of matches) printer.print(match);
    tellSkipped(skipped, context.io.stderr);
  });
}

export const hunt = defineCommand({
  description:
    'Prints every match, in the order of event time; nothing is suppressed and no alert is stored. With --json one line a\n' +
    'match: {"events":[...],"join_keys":[...]} with the ids of stored events, or with --input the zero-based line numbers.\n' +
    'Exit code 0 also when nothing matched, 2 when the query does not compile.',
  options: {
    language: value('--language LANGUAGE', 'eql (default) or kql', oneOf('--language', ['eql', 'kql'])),
    query: value('--query TEXT', 'the query', (text) => text),
    queryFile: value('--query-file FILE', 'a file that holds the query', filePath('--query-file')),
    input: value(
      '--input FILE',
      'events as NDJSON instead of stored ones; "-" is standard input',
      filePath('--input'),
    ),
    since: value('--since TIME', 'stored events, not older: 2h, 2026-01-31T12:00:00Z', timePoint('--since')),
    until: value('--until TIME', 'stored events, older than this', timePoint('--until')),
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
    const { json, input } = options;
    const nameOf =
      input === undefined ? (event: Event) => event.id : (event: Event) => (event as CapturedEvent).line;
    const printer = new MatchPrinter(context, { json, nameOf });
    if (input !== undefined) await huntInput(context, input, { query, printer });
    else {
      const { since: from, until: to } = timeRange(options, context.clock.now());
      await context.withStore((store) => {
        const now = Math.floor(context.clock.now() / 1000);
        const run = new QueryRun({ query, now, onMatch: (match) => printer.print(match) });
        const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        for (const event of store.events.scan(range)) {
          run.process(event);
          if (run.done) break;
        }
        run.finish();
      });
    }
    if (!json && printer.count === 0) context.out.line('No matches.');
    return ExitCode.ok;
  },
});
