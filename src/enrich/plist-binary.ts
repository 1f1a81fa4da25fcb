import { exactInteger, PlistError, type PlistValue, plistLimits } from './plist-value.js';

const trailerBytes = 32;
/** Seconds from 1970 to 2001, where Apple's time begins. */
const appleEpoch = 978_307_200;

/**
 * Reads `bplist00` (layout: CFBinaryPList.c of Apple's CF). Each object is read once however often it is referred to;
 * references, nesting and decoded bytes are counted, since a few hundred bytes can name a billion values. Throws
 * PlistError.
 */
export function readBinaryPlist(bytes: Uint8Array): PlistValue {
  return new BinaryReader(bytes).read();
}

class BinaryReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #memo = new Map<number, PlistValue>();
  readonly #open = new Set<number>();
  readonly #offsets: number[] = [];
  #refSize = 0;
  #nodes = 0;
  #decoded = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    // A Buffer's slice would be a view, not a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): PlistValue {
    const end = this.#bytes.length - trailerBytes;
    if (end < 9) throw new PlistError('plist-unparsable', 'shorter than a trailer');
    const offsetSize = this.#view.getUint8(end + 6);
    this.#refSize = this.#view.getUint8(end + 7);
    const count = this.#unsigned(end + 8, 8);
    const top = this.#unsigned(end + 16, 8);
    const table = this.#unsigned(end + 24, 8);
    if (offsetSize < 1 || offsetSize > 8 || this.#refSize < 1 || this.#refSize > 8)
      throw new PlistError('plist-unparsable', 'impossible sizes in the trailer');
    if (count > plistLimits.maxNodes) throw new PlistError('plist-too-complex', `${count} objects`);
    if (count < 1 || top >= count || table < 8 || table + count * offsetSize > end)
      throw new PlistError('plist-unparsable', 'offset table outside the file');
    for (let index = 0; index < count; index++) {
      const offset = this.#unsigned(table + index * offsetSize, offsetSize);
      if (offset < 8 || offset >= table)
        throw new PlistError('plist-unparsable', `object ${index} outside the file`);
      this.#offsets.push(offset);
    }
    return this.#object(top);
  }

  #object(index: number): PlistValue {
    if (++this.#nodes > plistLimits.maxNodes) throw new PlistError('plist-too-complex', 'too many values');
    const known = this.#memo.get(index);
    if (known !== undefined) return known;
    const offset = this.#offsets[index];
    if (offset === undefined) throw new PlistError('plist-unparsable', `no object ${index}`);
    if (this.#open.has(index)) throw new PlistError('plist-cycle', `object ${index} contains itself`);
    if (this.#depth >= plistLimits.maxDepth) throw new PlistError('plist-too-complex', 'nested too deeply');
    this.#open.add(index);
    this.#depth++;
    const value = this.#decode(offset);
    this.#depth--;
    this.#open.delete(index);
    this.#memo.set(index, value);
    return value;
  }

  #decode(offset: number): PlistValue {
    const marker = this.#byte(offset);
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
        this.#need(offset + 1, 2 ** low);
        if (low === 2) return this.#view.getFloat32(offset + 1);
        if (low === 3) return this.#view.getFloat64(offset + 1);
        break;
      case 0x3:
        if (low === 3) return this.#date(offset + 1);
        break;
      case 0x8:
        return { uid: this.#big(offset + 1, low + 1) };
      case 0x4: {
        const { start, count } = this.#sized(offset, low, 1);
        return this.#bytes.slice(start, start + count);
      }
      case 0x5: {
        const { start, count } = this.#sized(offset, low, 1);
        return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, count).toString('latin1');
      }
      case 0x6: {
        const { start, count } = this.#sized(offset, low, 2);
        // swap16 works in place: on a copy.
        return Buffer.from(this.#bytes.slice(start, start + count * 2))
          .swap16()
          .toString('utf16le');
      }
      case 0x7: {
        const { start, count } = this.#sized(offset, low, 1);
        return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, count).toString('utf8');
      }
      case 0xa:
      case 0xb:
      case 0xc: {
        const { start, count } = this.#sized(offset, low, this.#refSize);
        return Array.from({ length: count }, (_, index) => this.#reference(start, index));
      }
      case 0xd:
        return this.#dictionary(offset, low);
    }
    throw new PlistError('plist-unparsable', `unknown object type 0x${marker.toString(16).padStart(2, '0')}`);
  }

  #dictionary(offset: number, low: number): Map<string, PlistValue> {
    const { start, count } = this.#sized(offset, low, this.#refSize * 2);
    const result = new Map<string, PlistValue>();
    for (let index = 0; index < count; index++) {
      const key = this.#reference(start, index);
      if (typeof key !== 'string') throw new PlistError('plist-unparsable', 'a key that is no text');
      result.set(key, this.#reference(start, count + index));
    }
    return result;
  }

  #reference(start: number, index: number): PlistValue {
    return this.#object(this.#unsigned(start + index * this.#refSize, this.#refSize));
  }

  /** Where the `count` parts of `size` bytes of an object begin. */
  #sized(offset: number, low: number, size: number): { start: number; count: number } {
    let start = offset + 1;
    let count = low;
    if (low === 0x0f) {
      const marker = this.#byte(start);
      const bytes = 2 ** (marker & 0x0f);
      if (marker >> 4 !== 0x1 || bytes > 8)
        throw new PlistError('plist-unparsable', 'a length that is no integer');
      count = this.#unsigned(start + 1, bytes);
      start += 1 + bytes;
    }
    this.#need(start, count * size);
    // Objects that overlap would let a small file decode into a large one.
    this.#decoded += count * size;
    if (this.#decoded > this.#bytes.length) throw new PlistError('plist-too-complex', 'objects overlap');
    return { start, count };
  }

  #date(offset: number): Date {
    this.#need(offset, 8);
    const date = new Date((this.#view.getFloat64(offset) + appleEpoch) * 1000);
    if (Number.isNaN(date.getTime())) throw new PlistError('plist-unparsable', 'a date out of range');
    return date;
  }

  /** Signed from 8 bytes on, as Apple writes them. */
  #integer(offset: number, size: number): number | bigint {
    const value = this.#big(offset, size);
    return exactInteger(size >= 8 ? BigInt.asIntN(size * 8, value) : value);
  }

  #big(offset: number, size: number): bigint {
    this.#need(offset, size);
    let value = 0n;
    for (let index = 0; index < size; index++) value = (value << 8n) | BigInt(this.#byte(offset + index));
    return value;
  }

  /** Infinity when it is beyond 2^53: no such offset or count can exist. */
  #unsigned(offset: number, size: number): number {
    this.#need(offset, size);
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + this.#byte(offset + index);
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }

  #byte(offset: number): number {
    this.#need(offset, 1);
    return this.#bytes[offset] as number;
  }

  #need(offset: number, size: number): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.#bytes.length))
      throw new PlistError('plist-unparsable', 'an object runs beyond the end');
  }
}
