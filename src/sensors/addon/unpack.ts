/** One record of a batch as the addon packed it (native/src/core/record.h has the layout). */
export interface PackedRecord {
  readonly kind: number;
  readonly numbers: Float64Array;
  /** What was not UTF-8 has U+FFFD in its place. */
  readonly strings: readonly string[];
}

const headerBytes = 16;

/** Calls `visit` for every record of a batch, in the order in which they were written. Throws a RangeError on a batch
 * that is not one (which only a fault of the addon can make). */
export function unpack(batch: Uint8Array, visit: (record: PackedRecord) => void): void {
  const aligned = batch.byteOffset % 8 === 0 ? batch : Uint8Array.from(batch);
  const buffer = Buffer.from(aligned.buffer, aligned.byteOffset, aligned.byteLength);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  for (let start = 0; start < aligned.byteLength; ) {
    const word = start >> 2;
    const size = words[word]!;
    if (size < headerBytes || size % 8 !== 0 || start + size > aligned.byteLength)
      throw new RangeError(`record of ${size} bytes at ${start} of a batch of ${aligned.byteLength}`);
    const kinds = words[word + 1]!;
    const count = kinds >>> 16;
    const strings = words[word + 2]!;
    const numbers = new Float64Array(aligned.buffer, aligned.byteOffset + start + headerBytes, count);
    const lengths = word + (headerBytes >> 2) + count * 2;
    const bytes = start + headerBytes + count * 8 + ((strings * 4 + 7) & ~7);
    visit({
      kind: kinds & 0xffff,
      numbers,
      strings: texts(buffer, words, { lengths, strings, bytes, ascii: (words[word + 3]! & 1) !== 0 }),
    });
    start += size;
  }
}

interface TextPlace {
  /** Index of the first length in the words. */
  readonly lengths: number;
  readonly strings: number;
  /** Offset of the first byte. */
  readonly bytes: number;
  readonly ascii: boolean;
}

function texts(buffer: Buffer, words: Uint32Array, place: TextPlace): string[] {
  const { lengths, strings, ascii } = place;
  const found = new Array<string>(strings);
  let at = place.bytes;
  if (ascii) {
    // One call into the engine for all texts of the record: several are several times as slow.
    let total = 0;
    for (let index = 0; index < strings; index++) total += words[lengths + index]!;
    const all = buffer.toString('latin1', at, at + total);
    for (let index = 0, from = 0; index < strings; index++) {
      const to = from + words[lengths + index]!;
      found[index] = all.slice(from, to);
      from = to;
    }
    return found;
  }
  for (let index = 0; index < strings; index++) {
    const end = at + words[lengths + index]!;
    found[index] = buffer.toString('utf8', at, end);
    at = end;
  }
  return found;
}
