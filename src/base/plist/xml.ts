import { scalarOf } from './scalars.js';
import {
  environmentKey,
  launchdKeys,
  type Oddities,
  type PlistReading,
  type PlistValue,
  plistLimits,
  setKey,
  setVariable,
} from './value.js';

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const containers = new Set(['plist', 'dict', 'array']);
const scalars = new Set(['string', 'integer', 'real', 'date', 'data', 'true', 'false']);
const maxName = 32;

/**
 * Reads the XML form, never more strictly than Apple's readers do: whatever is wrong is noted and passed over, so that
 * each key that can be read is kept. No entity is expanded but the five of XML and character references. Where readers
 * differ, CFPropertyList.c of Apple's CF counts: a tag ends at its first `>`, quoted or not, and `<!--->` is a whole
 * comment.
 */
export function readXmlPlist(text: string, oddities: Oddities): PlistReading {
  return new XmlReader(text, oddities).read();
}

/**
 * The keys of the outermost dictionary in the end of a text whose beginning is not known: those that stand at the level
 * which the last `</dict>` closes.
 */
export function readXmlEnd(text: string, oddities: Oddities): Map<string, PlistValue> {
  return new XmlReader(text, oddities).readEnd();
}

interface Tag {
  readonly name: string;
  readonly kind: 'open' | 'close' | 'empty';
}

/** An open container; without `map` and `list` its content is passed over. */
interface Frame {
  readonly name: 'dict' | 'array';
  readonly map?: Map<string, PlistValue>;
  readonly list?: PlistValue[];
  /** The key of the outermost dictionary under which it stands. */
  readonly under?: string | undefined;
  key?: string | undefined;
}

class XmlReader {
  readonly #text: string;
  readonly #oddities: Oddities;
  readonly #repeated = new Map<string, PlistValue[]>();
  readonly #stack: Frame[] = [];
  readonly #open = { dict: 0, array: 0 };
  /** Closing marks that do not occur any more: each is searched for in vain once. */
  readonly #absent = new Set<string>();
  #root: PlistValue | undefined;
  /** What the last `</dict>` without a beginning closed. */
  #closed: Map<string, PlistValue> | undefined;
  #fragment = false;
  #at = 0;
  #nodes = 0;
  #reserved: number = plistLimits.reservedNodes;
  #inside = false;

  constructor(text: string, oddities: Oddities) {
    this.#text = text;
    this.#oddities = oddities;
  }

  read(): PlistReading {
    for (let tag = this.#nextTag(); tag !== undefined; tag = this.#nextTag()) {
      if (tag.kind === 'close') this.#close(tag.name);
      else this.#element(tag);
      if (this.#isComplete()) break;
    }
    if (this.#stack.length > 0) this.#oddities.note('plist-cut', 'the text ends before the list does');
    else this.#trailing();
    return { value: this.#root, repeated: this.#repeated };
  }

  readEnd(): Map<string, PlistValue> {
    this.#fragment = true;
    this.#begin();
    for (let tag = this.#nextTag(); tag !== undefined; tag = this.#nextTag()) {
      if (tag.kind === 'close') this.#close(tag.name);
      else this.#element(tag);
    }
    return this.#closed ?? this.#stack[0]?.map ?? new Map();
  }

  /** After a mistake whatever follows may still belong to the list. */
  #isComplete(): boolean {
    return this.#root instanceof Map && this.#stack.length === 0 && !this.#oddities.has('plist-unparsable');
  }

  #trailing(): void {
    const rest = this.#text.slice(this.#at).replace(/^\s*<\/plist\s*>/, '');
    if (/\S/.test(rest)) this.#oddities.note('plist-trailing-bytes', 'something follows the list');
  }

  #element(tag: Tag): void {
    const { name, kind } = tag;
    if (name === 'plist') this.#inside = true;
    else if (name === 'dict' || name === 'array') this.#container(name, kind);
    else if (name === 'key') this.#key(kind);
    else if (scalars.has(name)) {
      const text = kind === 'empty' ? '' : this.#content(name);
      if (this.#takes()) this.#attach(scalarOf(name, text, this.#oddities));
      else this.#drop();
    } else this.#unknown(tag);
  }

  #container(name: 'dict' | 'array', kind: Tag['kind']): void {
    const deep = this.#stack.length >= plistLimits.maxDepth;
    if (deep) this.#oddities.note('plist-too-complex', 'nested too deeply');
    const kept = !deep && this.#takes();
    const under = this.#under();
    const value: PlistValue = name === 'dict' ? new Map<string, PlistValue>() : [];
    if (kept) this.#attach(value);
    else this.#drop();
    if (kind === 'empty') return;
    this.#open[name]++;
    if (!kept) this.#stack.push({ name, under });
    else this.#stack.push(value instanceof Map ? { name, map: value, under } : { name, list: value, under });
  }

  #key(kind: Tag['kind']): void {
    const text = kind === 'empty' ? '' : this.#content('key');
    if (this.#stack.length === 0) {
      this.#wrong('a key outside of a dictionary');
      if (this.#root !== undefined && !(this.#root instanceof Map)) return;
      this.#reopen();
    }
    // A list that is not closed ends where a key stands.
    while (this.#stack.at(-1)?.name === 'array' && this.#open.dict > 0) {
      this.#wrong('a list that is not closed');
      this.#pop();
    }
    const frame = this.#stack.at(-1);
    if (frame?.name !== 'dict') return;
    if (frame.key !== undefined) {
      this.#wrong('a key without a value');
      if (this.#takes()) this.#set(frame, null);
    }
    frame.key = text;
  }

  /** An element of no property list: its text counts as a value, other elements in it as if it were not there. */
  #unknown({ name, kind }: Tag): void {
    this.#oddities.note('plist-unknown-element', `<${name}> is no element of a property list`);
    const before = this.#at;
    const end = this.#text.indexOf('<', before);
    if (kind === 'empty' || end === -1 || this.#stack.length === 0) return;
    if (!this.#text.startsWith(`</${name}>`, end)) return;
    this.#at = end + name.length + 3;
    const text = this.#resolved(this.#text.slice(before, end));
    if (this.#takes()) this.#attach(text);
    else this.#drop();
  }

  #close(name: string): void {
    if (name === 'plist') {
      if (this.#stack.length > 0 && !this.#fragment) this.#wrong('</plist> inside of the list');
      return;
    }
    if (name !== 'dict' && name !== 'array') {
      if (containers.has(name) || scalars.has(name) || name === 'key')
        this.#wrong(`</${name}> closes nothing`);
      return;
    }
    if (this.#fragment && this.#open[name] === (name === 'dict' ? 1 : 0)) this.#levelEnds(name);
    else if (this.#open[name] === 0) this.#wrong(`</${name}> closes nothing`);
    else {
      if (this.#stack.at(-1)?.name !== name) this.#wrong(`</${name}> where another element is open`);
      while (this.#stack.at(-1)?.name !== name) this.#pop();
      this.#pop();
    }
  }

  /** The end of a container whose beginning was not seen. */
  #levelEnds(name: 'dict' | 'array'): void {
    if (name === 'dict') this.#closed = this.#stack[0]?.map;
    while (this.#stack.length > 0) this.#pop();
    this.#begin();
  }

  #begin(): void {
    this.#open.dict++;
    this.#stack.push({ name: 'dict', map: new Map() });
  }

  #reopen(): void {
    const map = this.#root instanceof Map ? this.#root : new Map<string, PlistValue>();
    this.#root = map;
    this.#open.dict++;
    this.#stack.push({ name: 'dict', map });
  }

  #pop(): void {
    const frame = this.#stack.pop();
    if (frame === undefined) return;
    this.#open[frame.name]--;
    if (frame.key !== undefined && !this.#fragment) this.#wrong('a key without a value');
  }

  #attach(value: PlistValue): void {
    const frame = this.#stack.at(-1);
    if (frame === undefined) {
      // Of several outermost values a dictionary is the one that launchd can use.
      if (this.#root === undefined || (value instanceof Map && !(this.#root instanceof Map)))
        this.#root = value;
      else this.#wrong('more than one value');
    } else if (frame.name === 'array') frame.list?.push(value);
    else if (frame.key === undefined) {
      if (!this.#fragment) this.#wrong('a value without a key');
    } else this.#set(frame, value);
  }

  #drop(): void {
    const frame = this.#stack.at(-1);
    if (frame !== undefined) frame.key = undefined;
  }

  #set(frame: Frame, value: PlistValue): void {
    const key = frame.key as string;
    frame.key = undefined;
    if (frame.map === undefined) return;
    const outermost = frame.map === this.#root;
    if (frame.under === environmentKey && this.#stack.length === 2) {
      setVariable(frame.map, [key, value], { oddities: this.#oddities, repeated: this.#repeated });
      return;
    }
    setKey(frame.map, [key, value], {
      oddities: this.#oddities,
      ...(outermost ? { repeated: this.#repeated } : {}),
    });
  }

  /** Counts a value; false when the budget is used up and it is none of those that are kept all the same. */
  #takes(): boolean {
    if (this.#nodes < plistLimits.maxNodes) {
      this.#nodes++;
      return true;
    }
    this.#oddities.note('plist-too-complex', 'too many values');
    const under = this.#under();
    if (under === undefined || !launchdKeys.has(under)) return false;
    return this.#stack.length === 1 || (this.#stack.length <= 3 && this.#reserved-- > 0);
  }

  #under(): string | undefined {
    return this.#stack.length === 1 ? this.#stack[0]?.key : this.#stack.at(-1)?.under;
  }

  /** The next tag; comments, instructions, the document type and text before it are passed over. */
  #nextTag(): Tag | undefined {
    for (;;) {
      const start = this.#text.indexOf('<', this.#at);
      if (start > this.#at) this.#between(start);
      if (start === -1) return undefined;
      this.#at = start;
      const mark = this.#text[start + 1];
      if (mark !== '!' && mark !== '?') {
        this.#inside = true;
        return this.#tag();
      }
      // CFPropertyList.c searches for the end from the second dash on, once it is in the list.
      if (this.#skips('<!--', '-->', this.#inside ? 3 : 4) || this.#skips('<?', '?>', 2)) continue;
      if (mark === '?') this.#at = start + 2;
      else if (this.#text.startsWith('<![CDATA[', start)) {
        this.#oddities.note('plist-odd-text', 'text between the values');
        if (!this.#skips('<![CDATA[', ']]>', 9)) this.#at = start + 9;
      } else this.#documentType();
    }
  }

  #between(end: number): void {
    if (!this.#inside || this.#oddities.has('plist-odd-text')) return;
    if (/[^\s\0]/.test(this.#text.slice(this.#at, end)))
      this.#oddities.note('plist-odd-text', 'text between the values');
  }

  /** True when it passed over `opening ... closing`; what is not closed is no such thing, only its mark is passed over. */
  #skips(opening: string, closing: string, from: number): boolean {
    if (!this.#text.startsWith(opening, this.#at)) return false;
    const end = this.#find(closing, this.#at + from);
    if (end !== -1) {
      this.#at = end + closing.length;
      return true;
    }
    this.#wrong(`${opening} is not closed`);
    if (opening !== '<!--') return false;
    this.#at += opening.length;
    return true;
  }

  #find(mark: string, from: number): number {
    if (this.#absent.has(mark)) return -1;
    const found = this.#text.indexOf(mark, from);
    if (found === -1) this.#absent.add(mark);
    return found;
  }

  #documentType(): void {
    const start = this.#at;
    const end = this.#find('>', start);
    if (end === -1) {
      this.#wrong('<! is not closed');
      this.#at = start + 2;
      return;
    }
    const body = this.#text.slice(start, end);
    if (!body.startsWith('<!DOCTYPE'))
      this.#oddities.note('plist-doctype', 'a declaration outside of the type');
    if (!body.startsWith('<!DOCTYPE') || !body.includes('[')) {
      this.#at = end + 1;
      return;
    }
    this.#oddities.note('plist-doctype', 'declarations of its own');
    this.#at = start + body.indexOf('[') + 1;
    this.#declarations();
  }

  /** The declarations inside of a document type, up to the `>` behind `]`. */
  #declarations(): void {
    for (;;) {
      const rest = /[<\]]/g;
      rest.lastIndex = this.#at;
      const found = rest.exec(this.#text);
      if (found === null) return;
      this.#at = found.index;
      if (found[0] === ']') {
        const end = /^\]\s{0,1000}>/.exec(this.#text.slice(this.#at, this.#at + 1_002));
        this.#at += end === null ? 1 : end[0].length;
        return;
      }
      if (this.#skips('<!--', '-->', 4) || this.#skips('<?', '?>', 2)) continue;
      // An element: the type was not closed.
      if (!this.#text.startsWith('<!', this.#at)) return;
      const end = this.#find('>', this.#at);
      this.#at = end === -1 ? this.#at + 2 : end + 1;
    }
  }

  /** The tag at `<`; undefined, and the end of the text, when it is not closed. */
  #tag(): Tag | undefined {
    const text = this.#text;
    const end = text.indexOf('>', this.#at);
    if (end === -1) {
      this.#oddities.note('plist-cut', 'the text ends inside of a tag');
      this.#at = text.length;
      return undefined;
    }
    const closes = text[this.#at + 1] === '/';
    const start = this.#at + (closes ? 2 : 1);
    let next = start;
    const most = Math.min(end, start + maxName);
    while (next < most && !endsName(text.charCodeAt(next))) next++;
    const named = text.slice(start, next);
    if (named === '' || text[next] === '<') {
      this.#wrong('< that begins no tag');
      this.#at = next;
      return { name: '', kind: 'close' };
    }
    this.#at = end + 1;
    return { name: named, kind: closes ? 'close' : text[end - 1] === '/' ? 'empty' : 'open' };
  }

  /** The text up to the closing tag of a scalar, or up to another element of a property list. */
  #content(name: string): string {
    const parts: string[] = [];
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      parts.push(this.#resolved(this.#text.slice(this.#at, next === -1 ? this.#text.length : next)));
      if (next === -1) {
        this.#at = this.#text.length;
        this.#oddities.note('plist-cut', `the text ends inside of <${name}>`);
        return parts.join('');
      }
      this.#at = next;
      if (this.#text.startsWith('<![CDATA[', next)) {
        const end = this.#find(']]>', next);
        if (end === -1) this.#wrong('CDATA is not closed');
        else parts.push(this.#text.slice(next + 9, end));
        this.#at = end === -1 ? next + 9 : end + 3;
      } else if (this.#text.startsWith('<!', next) || this.#text.startsWith('<?', next)) {
        this.#oddities.note('plist-odd-text', `a comment or instruction inside of <${name}>`);
        if (!this.#skips('<!--', '-->', 4) && !this.#skips('<?', '?>', 2)) this.#at = next + 2;
      } else {
        const tag = this.#tag();
        if (tag === undefined || (tag.kind === 'close' && tag.name === name)) return parts.join('');
        if (tag.name === 'key' || containers.has(tag.name) || scalars.has(tag.name)) {
          this.#wrong(`<${tag.name}> inside of <${name}>`);
          this.#at = next;
          return parts.join('');
        }
        if (tag.name === '') parts.push(this.#text.slice(next, this.#at));
        else this.#oddities.note('plist-unknown-element', `<${tag.name}> inside of <${name}>`);
      }
    }
  }

  #resolved(text: string): string {
    if (!text.includes('&')) return normalizedLines(text);
    return normalizedLines(text).replace(
      /&(?:(#?[A-Za-z0-9]{1,20});)?/g,
      (whole: string, name: string | undefined) => {
        if (name !== undefined && Object.hasOwn(entities, name)) return entities[name] as string;
        const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name ?? '');
        const code =
          digits === null
            ? Number.NaN
            : Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] === undefined ? 10 : 16);
        const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
        // CFPropertyList.c counts in 16 bits: it reads another character.
        if (!valid || code > 0xffff)
          this.#oddities.note('plist-odd-entity', 'a reference that readers differ about');
        return valid ? String.fromCodePoint(code) : whole;
      },
    );
  }

  #wrong(detail: string): void {
    this.#oddities.note('plist-unparsable', `${detail} (near character ${this.#at})`);
  }
}

/** Blanks, `/`, `<` and `>`. */
function endsName(code: number): boolean {
  return code === 0x3e || code === 0x2f || code === 0x3c || code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** XML 1.0 section 2.11. */
function normalizedLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
