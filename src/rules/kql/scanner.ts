import type { Span } from '../ast.js';
import { oneOf, SyntaxFailure } from '../diagnostic.js';

/** A literal as written: its characters, with null for each `*` that is a wildcard. */
export interface KqlLiteral {
  readonly quoted: boolean;
  readonly parts: readonly (string | null)[];
  readonly span: Span;
}

// What Kibana's grammar calls Space, and the ideographic space of Elasticsearch's.
const space = /[ \t\r\n\u00a0\u3000]/;
const special = /[\\():<>"*{}]/;
const whitespaceEscapes: Record<string, string> = { t: '\t', r: '\r', n: '\n' };

/** Reads a KQL query character by character: where a word ends depends on what stands around it. */
export class KqlScanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  skipSpace(): void {
    while (space.test(this.text[this.at] ?? '')) this.at++;
  }

  atEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Takes `symbol` when it stands here. */
  symbol(symbol: string): boolean {
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  /** Whether `keyword`, in any case, stands at `at` with white space or a parenthesis behind it. */
  isKeyword(keyword: string, at = this.at): boolean {
    const end = at + keyword.length;
    return (
      this.text.slice(at, end).toLowerCase() === keyword &&
      /[ \t\r\n\u00a0\u3000(]/.test(this.text[end] ?? '')
    );
  }

  /** Takes white space, then `and` or `or`. Neither is a keyword where a value can begin: `AND foo` is a value. */
  conjunction(keyword: 'and' | 'or'): boolean {
    const before = this.at;
    this.skipSpace();
    if (this.isKeyword(keyword)) {
      this.at += keyword.length;
      this.skipSpace();
      return true;
    }
    this.at = before;
    return false;
  }

  negation(): boolean {
    if (!this.isKeyword('not')) return false;
    this.at += 3;
    this.skipSpace();
    return true;
  }

  /** A quoted or unquoted literal, or undefined when neither stands here. */
  literal(): KqlLiteral | undefined {
    if (this.text[this.at] === '"') return this.#quoted();
    const literal = this.#unquoted();
    return literal.parts.length === 0 ? undefined : literal;
  }

  fail(expected: readonly string[], hint?: string): never {
    const found = this.text.codePointAt(this.at);
    const start = found === undefined ? this.text.trimEnd().length : this.at;
    const what = found === undefined ? 'the end of the query' : `\`${String.fromCodePoint(found)}\``;
    throw new SyntaxFailure({
      code: 'kql/syntax',
      message: `expected ${oneOf(expected)}, found ${what}`,
      span: { start, end: start + (found === undefined ? 0 : 1) },
      expected,
      hint,
    });
  }

  #failEscape(start: number, hint: string): never {
    throw new SyntaxFailure({
      code: 'kql/escape',
      message: 'this backslash escapes nothing',
      span: { start, end: start + 1 },
      hint,
    });
  }

  #quoted(): KqlLiteral {
    const start = this.at++;
    let value = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) {
        throw new SyntaxFailure({
          code: 'kql/string',
          message: 'the quoted value is not closed',
          span: { start, end: start + 1 },
          hint: 'Close it with a ", or write \\" for a quote.',
        });
      }
      if (character === '"') break;
      value += character === '\\' ? this.#quotedEscape() : character;
      this.at++;
    }
    this.at++;
    return { quoted: true, parts: [value], span: { start, end: this.at } };
  }

  /** Of a backslash in quotes; one that escapes nothing is itself. Leaves `at` on the last character taken. */
  #quotedEscape(): string {
    const character = this.text[this.at + 1] ?? '';
    const code = this.#unicode();
    if (code !== undefined) return code;
    const plain = whitespaceEscapes[character] ?? (/[\\"]/.test(character) ? character : undefined);
    if (plain === undefined) return '\\';
    this.at++;
    return plain;
  }

  /** `\u` and four digits at `at`: leaves `at` on the last digit. */
  #unicode(): string | undefined {
    const match = /\\u([0-9a-fA-F]{4})/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text);
    if (found === null) return undefined;
    this.at += 5;
    return String.fromCharCode(Number.parseInt(found[1] as string, 16));
  }

  /** Words up to the next operator are one literal: `process.name: Claude Helper and ...` holds `Claude Helper`. */
  #unquoted(): KqlLiteral {
    const start = this.at;
    const parts: (string | null)[] = [];
    let run = '';
    let end = this.at;
    while (!this.atEnd()) {
      const character = this.text[this.at] as string;
      if (space.test(character)) {
        const before = this.at;
        this.skipSpace();
        const keyword = ['and', 'or', 'not'].some((word) => this.isKeyword(word));
        if (keyword || this.atEnd() || this.#atSpecial()) {
          this.at = before;
          break;
        }
        // White space before a literal is skipped by the parser, so this stands between two words.
        run += this.text.slice(before, this.at);
        continue;
      }
      if (character === '*') {
        if (run !== '') parts.push(run);
        run = '';
        parts.push(null);
      } else if (character === '\\') run += this.#escape();
      else if (special.test(character)) break;
      else run += character;
      this.at++;
      end = this.at;
    }
    if (run !== '') parts.push(run);
    this.at = end;
    return { quoted: false, parts, span: { start, end } };
  }

  #atSpecial(): boolean {
    const character = this.text[this.at] ?? '';
    return special.test(character) && character !== '*' && character !== '\\';
  }

  #escape(): string {
    const start = this.at;
    const code = this.#unicode();
    if (code !== undefined) return code;
    // `\not` as a word of its own is the escaped keyword, although Kibana's grammar reads a line feed and `ot`.
    const rest = this.text.slice(start + 1, start + 5);
    const word = /^(?:not(?![^ \t\r\n\u00a0\u3000():<>{}"*])|and|or)/i.exec(rest)?.[0];
    if (word !== undefined) {
      this.at += word.length;
      return word;
    }
    const character = rest[0] ?? '';
    const plain =
      whitespaceEscapes[character] ?? (special.test(character) || character === ' ' ? character : undefined);
    if (plain === undefined)
      this.#failEscape(start, 'Write \\\\ for a backslash, or put the value in quotes.');
    this.at++;
    return plain;
  }
}
