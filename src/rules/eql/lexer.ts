import type { Span } from '../ast.js';
import { SyntaxFailure } from '../diagnostic.js';

/**
 * `name`: an identifier or keyword. `name~`: one with a tilde right behind it (`like~`, `startsWith~`); `text` is
 * without the tilde. `quoted`: a field part in backticks, unescaped. `string`: unescaped.
 */
export interface Token {
  readonly kind: 'name' | 'name~' | 'quoted' | 'string' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly span: Span;
}

const symbols = ['==', '!=', '<=', '>=', '!:', ...'=<>:!?+-*/%.,()[]|'];
const nameStart = /[A-Za-z_@]/;
const namePart = /[A-Za-z0-9_]/;
const digit = /[0-9]/;
const simpleEscapes: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '\\': '\\',
  '"': '"',
  // Reserved by the documentation, taken by Elasticsearch's grammar, and used in Elastic's rules.
  "'": "'",
};

/** Splits an EQL query into tokens, the last of which is `end`. Comments (nested ones too) and white space go. */
export function tokenize(text: string): Token[] {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Token[] {
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) break;
      this.#tokens.push(this.#next());
    }
    const end = this.#tokens.at(-1)?.span.end ?? 0;
    this.#tokens.push({ kind: 'end', text: '', span: { start: end, end } });
    return this.#tokens;
  }

  #fail(code: string, message: string, start: number, hint?: string): never {
    throw new SyntaxFailure({
      code: `eql/${code}`,
      message,
      span: { start, end: Math.min(start + 1, this.#text.length) },
      hint,
    });
  }

  #skipBlank(): void {
    const text = this.#text;
    for (;;) {
      const character = text[this.#at];
      if (character === ' ' || character === '\n' || character === '\r' || character === '\t') this.#at++;
      else if (text.startsWith('//', this.#at)) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end === -1 ? text.length : end + 1;
      } else if (text.startsWith('/*', this.#at)) this.#skipComment();
      else return;
    }
  }

  #skipComment(): void {
    const start = this.#at;
    let depth = 0;
    do {
      if (this.#at >= this.#text.length)
        this.#fail('comment', 'the comment is not closed', start, 'Close it with */.');
      if (this.#text.startsWith('/*', this.#at)) {
        depth++;
        this.#at += 2;
      } else if (this.#text.startsWith('*/', this.#at)) {
        depth--;
        this.#at += 2;
      } else this.#at++;
    } while (depth > 0);
  }

  #token(kind: Token['kind'], start: number, text: string): Token {
    return { kind, text, span: { start, end: this.#at } };
  }

  #next(): Token {
    const text = this.#text;
    const start = this.#at;
    const character = text[start] as string;
    if (nameStart.test(character)) return this.#name(start);
    if (digit.test(character) || (character === '.' && digit.test(text[start + 1] ?? '')))
      return this.#number(start);
    if (text.startsWith('"""', start)) return this.#rawString(start);
    if (character === '"') return this.#string(start);
    if (character === '`') return this.#quotedName(start);
    if (character === "'") {
      this.#fail('string', 'strings in single quotes are not part of EQL', start, 'Use double quotes.');
    }
    const symbol = symbols.find((one) => text.startsWith(one, start));
    if (symbol !== undefined) {
      this.#at += symbol.length;
      return this.#token('symbol', start, symbol);
    }
    if (character === '$') {
      this.#fail('unsupported', 'variables like $entry, and _arraysearch, are not supported', start);
    }
    const code = text.codePointAt(start) as number;
    return this.#fail(
      'character',
      `the character ${String.fromCodePoint(code)} (U+${code.toString(16).toUpperCase().padStart(4, '0')}) has no meaning here`,
      start,
    );
  }

  #name(start: number): Token {
    const text = this.#text;
    this.#at++;
    while (this.#at < text.length && namePart.test(text[this.#at] as string)) this.#at++;
    const name = text.slice(start, this.#at);
    if (text[this.#at] !== '~') return this.#token('name', start, name);
    this.#at++;
    return this.#token('name~', start, name);
  }

  #number(start: number): Token {
    const match = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
    match.lastIndex = start;
    this.#at += (match.exec(this.#text) as RegExpExecArray)[0].length;
    return this.#token('number', start, this.#text.slice(start, this.#at));
  }

  #quotedName(start: number): Token {
    const text = this.#text;
    let name = '';
    for (this.#at++; ; this.#at++) {
      const character = text[this.#at];
      if (character === undefined)
        this.#fail('field', 'the field name is not closed', start, 'Close it with a `.');
      if (character === '`') {
        if (text[this.#at + 1] !== '`') break;
        this.#at++;
      }
      name += character;
    }
    this.#at++;
    if (name === '') this.#fail('field', 'a field name in backticks cannot be empty', start);
    return this.#token('quoted', start, name);
  }

  /** Three quotes, no escapes, one line; up to two quotes before the closing three belong to the text. */
  #rawString(start: number): Token {
    const text = this.#text;
    let end = text.indexOf('"""', start + 3);
    const line = text.slice(start, end === -1 ? text.length : end);
    if (end === -1 || /[\r\n]/.test(line)) {
      this.#fail('string', 'the raw string is not closed on its line', start, 'Close it with """.');
    }
    for (let extra = 0; extra < 2 && text[end + 3] === '"'; extra++) end++;
    this.#at = end + 3;
    return this.#token('string', start, text.slice(start + 3, end));
  }

  #string(start: number): Token {
    const text = this.#text;
    let value = '';
    this.#at++;
    for (;;) {
      const character = text[this.#at];
      if (character === undefined || character === '\n' || character === '\r') {
        this.#fail(
          'string',
          'the string is not closed on its line',
          start,
          'Close it with a ", or write \\n.',
        );
      }
      this.#at++;
      if (character === '"') return this.#token('string', start, value);
      value += character === '\\' ? this.#escape(this.#at - 1) : character;
    }
  }

  #escape(start: number): string {
    const character = this.#text[this.#at++] ?? '';
    const simple = simpleEscapes[character];
    if (simple !== undefined) return simple;
    const hint = 'Escapes are \\\\ \\" \\n \\r \\t and \\u{200f}; a raw string """...""" has none.';
    if (character !== 'u') this.#fail('escape', `\\${character} is no escape of an EQL string`, start, hint);
    const match = /\{([0-9A-Fa-f]{2,8})\}/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) this.#fail('escape', '\\u needs 2 to 8 hexadecimal digits in braces', start, hint);
    const code = Number.parseInt(found[1] as string, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      this.#fail('escape', `\\u{${found[1]}} is no character`, start, hint);
    }
    this.#at += found[0].length;
    return String.fromCodePoint(code);
  }
}
