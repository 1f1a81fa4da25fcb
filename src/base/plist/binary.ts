import { isAscii } from 'node:buffer';
import {
  environmentKey,
  exactInteger,
  launchdKeys,
  type Oddities,
  type PlistReading,
  type PlistValue,
  plistLimits,
  setKey,
  setVariable,
} from './value.js';

const headerBytes = 8;
const trailerBytes = 32;
/** So far from the end a trailer is searched for that something was appended to. */
const maxAppended = 64 * 1024;
/** Seconds from 1970 to 2001, where Apple's time begins. */
const appleEpoch = 978_307_200;

/** Where the objects stand: by a trailer, or by their order in the file when there is none. */
interface Layout {
  readonly refSize: number;
  readonly top: number;
  readonly count: number;
  /** The first byte of an object; undefined when the file does not say it. */
  offset(index: number): number | undefined;
}

/**
 * Reads `bplist00` (layout: CFBinaryPList.c of Apple's CF), whatever its version claims. An object that cannot be read is
 * null and noted; the others are kept. Each is read once however often it is referred to; references, nesting and
 * decoded bytes are counted, since a few hundred bytes can name a billion values. Of a file whose trailer is missing the
 * objects are taken in their order.
 */
export function readBinaryPlist(bytes: Uint8Array, oddities: Oddities): PlistReading {
  if (bytes[6] !== 0x30) oddities.note('plist-odd-version', 'another version than bplist0x');
  else if (bytes[7] !== 0x30) oddities.note('plist-odd-version', 'another version than bplist00');
  const reader = new BinaryReader(bytes, oddities);
  return { value: reader.read(), repeated: reader.repeated };
}

class BinaryReader {
  readonly repeated = new Map<string, PlistValue[]>();
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #oddities: Oddities;
  readonly #memo = new Map<number, PlistValue>();
  readonly #open = new Set<number>();
  #layout: Layout | undefined;
  #nodes = 0;
  #reserved: number = plistLimits.reservedNodes;
  #decoded = 0;
  #depth = 0;
  /** True below one of launchd's own keys of the outermost dictionary. */
  #known = false;
  /** The key of the outermost dictionary whose value is being read. */
  #under: string | undefined;

  constructor(bytes: Uint8Array, oddities: Oddities) {
    // A Buffer's slice would be a view, not a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#oddities = oddities;
  }

  read(): PlistValue | undefined {
    this.#layout = this.#trailer() ?? this.#inOrder();
    if (this.#layout === undefined) return undefined;
    const value = this.#object(this.#layout.top);
    return value ?? undefined;
  }

  /** The trailer at the end, or the last one before what was appended. */
  #trailer(): Layout | undefined {
    const last = this.#bytes.length - trailerBytes;
    for (let end = last; end > headerBytes && end > last - maxAppended; end--) {
      const layout = this.#layoutAt(end);
      if (layout === undefined) continue;
      if (end !== last) this.#oddities.note('plist-trailing-bytes', 'something follows the trailer');
      return layout;
    }
    return undefined;
  }

  #layoutAt(end: number): Layout | undefined {
    const offsetSize = this.#view.getUint8(end + 6);
    const refSize = this.#view.getUint8(end + 7);
    if (offsetSize < 1 || refSize < 1 || offsetSize > 16 || refSize > 16) return undefined;
    const count = this.#unsigned(end + 8, 8);
    const top = this.#unsigned(end + 16, 8);
    const table = this.#unsigned(end + 24, 8);
    // CFBinaryPList.c demands that the table ends where the trailer begins; a gap hides nothing from us.
    if (!(count >= 1 && top < count && table > headerBytes && table + count * offsetSize <= end))
      return undefined;
    const offset = (index: number) => {
      const at =
        index < count ? this.#unsigned(table + index * offsetSize, offsetSize) : Number.POSITIVE_INFINITY;
      return at >= headerBytes && at < table ? at : undefined;
    };
    return { refSize, top, count, offset };
  }

  /**
   * Writers lay out the objects in the order of their numbers, the outermost one first: so each can be found without a
   * table, as far as the file goes.
   */
  #inOrder(): Layout | undefined {
    for (const refSize of [1, 2, 4, 8]) {
      const offsets = this.#walk(refSize);
      const layout = { refSize, top: 0, count: offsets.length, offset: (index: number) => offsets[index] };
      if (!this.#hasTextKeys(layout)) continue;
      this.#oddities.note('plist-cut', 'no trailer');
      return layout;
    }
    this.#oddities.note('plist-unparsable', 'no trailer, and no dictionary at the beginning');
    return undefined;
  }

  #walk(refSize: number): number[] {
    const offsets: number[] = [];
    let at = headerBytes;
    while (at < this.#bytes.length && offsets.length < plistLimits.maxNodes) {
      const size = this.#sizeAt(at, refSize);
      if (size === undefined) break;
      offsets.push(at);
      at += size;
    }
    return offsets;
  }

  /** Bytes of the object at an offset; undefined for no object. */
  #sizeAt(offset: number, refSize: number): number | undefined {
    const marker = this.#bytes[offset] ?? 0;
    const [high, low] = [marker >> 4, marker & 0x0f];
    if (high === 0x0) return 1;
    if (high === 0x1 || high === 0x2) return 1 + 2 ** Math.min(low, 5);
    if (high === 0x3) return 9;
    if (high === 0x8) return 2 + low;
    const unit = { 4: 1, 5: 1, 6: 2, 7: 1, 10: refSize, 11: refSize, 12: refSize, 13: refSize * 2 }[high];
    const sized = unit === undefined ? undefined : this.#count(offset, low);
    return unit === undefined || sized === undefined ? undefined : sized.start - offset + sized.count * unit;
  }

  #hasTextKeys({ refSize, offset }: Layout): boolean {
    const marker = this.#bytes[headerBytes] ?? 0;
    const sized = marker >> 4 === 0xd ? this.#count(headerBytes, marker & 0x0f) : undefined;
    if (sized === undefined || sized.count === 0) return false;
    for (let index = 0; index < Math.min(sized.count, 16); index++) {
      const key = offset(this.#unsigned(sized.start + index * refSize, refSize));
      const type = key === undefined ? 0 : (this.#bytes[key] ?? 0) >> 4;
      // The end of the file may have been cut off.
      if (key !== undefined && type !== 0x5 && type !== 0x6 && type !== 0x7) return false;
      if (key === undefined && index === 0) return false;
    }
    return true;
  }

  /** null, and a note, for what cannot be read. */
  #object(index: number): PlistValue {
    const known = this.#memo.get(index);
    if (!this.#takes()) return null;
    if (known !== undefined) return known;
    if (this.#open.has(index)) return this.#lost('plist-cycle', `object ${index} contains itself`);
    if (this.#depth >= plistLimits.maxDepth) return this.#lost('plist-too-complex', 'nested too deeply');
    const offset = this.#layout?.offset(index);
    if (offset === undefined) return this.#lost('plist-unparsable', `object ${index} is outside of the file`);
    this.#open.add(index);
    this.#depth++;
    const value = this.#decode(offset);
    this.#depth--;
    this.#open.delete(index);
    this.#memo.set(index, value);
    return value;
  }

  /** Counts a value; false when the budget is used up and it is none of those that are kept all the same. */
  #takes(): boolean {
    if (this.#nodes < plistLimits.maxNodes) {
      this.#nodes++;
      return true;
    }
    this.#oddities.note('plist-too-complex', 'too many values');
    return this.#known && this.#reserved-- > 0;
  }

  #decode(offset: number): PlistValue {
    const marker = this.#bytes[offset] ?? 0;
    const low = marker & 0x0f;
    switch (marker >> 4) {
      case 0x0:
        if (low === 0x8) return false;
        if (low === 0x9) return true;
        if (low === 0x0) return null;
        break;
      case 0x1:
        if (low <= 4) return this.#integer(offset + 1, 2 ** low);
        break;
      case 0x2:
        if (low === 2 && this.#has(offset + 1, 4)) return this.#view.getFloat32(offset + 1);
        if (low === 3 && this.#has(offset + 1, 8)) return this.#view.getFloat64(offset + 1);
        break;
      case 0x3:
        if (this.#has(offset + 1, 8)) return this.#date(this.#view.getFloat64(offset + 1));
        break;
      case 0x8:
        return this.#has(offset + 1, low + 1) ? { uid: this.#big(offset + 1, low + 1) } : this.#beyond();
      case 0x4:
        return this.#part(offset, 1, (start, count) => this.#bytes.slice(start, start + count));
      case 0x5:
        return this.#part(offset, 1, (start, count) => this.#ascii(this.#buffer(start, count)));
      case 0x6:
        // swap16 works in place: on a copy.
        return this.#part(offset, 2, (start, count) =>
          Buffer.from(this.#bytes.slice(start, start + count * 2))
            .swap16()
            .toString('utf16le'),
        );
      case 0x7:
        return this.#part(offset, 1, (start, count) => this.#buffer(start, count).toString('utf8'));
      case 0xa:
      case 0xb:
      case 0xc:
        return this.#part(offset, this.#layout?.refSize ?? 1, (start, count) => this.#list(start, count));
      case 0xd:
        return this.#part(offset, (this.#layout?.refSize ?? 1) * 2, (start, count) =>
          this.#dictionary(start, count),
        );
    }
    // URLs, UUIDs and what else other writers know: no value of a property list.
    this.#oddities.note('plist-odd-value', `an object of type 0x${marker.toString(16).padStart(2, '0')}`);
    return null;
  }

  #ascii(bytes: Buffer): string {
    if (!isAscii(bytes)) this.#oddities.note('plist-odd-encoding', 'a text of ASCII that is none');
    return bytes.toString('latin1');
  }

  #list(start: number, count: number): PlistValue[] {
    const result: PlistValue[] = [];
    for (let index = 0; index < count && !this.#exhausted(); index++)
      result.push(this.#reference(start, index));
    return result;
  }

  #dictionary(start: number, count: number): Map<string, PlistValue> {
    const result = new Map<string, PlistValue>();
    const outermost = this.#depth === 1;
    for (let index = 0; index < count; index++) {
      if (outermost) this.#known = true;
      else if (this.#exhausted()) break;
      const key = this.#reference(start, index);
      if (typeof key !== 'string') {
        this.#oddities.note('plist-unparsable', 'a key that is no text');
        continue;
      }
      if (outermost) {
        this.#known = launchdKeys.has(key);
        this.#under = key;
      }
      if (this.#exhausted() && !this.#known) continue;
      if (this.#depth === 2 && this.#under === environmentKey) {
        const entry = [key, this.#reference(start, count + index)] as const;
        setVariable(result, entry, { oddities: this.#oddities, repeated: this.repeated });
        continue;
      }
      setKey(result, [key, this.#reference(start, count + index)], {
        oddities: this.#oddities,
        ...(outermost ? { repeated: this.repeated } : {}),
      });
    }
    return result;
  }

  #exhausted(): boolean {
    if (this.#nodes < plistLimits.maxNodes) return false;
    this.#oddities.note('plist-too-complex', 'too many values');
    return !(this.#known && this.#reserved > 0);
  }

  #reference(start: number, index: number): PlistValue {
    const refSize = this.#layout?.refSize ?? 1;
    return this.#object(this.#unsigned(start + index * refSize, refSize));
  }

  /** What `read` makes of the `count` parts of `size` bytes of an object. */
  #part(offset: number, size: number, read: (start: number, count: number) => PlistValue): PlistValue {
    const sized = this.#count(offset, (this.#bytes[offset] ?? 0) & 0x0f);
    if (sized === undefined) return this.#lost('plist-unparsable', 'a length that is no integer');
    const { start, count } = sized;
    if (!this.#has(start, count * size)) return this.#beyond();
    // Objects that overlap would let a small file decode into a large one.
    this.#decoded += count * size;
    if (this.#decoded > this.#bytes.length) return this.#lost('plist-too-complex', 'objects overlap');
    return read(start, count);
  }

  #count(offset: number, low: number): { readonly start: number; readonly count: number } | undefined {
    if (low !== 0x0f) return { start: offset + 1, count: low };
    const marker = this.#bytes[offset + 1] ?? 0;
    const bytes = 2 ** (marker & 0x0f);
    if (marker >> 4 !== 0x1 || bytes > 16 || !this.#has(offset + 2, bytes)) return undefined;
    return { start: offset + 2 + bytes, count: this.#unsigned(offset + 2, bytes) };
  }

  #date(seconds: number): PlistValue {
    const date = new Date((seconds + appleEpoch) * 1000);
    if (!Number.isNaN(date.getTime())) return date;
    this.#oddities.note('plist-odd-value', 'a date out of range');
    return String(seconds);
  }

  /** Signed from 8 bytes on, as Apple writes them. */
  #integer(offset: number, size: number): PlistValue {
    if (!this.#has(offset, size)) return this.#beyond();
    const value = this.#big(offset, size);
    return exactInteger(size >= 8 ? BigInt.asIntN(size * 8, value) : value);
  }

  #big(offset: number, size: number): bigint {
    let value = 0n;
    for (let index = 0; index < size; index++)
      value = (value << 8n) | BigInt(this.#bytes[offset + index] ?? 0);
    return value;
  }

  /** The last 8 bytes count; infinity when it is beyond 2^53: no such offset or count can exist. */
  #unsigned(offset: number, size: number): number {
    if (!this.#has(offset, size)) return Number.POSITIVE_INFINITY;
    let value = 0;
    for (let index = Math.max(0, size - 8); index < size; index++)
      value = value * 256 + (this.#bytes[offset + index] as number);
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }

  #buffer(start: number, count: number): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, count);
  }

  #has(offset: number, size: number): boolean {
    return offset >= 0 && size >= 0 && offset + size <= this.#bytes.length;
  }

  #beyond(): null {
    return this.#lost('plist-unparsable', 'an object runs beyond the end');
  }

  #lost(finding: 'plist-unparsable' | 'plist-cycle' | 'plist-too-complex', detail: string): null {
    this.#oddities.note(finding, detail);
    return null;
  }
}
