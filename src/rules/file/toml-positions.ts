/** Where the values of a TOML document stand, by dotted path: `rule.query`, `rule.threat[1].tactic.id`. */
export interface TomlPositions {
  /** Offset of the key, or of the table's header; of the nearest table above when the path is not there. */
  keyOffset(path: string): number;
  /** From an offset in the string at `path` to one in the document; undefined when it is no string that is found. */
  stringOffsets(path: string, value: string): ((offset: number) => number) | undefined;
}

/** `text` is a document that a TOML parser has accepted. One pass, no recursion; a key it cannot follow is left out. */
export function tomlPositions(text: string): TomlPositions {
  const keys = new Map<string, number>();
  const values = new Map<string, number>();
  const scan = new TomlScan(text);
  const arrays = new Map<string, number>();
  let table = '';
  for (scan.skipBlank(); !scan.atEnd(); scan.skipBlank()) {
    const start = scan.at;
    if (scan.take('[')) {
      const isArray = scan.take('[');
      table = withIndexes(scan.key(), arrays, isArray);
      keys.set(table, start);
      // The first of an array of tables stands for the array.
      if (table.endsWith('[0]')) keys.set(table.slice(0, -3), start);
      scan.skipLine();
      continue;
    }
    const path = [table, ...scan.key()].filter((part) => part !== '').join('.');
    scan.skipSpace();
    if (!scan.take('=')) {
      scan.skipLine();
      continue;
    }
    scan.skipSpace();
    keys.set(path, start);
    values.set(path, scan.at);
    scan.skipValue();
  }
  return {
    keyOffset(path) {
      for (let rest = path; rest !== ''; rest = rest.slice(0, Math.max(0, rest.search(/[.[][^.[]*$/)))) {
        const offset = keys.get(rest);
        if (offset !== undefined) return offset;
      }
      return 0;
    },
    stringOffsets(path, value) {
      const at = values.get(path);
      const decoded = at === undefined ? undefined : decodeString(text, at);
      if (decoded === undefined || decoded.value !== value) return undefined;
      const { offsets } = decoded;
      return (offset) => offsets[Math.min(Math.max(offset, 0), offsets.length - 1)] as number;
    },
  };
}

/** A header's path with the index of each array of tables it goes through. */
function withIndexes(parts: readonly string[], arrays: Map<string, number>, isArray: boolean): string {
  let path = '';
  parts.forEach((part, depth) => {
    path = path === '' ? part : `${path}.${part}`;
    if (isArray && depth === parts.length - 1) arrays.set(path, (arrays.get(path) ?? -1) + 1);
    const index = arrays.get(path);
    if (index !== undefined) path += `[${index}]`;
  });
  return path;
}

class TomlScan {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.at >= this.#text.length;
  }

  take(symbol: string): boolean {
    if (!this.#text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    this.at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  skipSpace(): void {
    this.#skip(/[ \t]*/y);
  }

  skipBlank(): void {
    for (this.#skip(/[ \t\r\n]*/y); this.#text[this.at] === '#'; this.#skip(/[ \t\r\n]*/y)) this.skipLine();
  }

  skipLine(): void {
    this.#skip(/[^\n]*/y);
  }

  /** A dotted key: bare, or in quotes. */
  key(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.skipSpace();
      const part = /[A-Za-z0-9_-]+|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/y;
      part.lastIndex = this.at;
      const found = part.exec(this.#text);
      if (found === null) return parts;
      this.at += found[0].length;
      parts.push(found[1] ?? found[2] ?? found[0]);
      this.skipSpace();
      if (!this.take('.')) return parts;
    }
  }

  #skipString(): boolean {
    for (const quotes of ['"""', "'''", '"', "'"]) {
      if (!this.take(quotes)) continue;
      while (!this.atEnd() && !this.#text.startsWith(quotes, this.at)) {
        this.at += quotes[0] === '"' && this.#text[this.at] === '\\' ? 2 : 1;
      }
      this.at += quotes.length;
      // Up to two quotes before the closing three belong to the text.
      if (quotes.length === 3) while (this.#text[this.at] === quotes[0]) this.at++;
      return true;
    }
    return false;
  }

  /** A string, or everything up to the end of the line outside brackets. */
  skipValue(): void {
    let depth = 0;
    while (!this.atEnd()) {
      if (this.#skipString()) continue;
      const character = this.#text[this.at] as string;
      if (character === '#') {
        this.skipLine();
        continue;
      }
      if (character === '\n' && depth === 0) return;
      if (character === '[' || character === '{') depth++;
      if (character === ']' || character === '}') depth--;
      this.at++;
    }
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
