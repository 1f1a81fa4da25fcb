import { lineAndColumn, type Position } from './position.js';

/** Names and array indexes from the top of the document: `['destination', 0, 'path']`. */
export type KeyPath = readonly (string | number)[];

/** A path as one would say it: `destination[0].path`. */
export function dotted(path: KeyPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}

/** Offsets of a value in the text; `end` exclusive. */
export interface ValueRange {
  readonly start: number;
  readonly end: number;
}

/** So many items of lists are remembered; a list that is longer stands for the rest of its items. */
const maxItems = 20_000;
/** So many names of a dotted key count; each of them is remembered, with all those before it. */
const maxNames = 64;

const pathText = (path: KeyPath): string => JSON.stringify(path);

/**
 * Where each key of a TOML document stands, which the TOML library does not tell. The text must have parsed: what is
 * not well-formed is skipped, never judged. No recursion deeper than the parser's own limit. Mostly nobody asks, so the
 * text is gone through at the first question.
 */
export class TomlPositions {
  readonly #text: string;
  readonly #found = new Map<string, number>();
  readonly #values = new Map<string, ValueRange>();
  /** How many tables an array of tables has so far, by the array's path. */
  readonly #tables = new Map<string, number>();
  #at = 0;
  #items = 0;
  #isRead = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Line and column of the key itself, or of the nearest enclosing one that was written. */
  of(path: KeyPath): Position {
    return lineAndColumn(this.#text, this.nearest(path));
  }

  /** Offset of the key itself, or of the nearest enclosing one that was written; 0 when there is none. */
  nearest(path: KeyPath): number {
    for (let length = path.length; length > 0; length--) {
      const offset = this.offsetOf(path.slice(0, length));
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  /** Offset of a key or of a table's header; undefined when it was not written. */
  offsetOf(path: KeyPath): number | undefined {
    this.#read();
    return this.#found.get(pathText(path));
  }

  /** Where the value of a key stands; undefined when it was not written as `key = value`. */
  valueOf(path: KeyPath): ValueRange | undefined {
    this.#read();
    return this.#values.get(pathText(path));
  }

  /** From an offset in the string at `path` to one in the document; undefined when another string stands there. */
  stringOffsets(path: KeyPath, value: string): ((offset: number) => number) | undefined {
    const start = this.valueOf(path)?.start;
    const decoded = start === undefined ? undefined : decodeString(this.#text, start);
    if (decoded === undefined || decoded.value !== value) return undefined;
    const { offsets } = decoded;
    return (offset) => offsets[Math.min(Math.max(offset, 0), offsets.length - 1)] as number;
  }

  /** The same, found when it is first asked; the key itself when another string stands there. */
  offsetsLater(path: KeyPath, value: string): (offset: number) => number {
    let found: ((offset: number) => number) | undefined;
    return (offset) => {
      found ??= this.stringOffsets(path, value) ?? (() => this.nearest(path));
      return found(offset);
    };
  }

  #read(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    let table: KeyPath = [];
    for (;;) {
      this.#skipBlank(true);
      if (this.#at >= this.#text.length) return;
      if (this.#text[this.#at] === '[') table = this.#header();
      else if (!this.#pair(table)) this.#skipLine();
    }
  }

  #note(path: KeyPath, offset: number): void {
    const key = pathText(path);
    if (!this.#found.has(key)) this.#found.set(key, offset);
  }

  #header(): KeyPath {
    const start = this.#at;
    const array = this.#text.startsWith('[[', start);
    this.#at += array ? 2 : 1;
    const names = this.#keys();
    this.#at += array ? 2 : 1;
    let path: KeyPath = [];
    for (const [index, name] of names.entries()) {
      path = [...path, name];
      const known = this.#tables.get(pathText(path));
      if (array && index === names.length - 1) {
        this.#tables.set(pathText(path), (known ?? 0) + 1);
        // The first of an array of tables stands for the array.
        this.#note(path, start);
        path = [...path, known ?? 0];
      } else if (known !== undefined) path = [...path, known - 1];
    }
    this.#note(path, start);
    return path;
  }

  /** `a.b = value`; false when there is none. */
  #pair(table: KeyPath): boolean {
    const start = this.#at;
    const path = [...table, ...this.#keys()];
    if (path.length === table.length || this.#text[this.#at] !== '=') return false;
    for (let length = table.length + 1; length <= path.length; length++)
      this.#note(path.slice(0, length), start);
    this.#at++;
    this.#skipBlank(false);
    const from = this.#at;
    this.#value(path);
    this.#values.set(pathText(path), { start: from, end: this.#at });
    return true;
  }

  /** A dotted key, without the blanks around its dots. */
  #keys(): string[] {
    const names: string[] = [];
    const add = (name: string) => {
      if (names.length < maxNames) names.push(name);
    };
    for (;;) {
      this.#skipBlank(false);
      const quote = this.#text[this.#at];
      const start = this.#at;
      if (quote === '"' || quote === "'") {
        this.#string();
        add(decodeString(this.#text, start)?.value ?? this.#text.slice(start + 1, this.#at - 1));
      } else {
        while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? '')) this.#at++;
        if (this.#at === start) return names;
        add(this.#text.slice(start, this.#at));
      }
      this.#skipBlank(false);
      if (this.#text[this.#at] !== '.') return names;
      this.#at++;
    }
  }

  #value(path: KeyPath): void {
    this.#skipBlank(false);
    const first = this.#text[this.#at];
    if (first === '[' || first === '{') {
      this.#at++;
      for (let index = 0; ; index++) {
        this.#skipBlank(true);
        const next = this.#text[this.#at];
        if (next === undefined) return;
        if (next === ']' || next === '}') {
          this.#at++;
          return;
        }
        if (next === ',') {
          this.#at++;
          index--;
        } else if (first === '[') {
          if (this.#items++ < maxItems) this.#note([...path, index], this.#at);
          this.#value([...path, index]);
        } else if (!this.#pair(path)) return;
      }
    }
    if (first === '"' || first === "'") this.#string();
    else while (!/[,\]}#\n]|^$/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #string(): void {
    const quote = this.#text[this.#at] as string;
    const long = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#at += long.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(long, this.#at))
      this.#at += quote === '"' && this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += long.length;
    // A long string may end in one or two quotes of its own.
    while (long.length === 3 && this.#text[this.#at] === quote) this.#at++;
  }

  #skipBlank(lines: boolean): void {
    for (;;) {
      const next = this.#text[this.#at];
      if (next === ' ' || next === '\t' || (lines && (next === '\n' || next === '\r'))) this.#at++;
      else if (lines && next === '#') this.#skipLine();
      else return;
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }
}

const escapes: Record<string, string> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
};

/** The string at `at` and, for each of its UTF-16 units and its end, where that stands in `text`. */
function decodeString(text: string, at: number): { value: string; offsets: number[] } | undefined {
  const quotes = ['"""', "'''", '"', "'"].find((one) => text.startsWith(one, at));
  if (quotes === undefined) return undefined;
  const literal = quotes[0] === "'";
  const offsets: number[] = [];
  let value = '';
  let next = at + quotes.length;
  if (quotes.length === 3) next += /^\r?\n/.exec(text.slice(next, next + 2))?.[0].length ?? 0;
  const closes = () => text.startsWith(quotes, next) && (quotes.length === 1 || text[next + 3] !== quotes[0]);
  const add = (characters: string, length: number): void => {
    for (let unit = 0; unit < characters.length; unit++) offsets.push(next);
    value += characters;
    next += length;
  };
  while (!closes()) {
    const character = text[next];
    if (character === undefined) return undefined;
    if (literal || character !== '\\') {
      add(character, 1);
      continue;
    }
    const continued = /\\[ \t]*\r?\n[ \t\r\n]*/y;
    continued.lastIndex = next;
    const trimmed = continued.exec(text);
    const code = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;
    code.lastIndex = next;
    const found = code.exec(text);
    const simple = escapes[text[next + 1] ?? ''];
    if (trimmed !== null) next += trimmed[0].length;
    else if (found !== null) {
      const point = Number.parseInt(found[1] ?? found[2] ?? found[3] ?? '0', 16);
      if (point > 0x10ffff) return undefined;
      add(String.fromCodePoint(point), found[0].length);
    } else if (simple !== undefined) add(simple, 2);
    else return undefined;
  }
  offsets.push(next);
  return { value, offsets };
}
