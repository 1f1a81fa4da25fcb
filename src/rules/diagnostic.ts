import { escapeText } from '../base/escape.js';
import { lineAndColumn } from '../base/position.js';
import type { Span } from './ast.js';
import type { Diagnostic } from './rule.js';

/** Where a query stands: alone, or inside a rule file whose text the diagnostics should show. */
export interface Source {
  readonly file?: string;
  /** The text that is shown: the query's own, or the whole rule file's. */
  readonly text: string;
  /** From an offset in the query to one in `text`. */
  offsetOf(queryOffset: number): number;
}

export function querySource(text: string, file?: string): Source {
  return { text, offsetOf: (offset) => offset, ...(file === undefined ? {} : { file }) };
}

/** What is wrong, before it is known where the text stands. */
export interface Problem {
  readonly severity?: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly span: Span;
  readonly expected?: readonly string[];
  readonly hint?: string | undefined;
}

/** `and`, `or` or the end: symbols and keywords as they are written, the rest (`a field`, `the end`) as words. */
export function oneOf(expected: readonly string[]): string {
  const shown = expected.map((one) => (/^(?:an?|the) /.test(one) ? one : `\`${one}\``));
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} or ${last}`;
}

/** Ends a parse at its first problem. Thrown and caught inside the rules stage only. */
export class SyntaxFailure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

// Characters of the source line that are shown on either side of the place.
const context = 60;

/** The line around `offset`, escaped and cut, and a caret under the place. */
function excerptAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const next = text.indexOf('\n', offset);
  const end = next === -1 ? text.length : next;
  const from = Math.max(start, offset - context);
  const to = Math.min(end, offset + context);
  const before = (from > start ? '…' : '') + shown(text.slice(from, offset));
  const after = shown(text.slice(offset, to).replace(/\r$/, '')) + (to < end ? '…' : '');
  return `${before}${after}\n${' '.repeat([...before].length)}^`;
}

const shown = (text: string): string => escapeText(text.replaceAll('\t', ' '));

export function diagnosticOf(source: Source, problem: Problem): Diagnostic {
  const offset = Math.min(source.offsetOf(problem.span.start), source.text.length);
  const { expected, hint } = problem;
  return {
    severity: problem.severity ?? 'error',
    code: problem.code,
    message: escapeText(problem.message),
    ...(source.file === undefined ? {} : { file: source.file }),
    ...lineAndColumn(source.text, offset),
    excerpt: excerptAt(source.text, offset),
    ...(expected === undefined ? {} : { expected }),
    ...(hint === undefined ? {} : { hint: escapeText(hint) }),
  };
}

/** The text of a diagnostic for a terminal: place and message, the source line with its caret, the hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, code, excerpt, hint } = diagnostic;
  const where = `${file === undefined ? '' : `${escapeText(file)}:`}${line}:${column}`;
  const lines = [`${where}: ${severity}: ${message} [${code}]`];
  // Of an empty line, or of a file that could not be read, there is nothing to show.
  if (!excerpt.startsWith('\n')) for (const text of excerpt.split('\n')) lines.push(`  | ${text}`);
  if (hint !== undefined) lines.push(`  ${hint}`);
  return lines.join('\n');
}
