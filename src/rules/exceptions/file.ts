import { parse, TomlError } from 'smol-toml';
import { parseTime } from '../../base/time.js';
import { TomlPositions } from '../../base/toml-positions.js';
import type { Query } from '../ast.js';
import { compileQuery } from '../compile.js';
import { diagnosticOf, type Problem, type Source } from '../diagnostic.js';
import { TableReader, type TomlTable } from '../file/table-reader.js';
import type { Diagnostic } from '../rule.js';
import type { Exception, ExceptionSet, RequiredSigner } from './exception.js';

export const maxExceptionFileBytes = 262_144;
const maxExceptions = 1_000;
const maxSteps = 16;
const languages = ['kuery', 'eql'] as const;

export type ExceptionFileResult =
  | { readonly set: ExceptionSet; readonly warnings: readonly Diagnostic[] }
  | { readonly diagnostics: readonly Diagnostic[] };

const setKeys = ['name', 'exception'];
const exceptionKeys = [
  ...['id', 'reason', 'author', 'created', 'expires', 'rules', 'language'],
  ...['item', 'process', 'step', 'signer', 'sha256'],
];

/**
 * Reads one file of exceptions: `name`, and tables `[[exception]]`. `pack`: it comes with the program, needs neither author
 * nor expiry and must name a signer. Never throws.
 */
export function readExceptionFile(
  text: string,
  file: string,
  { pack = false }: { readonly pack?: boolean } = {},
): ExceptionFileResult {
  const source: Source = { file, text, offsetOf: (offset) => offset };
  const problems: Problem[] = [];
  if (Buffer.byteLength(text) > maxExceptionFileBytes)
    return failed(source, [at(0, 'too-large', `the file has more than ${maxExceptionFileBytes} bytes`)]);
  const table = parseToml(text);
  if ('code' in table) return failed(source, [table]);
  const positions = new TomlPositions(text);
  const root = new TableReader(table.table, { path: [], positions, problems });
  root.onlyKeys(setKeys, true);
  const name = root.required('name');
  const found: Diagnostic[] = [];
  const exceptions: Exception[] = [];
  const tables = root.tables('exception');
  if (tables.length > maxExceptions)
    root.problem('exception', {
      code: 'rule/too-many',
      message: `a set has at most ${maxExceptions} exceptions`,
    });
  if (tables.length === 0 && problems.length === 0)
    root.problem('name', { code: 'rule/missing', message: 'there is no [[exception]]' });
  for (const [index, one] of tables.slice(0, maxExceptions).entries()) {
    const reader = new Reader(one, { index, source, positions, pack });
    const exception = reader.read();
    found.push(...reader.found);
    const taken = exceptions.some(({ id }) => id === exception.id);
    if (taken)
      one.problem('id', {
        code: 'rule/duplicate-id',
        message: `two exceptions are called "${exception.id}"`,
      });
    exceptions.push(exception);
  }
  const all = [...problems.map((problem) => diagnosticOf(source, own(problem))), ...found];
  if (all.some(({ severity }) => severity === 'error')) return { diagnostics: inOrder(all) };
  return { set: { file, name, exceptions }, warnings: inOrder(all) };
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, 100);
}

/** The reader of tables is that of rules; its codes are ours here. */
function own(problem: Problem): Problem {
  return { ...problem, code: problem.code.replace(/^rule\//, 'exception/') };
}

function at(start: number, code: string, message: string): Problem {
  return { code: `exception/${code}`, message, span: { start, end: start } };
}

function failed(source: Source, problems: readonly Problem[]): ExceptionFileResult {
  return { diagnostics: problems.map((problem) => diagnosticOf(source, problem)) };
}

function parseToml(text: string): { table: TomlTable } | Problem {
  try {
    return { table: parse(text, { maxDepth: 16 }) };
  } catch (error) {
    if (!(error instanceof TomlError)) return at(0, 'toml', 'the file cannot be read as TOML');
    const lines = text.split('\n').slice(0, error.line - 1);
    const start = lines.reduce((sum, line) => sum + line.length + 1, 0) + error.column - 1;
    const message = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '');
    return at(Math.max(0, start), 'toml', message);
  }
}

class Reader {
  /** What is wrong with the queries, at their places. */
  readonly found: Diagnostic[] = [];
  readonly #table: TableReader;
  readonly #at;

  constructor(
    table: TableReader,
    at: {
      readonly index: number;
      readonly source: Source;
      readonly positions: TomlPositions;
      readonly pack: boolean;
    },
  ) {
    this.#table = table;
    this.#at = at;
  }

  read(): Exception {
    const table = this.#table;
    const { pack, source } = this.#at;
    table.onlyKeys(exceptionKeys, true);
    const language = table.oneOf('language', languages, 'kuery');
    const path = ['exception', this.#at.index];
    const item = this.#query(table, 'item', { language, path });
    const process = this.#query(table, 'process', { language, path });
    const steps = this.#steps(language);
    const signer = this.#signer();
    const sha256 = this.#sha256();
    const expires = pack ? undefined : this.#time('expires');
    if (!['item', 'process', 'step', 'signer', 'sha256'].some((key) => table.has(key)))
      table.problem('id', {
        code: 'rule/missing',
        message: `${table.path} has no condition: it would hide everything`,
        hint: 'Give it item, process, step, signer or sha256.',
      });
    else if (pack ? signer === undefined : signer === undefined && sha256 === undefined)
      table.problem('id', {
        severity: pack ? 'error' : 'warning',
        code: 'rule/unbound',
        message: `${table.path} is bound to no signer and no content: whoever can make such an item is hidden by it`,
        hint: 'Add a [exception.signer] or a sha256.',
      });
    return {
      id: this.#id(),
      file: source.file ?? '',
      reason: table.required('reason'),
      author: pack ? table.text('author', 'launchwarden') : table.required('author'),
      ...(expires === undefined ? {} : { expires }),
      rules: table.texts('rules'),
      ...(item === undefined ? {} : { item }),
      ...(process === undefined ? {} : { process }),
      steps,
      ...(signer === undefined ? {} : { signer }),
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  }

  #id(): string {
    const id = this.#table.required('id');
    if (id === '' || /^[a-z0-9][a-z0-9-]{0,99}$/.test(id)) return id;
    this.#table.problem('id', {
      code: 'rule/value',
      message: `${this.#table.path}.id must be 1 to 100 lower-case letters, digits and -`,
    });
    return '';
  }

  /** A TOML date or date and time, or the same as a text. */
  #time(key: string): number | undefined {
    const table = this.#table;
    const raw = table.raw(key);
    const text = raw instanceof Date ? raw.toISOString() : raw;
    const whole = typeof text === 'string' && /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
    const time = typeof whole === 'string' ? parseTime(whole)?.time : undefined;
    if (time !== undefined) return time;
    if (raw === undefined) table.required(key);
    else
      table.problem(key, {
        code: 'rule/value',
        message: `${table.path}.${key} must be a date like 2027-01-31`,
      });
    return undefined;
  }

  #signer(): RequiredSigner | undefined {
    const table = this.#table.table('signer');
    if (table === undefined) return undefined;
    table.onlyKeys(['team_id', 'signing_id'], true);
    const teamId = table.required('team_id');
    if (teamId !== '' && !/^[A-Z0-9]{10}$/.test(teamId))
      table.problem('team_id', {
        code: 'rule/value',
        message: `${table.path}.team_id must be ten capital letters and digits, as codesign prints it`,
      });
    const signingId = table.text('signing_id', '');
    return { teamId, ...(signingId === '' ? {} : { signingId }) };
  }

  #sha256(): string | undefined {
    const text = this.#table.text('sha256', '').toLowerCase();
    if (text === '') return undefined;
    if (!/^[0-9a-f]{64}$/.test(text))
      this.#table.problem('sha256', {
        code: 'rule/value',
        message: `${this.#table.path}.sha256 must be 64 hexadecimal digits`,
      });
    return text;
  }

  #steps(language: (typeof languages)[number]): Exception['steps'] {
    return this.#table
      .tables('step')
      .slice(0, maxSteps)
      .flatMap((table, index) => {
        table.onlyKeys(['number', 'query'], true);
        const number = table.integer('number', { min: 1, max: maxSteps, otherwise: 0 });
        if (!table.has('number')) table.required('number');
        if (!table.has('query')) table.required('query');
        const path = ['exception', this.#at.index, 'step', index];
        const query = this.#query(table, 'query', { language, path });
        return query === undefined ? [] : [{ number, query }];
      });
  }

  #query(
    table: TableReader,
    key: string,
    how: { readonly language: (typeof languages)[number]; readonly path: (string | number)[] },
  ): Query | undefined {
    if (!table.has(key)) return undefined;
    const text = table.required(key);
    if (text === '') return undefined;
    const { positions, source } = this.#at;
    const offsetOf = positions.offsetsLater([...how.path, key], text);
    const compiled = compileQuery(how.language, text, { ...source, offsetOf });
    if ('diagnostics' in compiled) {
      this.found.push(...compiled.diagnostics);
      return undefined;
    }
    this.found.push(...compiled.warnings);
    const { query } = compiled;
    if (query.kind === 'kql' || (query.kind === 'event' && query.pipes.length === 0)) return query;
    table.problem(key, {
      code: 'rule/value',
      message: `${table.path}.${key} must be about one event: no sequence, sample or pipe`,
    });
    return undefined;
  }
}
