/** Where a key stands: 1-based line and column (UTF-16 units). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Names and array indexes from the top of the document: `['destination', 0, 'path']`. */
export type KeyPath = readonly (string | number)[];

/** Offsets of a value in the text; `end` exclusive. */
export interface ValueRange {
  readonly start: number;
  readonly end: number;
}

const pathText = (path: KeyPath): string => JSON.stringify(path);

/**
 * Where each key of a TOML document stands, which the TOML library does not tell. The text must have parsed: what is
 * not well-formed is skipped, never judged. No recursion deeper than the parser's own limit.
 */
export class KeyPositions {
  readonly #text: string;
  readonly #found = new Map<string, number>();
  readonly #values = new Map<string, ValueRange>();
  /** How many tables an array of tables has so far, by the array's path. */
  readonly #tables = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    let table: KeyPath = [];
    for (;;) {
      this.#skipBlank(true);
      if (this.#at >= text.length) return;
      if (text[this.#at] === '[') table = this.#header();
      else if (!this.#pair(table)) return;
    }
  }

  /** Of the key itself, or of the nearest enclosing one that was written. */
  of(path: KeyPath): Position {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#found.get(pathText(path.slice(0, length)));
      if (offset !== undefined) return this.#position(offset);
    }
    return { line: 1, column: 1 };
  }

  /** Offset of a key or of a table's header; undefined when it was not written. */
  offsetOf(path: KeyPath): number | undefined {
    return this.#found.get(pathText(path));
  }

  /** Where the value of a key stands; undefined when it was not written as `key = value`. */
  valueOf(path: KeyPath): ValueRange | undefined {
    return this.#values.get(pathText(path));
  }

  #position(offset: number): Position {
    const before = this.#text.slice(0, offset);
    return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
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
    for (;;) {
      this.#skipBlank(false);
      const quote = this.#text[this.#at];
      const start = this.#at;
      if (quote === '"' || quote === "'") {
        this.#string();
        names.push(unquoted(this.#text.slice(start, this.#at)));
      } else {
        while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? '')) this.#at++;
        if (this.#at === start) return names;
        names.push(this.#text.slice(start, this.#at));
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
          this.#note([...path, index], this.#at);
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
      else if (lines && next === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end === -1 ? this.#text.length : end;
      } else return;
    }
  }
}

function unquoted(text: string): string {
  if (text[0] !== '"') return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
