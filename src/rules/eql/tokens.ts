import type { Span } from '../ast.js';
import { oneOf, SyntaxFailure } from '../diagnostic.js';
import { type Token, tokenize } from './lexer.js';

/** Words that a field's first part may only be in backticks (EqlBase.g4 of Elasticsearch). */
export const keywords: ReadonlySet<string> = new Set([
  'and',
  'any',
  'by',
  'false',
  'in',
  'join',
  'like',
  'maxspan',
  'not',
  'null',
  'of',
  'or',
  'regex',
  'sample',
  'sequence',
  'true',
  'until',
  'where',
  'with',
]);

/** Reads tokens one by one and says what it expected when another one stands there. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** The token `count` places after the next one. */
  peek(count: number): Token {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)] as Token;
  }

  /** Where the last token that was taken ends. */
  get lastEnd(): number {
    return this.#tokens[this.#at - 1]?.span.end ?? 0;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  isSymbol(text: string, token = this.next): boolean {
    return token.kind === 'symbol' && token.text === text;
  }

  isWord(text: string, token = this.next): boolean {
    return token.kind === 'name' && token.text === text;
  }

  /** Takes the next token when it is this symbol. */
  symbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.#at++;
    return true;
  }

  /** Takes the next token when it is this keyword. */
  word(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.#at++;
    return true;
  }

  expectSymbol(...texts: string[]): void {
    if (!texts.some((text) => this.symbol(text))) this.fail(texts);
  }

  expectWord(text: string): void {
    if (!this.word(text)) this.fail([text]);
  }

  /** The span from `start` to the end of the last token taken. */
  since(start: number): Span {
    return Object.freeze({ start, end: Math.max(this.lastEnd, start) });
  }

  fail(expected: readonly string[], hint?: string): never {
    const token = this.next;
    throw new SyntaxFailure({
      code: 'eql/syntax',
      message: `expected ${oneOf(expected)}, found ${described(token)}`,
      span: token.span,
      expected,
      hint: hint ?? this.#slip(token),
    });
  }

  /** What people write who come from another dialect. */
  #slip(token: Token): string | undefined {
    if (this.isSymbol('=', token)) return '`=` is no comparison in EQL: use == or : instead.';
    if (this.isSymbol('!:', token)) return '`!:` is not part of EQL: write `not field : "value"`.';
    if (token.kind === 'name' && keywords.has(token.text.toLowerCase()) && !keywords.has(token.text))
      return `Keywords are written in lower case: ${token.text.toLowerCase()}.`;
    return undefined;
  }
}

export function described(token: Token): string {
  if (token.kind === 'end') return 'the end of the query';
  const text = token.text.length > 40 ? `${token.text.slice(0, 40)}…` : token.text;
  if (token.kind === 'string') return `the string "${text}"`;
  if (token.kind === 'quoted') return `\`${text}\``;
  return token.kind === 'name~' ? `\`${text}~\`` : `\`${text}\``;
}
