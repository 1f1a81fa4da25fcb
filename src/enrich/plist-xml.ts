import { exactInteger, PlistError, type PlistValue, plistLimits } from './plist-value.js';

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const containers = new Set(['plist', 'dict', 'array']);
const scalars = new Set(['key', 'string', 'integer', 'real', 'date', 'data', 'true', 'false']);

/**
 * Reads the XML form. No entity is expanded but the five of XML and character references; a document type with
 * declarations of its own is refused. Comments, processing instructions and text between values are passed over, as
 * launchd's reader does or may do: what it accepts must not be hidden from us. Throws PlistError.
 */
export function readXmlPlist(bytes: Uint8Array): PlistValue {
  return new XmlReader(decode(bytes)).read();
}

/** The text in UTF-16, by its byte order mark, its first bytes or what it declares. */
function decode(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first, second] = buffer;
  if (first === 0xff && second === 0xfe) return buffer.subarray(2).toString('utf16le');
  if (first === 0xfe && second === 0xff) return bigEndian(buffer.subarray(2));
  if (first === 0x3c && second === 0) return buffer.toString('utf16le');
  if (first === 0 && second === 0x3c) return bigEndian(buffer);
  const text = buffer.toString('utf8').replace(/^\ufeff/, '');
  const declared = /^<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(text)?.[1]?.toLowerCase();
  return declared === 'iso-8859-1' || declared === 'latin1' ? buffer.toString('latin1') : text;
}

function bigEndian(buffer: Buffer): string {
  const even = Buffer.from(buffer.subarray(0, buffer.length & ~1));
  return even.swap16().toString('utf16le');
}

interface Tag {
  readonly name: string;
  readonly kind: 'open' | 'close' | 'empty';
}

class XmlReader {
  readonly #text: string;
  #at = 0;
  #nodes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): PlistValue {
    const tag = this.#nextTag();
    if (tag === undefined) this.#fail('no element');
    if (tag.name === 'plist' && tag.kind === 'open') {
      const inner = this.#nextTag();
      if (inner === undefined || inner.kind === 'close') this.#fail('an empty plist element');
      return this.#value(inner, 0);
    }
    return this.#value(tag, 0);
  }

  #value(tag: Tag, depth: number): PlistValue {
    if (++this.#nodes > plistLimits.maxNodes) throw new PlistError('plist-too-complex', 'too many values');
    if (depth >= plistLimits.maxDepth) throw new PlistError('plist-too-complex', 'nested too deeply');
    const { name, kind } = tag;
    if (kind === 'close') this.#fail(`</${name}> closes nothing`);
    if (name === 'dict') return this.#dictionary(kind, depth);
    if (name === 'array') return this.#array(kind, depth);
    const text = kind === 'empty' ? '' : this.#content(name);
    switch (name) {
      case 'string':
        return text;
      case 'true':
        return true;
      case 'false':
        return false;
      case 'integer':
        return this.#integer(text.trim());
      case 'real':
        return this.#real(text.trim().toLowerCase());
      case 'date':
        return this.#date(text.trim());
      case 'data':
        return this.#data(text);
    }
    return this.#fail(`<${name}> is no value`);
  }

  #dictionary(kind: Tag['kind'], depth: number): Map<string, PlistValue> {
    const result = new Map<string, PlistValue>();
    if (kind === 'empty') return result;
    for (;;) {
      const tag = this.#nextTag();
      if (tag === undefined) this.#fail('<dict> is not closed');
      if (tag.kind === 'close') {
        if (tag.name === 'dict') return result;
        this.#fail(`</${tag.name}> in a dict`);
      }
      if (tag.name !== 'key') this.#fail(`<${tag.name}> where a key must stand`);
      if (++this.#nodes > plistLimits.maxNodes) throw new PlistError('plist-too-complex', 'too many values');
      const key = tag.kind === 'empty' ? '' : this.#content('key');
      const value = this.#nextTag();
      if (value === undefined || value.kind === 'close') this.#fail('a key without a value');
      result.set(key, this.#value(value, depth + 1));
    }
  }

  #array(kind: Tag['kind'], depth: number): PlistValue[] {
    const result: PlistValue[] = [];
    if (kind === 'empty') return result;
    for (;;) {
      const tag = this.#nextTag();
      if (tag === undefined) this.#fail('<array> is not closed');
      if (tag.kind === 'close') {
        if (tag.name === 'array') return result;
        this.#fail(`</${tag.name}> in an array`);
      }
      result.push(this.#value(tag, depth + 1));
    }
  }

  /** The next tag; comments, instructions, the document type and text before it are passed over. */
  #nextTag(): Tag | undefined {
    for (;;) {
      const start = this.#text.indexOf('<', this.#at);
      if (start === -1) return undefined;
      this.#at = start;
      if (this.#skips('<!--', '-->') || this.#skips('<?', '?>') || this.#skips('<![CDATA[', ']]>')) continue;
      if (this.#text.startsWith('<!', start)) this.#documentType();
      else return this.#tag();
    }
  }

  #skips(opening: string, closing: string): boolean {
    if (!this.#text.startsWith(opening, this.#at)) return false;
    const end = this.#text.indexOf(closing, this.#at + opening.length);
    if (end === -1) this.#fail(`${opening} is not closed`);
    this.#at = end + closing.length;
    return true;
  }

  #documentType(): void {
    const end = this.#text.indexOf('>', this.#at);
    if (end === -1) this.#fail('<! is not closed');
    const body = this.#text.slice(this.#at, end);
    if (body.includes('[') || !/^<!DOCTYPE\b/.test(body))
      throw new PlistError('plist-doctype', 'declarations of its own');
    this.#at = end + 1;
  }

  #tag(): Tag {
    const text = this.#text;
    let at = this.#at + 1;
    const closes = text[at] === '/';
    if (closes) at++;
    const start = at;
    while (at < text.length && at - start <= 10 && /[A-Za-z]/.test(text[at] as string)) at++;
    const name = text.slice(start, at);
    if (!containers.has(name) && !scalars.has(name)) this.#fail(`unknown element <${name}>`);
    // Attributes mean nothing in a property list; a `>` in a quoted one does not end the tag.
    let quote = '';
    for (; at < text.length; at++) {
      const character = text[at] as string;
      if (quote !== '') quote = character === quote ? '' : quote;
      else if (character === '"' || character === "'") quote = character;
      else if (character === '>') break;
      else if (character === '<') this.#fail(`<${name} is not closed`);
    }
    if (at >= text.length) this.#fail(`<${name} is not closed`);
    this.#at = at + 1;
    return { name, kind: closes ? 'close' : text[at - 1] === '/' ? 'empty' : 'open' };
  }

  /** The text up to the closing tag of a scalar. */
  #content(name: string): string {
    let text = '';
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      if (next === -1) this.#fail(`<${name}> is not closed`);
      text += this.#resolved(this.#text.slice(this.#at, next));
      this.#at = next;
      if (this.#text.startsWith('<![CDATA[', next)) {
        const end = this.#text.indexOf(']]>', next);
        if (end === -1) this.#fail('CDATA is not closed');
        text += this.#text.slice(next + 9, end);
        this.#at = end + 3;
      } else if (!this.#skips('<!--', '-->') && !this.#skips('<?', '?>')) {
        const tag = this.#tag();
        if (tag.kind !== 'close' || tag.name !== name) this.#fail(`<${tag.name}> inside <${name}>`);
        return text;
      }
    }
  }

  #resolved(text: string): string {
    if (!text.includes('&')) return normalizedLines(text);
    return normalizedLines(text).replace(/&(#?[A-Za-z0-9]{0,20})(;?)/g, (_, name: string, end: string) => {
      const known = end === ';' && Object.hasOwn(entities, name) ? entities[name] : undefined;
      if (known !== undefined) return known;
      const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
      const code =
        digits === null ? Number.NaN : Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] ? 16 : 10);
      if (end !== ';' || !(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff))
        this.#fail('an entity that XML does not define');
      return String.fromCodePoint(code);
    });
  }

  #integer(text: string): number | bigint {
    const match = /^([+-]?)(0[xX][0-9a-fA-F]{1,32}|\d{1,40})$/.exec(text);
    if (match === null) this.#fail('an integer that is none');
    const value = BigInt(match[2] as string);
    return exactInteger(match[1] === '-' ? -value : value);
  }

  #real(text: string): number {
    if (text === 'nan') return Number.NaN;
    const infinite = /^([+-]?)inf(?:inity)?$/.exec(text);
    if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    if (!/^[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,5})?$/.test(text))
      this.#fail('a real that is none');
    return Number(text);
  }

  #date(text: string): Date {
    const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? new Date(text) : undefined;
    if (date === undefined || Number.isNaN(date.getTime())) this.#fail('a date that is none');
    return date;
  }

  #data(text: string): Uint8Array {
    const base64 = text.replace(/\s+/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) this.#fail('data that is not base64');
    return Uint8Array.from(Buffer.from(base64, 'base64'));
  }

  #fail(detail: string): never {
    throw new PlistError('plist-unparsable', `${detail} (near character ${this.#at})`);
  }
}

/** XML 1.0 section 2.11. */
function normalizedLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
