import { readBinaryPlist } from './binary.js';
import { decodeText, encodingOf, type TextEncoding } from './encoding.js';
import { readTextPlist } from './openstep.js';
import {
  Oddities,
  type PlistFinding,
  type PlistReading,
  type PlistValue,
  plistLimits,
  type Repeated,
  setKey,
} from './value.js';
import { readXmlEnd, readXmlPlist } from './xml.js';

export type PlistResult =
  | {
      readonly ok: true;
      readonly format: 'xml' | 'binary' | 'text';
      readonly value: PlistValue;
      /** What is odd about it, as stable words; what could be read is in `value` all the same. */
      readonly findings: readonly PlistFinding[];
      /** Values of the outermost dictionary that a later one under the same key has replaced. */
      readonly repeated: Repeated;
    }
  /** Nothing could be read. `finding` is a stable word, `detail` a sentence for people. */
  | { readonly ok: false; readonly finding: PlistFinding; readonly detail: string };

/** What is known of a file of which only parts were kept. */
export interface PlistParts {
  /** Its last bytes, and where they begin. */
  readonly tail?: Uint8Array;
  readonly tailOffset?: number;
}

const magic = 'bplist';
/** A file up to this size is put together from its beginning and its end for the binary reader. */
const maxWhole = 8 * 1024 * 1024;
/** Bytes that are read from the end of a larger file. */
const maxEnd = 256 * 1024;

/**
 * Reads a property list of any origin: bounded in bytes, values and depth, never an exception, and never more strictly
 * than Apple's readers. What is odd is a finding; each key that can be read is kept, of a file that is cut those of its
 * beginning and, with `parts`, those of its end.
 */
export function readPlist(bytes: Uint8Array, parts: PlistParts = {}): PlistResult {
  if (bytes.length === 0) return { ok: false, finding: 'plist-empty', detail: 'the file is empty' };
  const oddities = new Oddities();
  const large = bytes.length > plistLimits.maxBytes;
  if (large || parts.tail !== undefined)
    oddities.note('plist-too-complex', `more than ${plistLimits.maxBytes} bytes`);
  const front = large ? bytes.subarray(0, plistLimits.maxBytes) : bytes;
  try {
    return read(front, endOf(bytes, front.length, parts), oddities);
  } catch (error) {
    // A reader's bug must not cost the event that the file belongs to.
    return { ok: false, finding: 'plist-unparsable', detail: String(error) };
  }
}

/** The end as far as it does not overlap the beginning. */
function endOf(bytes: Uint8Array, front: number, parts: PlistParts): PlistParts {
  const { tail = bytes.subarray(Math.max(front, bytes.length - maxEnd)) } = parts;
  const tailOffset = parts.tailOffset ?? bytes.length - tail.length;
  const overlap = Math.max(0, front - tailOffset);
  return overlap >= tail.length ? {} : { tail: tail.subarray(overlap), tailOffset: tailOffset + overlap };
}

function read(front: Uint8Array, parts: PlistParts, oddities: Oddities): PlistResult {
  const head = Buffer.from(front.buffer, front.byteOffset, Math.min(front.length, magic.length)).toString(
    'latin1',
  );
  if (head === magic) return resultOf('binary', readBinaryPlist(whole(front, parts), oddities), oddities);
  const encoding = encodingOf(front, oddities);
  const text = decodeText(front, encoding, oddities);
  const start = xmlStart(text);
  if (start !== undefined) {
    if (/[^\s\0\ufeff]/.test(text.slice(0, start)))
      oddities.note('plist-leading-bytes', 'something stands before the list');
    const reading = readXmlPlist(text.slice(start), oddities);
    return resultOf('xml', withEnd(reading, { encoding, parts }, oddities), oddities);
  }
  if (!looksLikeText(text))
    return {
      ok: false,
      finding: 'plist-unknown-format',
      detail: 'neither XML nor binary, nor the older text form',
    };
  oddities.note('plist-old-format', 'the text form of before XML, or JSON');
  return resultOf('text', readTextPlist(text, oddities), oddities);
}

function resultOf(format: 'xml' | 'binary' | 'text', reading: PlistReading, oddities: Oddities): PlistResult {
  const { value, repeated } = reading;
  if (value === undefined) return { ok: false, ...oddities.reason };
  return { ok: true, format, value, findings: oddities.findings, repeated };
}

/** Where XML begins: at the first tag, or behind what an envelope (a signature) puts before it. */
function xmlStart(text: string): number | undefined {
  const first = /[^\s\0\ufeff]/.exec(text)?.index;
  if (first === undefined) return undefined;
  if (text[first] === '<' && !/^<[0-9a-fA-F\s]{1,100}[>0-9a-fA-F]/.test(text.slice(first, first + 110)))
    return first;
  const found = /<\?xml\s|<!DOCTYPE\s|<plist[\s>]|<dict>\s{0,100}<key>/.exec(text)?.index;
  // An XML list inside of a text of the older form is a text.
  return found !== undefined && !/^[{("']/.test(text.slice(first, first + 1)) ? found : undefined;
}

/** A brace, a list, or a word with a separator behind it; not what a program or an archive begins with. */
function looksLikeText(text: string): boolean {
  const start = text.slice(0, 2_000).replace(/^(?:[\s\0\ufeff]+|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*/, '');
  return /^(?:[{([]|(?:"[^"]{0,500}"|'[^']{0,500}'|[\w.$/-]{1,500})\s{0,100}[=:;])/.test(start);
}

function withEnd(
  reading: PlistReading,
  { encoding, parts }: { encoding: TextEncoding; parts: PlistParts },
  oddities: Oddities,
): PlistReading {
  const { tail, tailOffset = 0 } = parts;
  if (tail === undefined || (reading.value !== undefined && !(reading.value instanceof Map))) return reading;
  const unit = /32/.test(encoding.name) ? 4 : /16/.test(encoding.name) ? 2 : 1;
  const aligned = tail.subarray((unit - (tailOffset % unit)) % unit);
  // The bytes may begin in the middle of a character, and of a tag.
  const text = decodeText(aligned, { ...encoding, mark: 0 }, new Oddities());
  const end = readXmlEnd(text.slice(Math.max(0, text.indexOf('<'))), new Oddities());
  const value = reading.value ?? new Map<string, PlistValue>();
  const repeated = new Map([...reading.repeated].map(([key, values]) => [key, [...values]]));
  for (const entry of end) setKey(value, entry, { oddities, repeated });
  return { value, repeated };
}

/** The beginning and the end with nothing between them: objects that stand there are lost. */
function whole(front: Uint8Array, { tail, tailOffset = 0 }: PlistParts): Uint8Array {
  if (tail === undefined || tailOffset + tail.length > maxWhole) return front;
  const bytes = new Uint8Array(tailOffset + tail.length);
  bytes.set(front);
  bytes.set(tail, tailOffset);
  return bytes;
}
