import {
  environmentKey,
  type Oddities,
  type PlistReading,
  type PlistValue,
  plistLimits,
  setKey,
  setVariable,
} from './value.js';

/** Blanks and comments between the parts, as CFOldStylePList.c passes over them. */
const blank = /(?:[\s\0\u2028\u2029]+|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?(?:\*\/|$))*/y;
const bare = /[^\s\0"'{}()[\]<>=;:,]+|:[^\s"'{}()[\]<>=;,]*/y;
const closing: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/**
 * Reads the older text form, `{ Label = "x"; Arguments = (a, b); }`, and JSON, mixed as they come. What is wrong is noted
 * and passed over.
 */
export function readTextPlist(text: string, oddities: Oddities): PlistReading {
  return new TextReader(text, oddities).read();
}

class TextReader {
  readonly #text: string;
  readonly #oddities: Oddities;
  readonly #repeated = new Map<string, PlistValue[]>();
  /** The key of the outermost dictionary whose value is being read. */
  #under: string | undefined;
  #at = 0;
  #nodes = 0;

  constructor(text: string, oddities: Oddities) {
    this.#text = text;
    this.#oddities = oddities;
  }

  read(): PlistReading {
    this.#blanks();
    const first = this.#text[this.#at];
    let value: PlistValue | undefined;
    if (first === '{') {
      this.#at++;
      value = this.#dictionary(0, '}');
    } else if (first === '(' || first === '[') value = this.#value(0);
    // A strings file: the content of a dictionary without its braces.
    else value = this.#dictionary(0, '');
    this.#blanks();
    if (this.#at < this.#text.length)
      this.#oddities.note('plist-trailing-bytes', 'something follows the list');
    if (value instanceof Map && value.size === 0 && first !== '{') value = undefined;
    return { value, repeated: this.#repeated };
  }

  #dictionary(depth: number, end: string): Map<string, PlistValue> {
    const result = new Map<string, PlistValue>();
    for (;;) {
      this.#blanks();
      const character = this.#text[this.#at];
      if (character === undefined) {
        if (end !== '') this.#oddities.note('plist-cut', 'the text ends before the list does');
        return result;
      }
      if (character === end) {
        this.#at++;
        return result;
      }
      const key = this.#scalar();
      if (key === undefined) {
        if (character !== ',' && character !== ';') this.#wrong('a key was expected');
        if (end === '') return result;
        this.#at++;
        continue;
      }
      this.#blanks();
      const separator = this.#text[this.#at];
      let value: PlistValue | undefined = key;
      if (separator === '=' || separator === ':') {
        this.#at++;
        if (depth === 0) this.#under = key;
        value = this.#value(depth + 1, separator === ':');
      } else if (separator !== ';') this.#wrong('a key without a value');
      if (value !== undefined && depth === 1 && this.#under === environmentKey && this.#takes())
        setVariable(result, [key, value], { oddities: this.#oddities, repeated: this.#repeated });
      else if (value !== undefined && this.#takes())
        setKey(result, [key, value], {
          oddities: this.#oddities,
          ...(depth === 0 ? { repeated: this.#repeated } : {}),
        });
      this.#blanks();
      const next = this.#text[this.#at];
      if (next === ';' || next === ',') this.#at++;
      else if (next !== end && next !== undefined) this.#wrong('; was expected');
    }
  }

  #list(depth: number, end: string): PlistValue[] {
    const result: PlistValue[] = [];
    for (;;) {
      this.#blanks();
      const character = this.#text[this.#at];
      if (character === undefined) {
        this.#oddities.note('plist-cut', 'the text ends before the list does');
        return result;
      }
      if (character === end || character === '}') {
        if (character === end) this.#at++;
        else this.#wrong('a list that is not closed');
        return result;
      }
      const value = character === ',' || character === ';' ? undefined : this.#value(depth + 1, end === ']');
      if (value === undefined) this.#at++;
      else if (this.#takes()) result.push(value);
    }
  }

  /** `json`: words without quotes are JSON's. Undefined, with nothing passed over, where no value begins. */
  #value(depth: number, json = false): PlistValue | undefined {
    this.#blanks();
    const character = this.#text[this.#at] ?? '';
    if (character === '{' || character === '(' || character === '[') {
      if (depth >= plistLimits.maxDepth) {
        this.#oddities.note('plist-too-complex', 'nested too deeply');
        this.#skipNested();
        return null;
      }
      this.#at++;
      const end = closing[character] as string;
      return character === '{' ? this.#dictionary(depth, end) : this.#list(depth, end);
    }
    if (character === '<') return this.#data();
    const quoted = character === '"' || character === "'";
    const text = this.#scalar();
    if (text === undefined) {
      this.#wrong('a value was expected');
      return undefined;
    }
    return quoted || !json ? text : jsonWord(text);
  }

  /** Passes over a container of any depth. */
  #skipNested(): void {
    const mark = /["'{}()[\]]/g;
    let open = 0;
    do {
      mark.lastIndex = this.#at;
      const found = mark.exec(this.#text);
      this.#at = found === null ? this.#text.length : found.index;
      if (found === null) return;
      if (found[0] === '"' || found[0] === "'") this.#scalar();
      else {
        open += '{(['.includes(found[0]) ? 1 : -1;
        this.#at++;
      }
    } while (open > 0);
  }

  #scalar(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") return this.#quoted(quote);
    bare.lastIndex = this.#at;
    const word = bare.exec(this.#text)?.[0];
    if (word !== undefined) this.#at += word.length;
    return word;
  }

  #quoted(quote: string): string {
    const parts: string[] = [];
    const mark = quote === '"' ? /["\\]/g : /['\\]/g;
    let from = this.#at + 1;
    for (;;) {
      mark.lastIndex = from;
      const found = mark.exec(this.#text);
      if (found === null) {
        this.#oddities.note('plist-cut', 'a text that is not closed');
        parts.push(this.#text.slice(from));
        this.#at = this.#text.length;
        return parts.join('');
      }
      parts.push(this.#text.slice(from, found.index));
      if (found[0] === quote) {
        this.#at = found.index + 1;
        return parts.join('');
      }
      const [whole, unit] = escapeAt(this.#text, found.index);
      parts.push(unit);
      from = found.index + whole;
    }
  }

  /** `<0fbd77 1c2735ae>` */
  #data(): Uint8Array {
    const end = this.#text.indexOf('>', this.#at);
    const hex = this.#text.slice(this.#at + 1, end === -1 ? this.#text.length : end);
    if (end === -1 || /[^0-9a-fA-F\s]/.test(hex))
      this.#oddities.note('plist-odd-value', 'data that is no hex');
    this.#at = end === -1 ? this.#text.length : end + 1;
    return Uint8Array.from(Buffer.from(hex.replace(/[^0-9a-fA-F]+/g, ''), 'hex'));
  }

  #takes(): boolean {
    if (this.#nodes++ < plistLimits.maxNodes) return true;
    this.#oddities.note('plist-too-complex', 'too many values');
    return false;
  }

  #blanks(): void {
    blank.lastIndex = this.#at;
    this.#at += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #wrong(detail: string): void {
    this.#oddities.note('plist-unparsable', `${detail} (near character ${this.#at})`);
  }
}

/** Length and meaning of the escape at a backslash: those of C, `\Uxxxx` of the older form, `\uxxxx` of JSON, octal. */
function escapeAt(text: string, at: number): readonly [number, string] {
  const character = text[at + 1] ?? '';
  const hex = /^[Uu]([0-9a-fA-F]{1,4})/.exec(text.slice(at + 1, at + 6))?.[1];
  if (hex !== undefined) return [2 + hex.length, String.fromCharCode(Number.parseInt(hex, 16))];
  const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (octal !== undefined) return [1 + octal.length, String.fromCharCode(Number.parseInt(octal, 8) & 0xff)];
  const known = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }[character];
  return [2, known ?? character];
}

function jsonWord(word: string): PlistValue {
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  return /^-?\d{1,15}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/.test(word) ? Number(word) : word;
}
