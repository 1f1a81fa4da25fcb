/** A value of a row: numbers of more than 32 bits, floats and blobs are left out. */
export type SqliteValue = string | number | null | undefined;

const headerBytes = 100;
const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const tableLeaf = 0x0d;
const maxPages = 8_192;
const maxRows = 50_000;
const maxColumns = 64;
const maxText = 1_024;

/**
 * The rows that stand in the leaf pages of a SQLite database, or of its write-ahead log, whatever table they belong to. Rows
 * that go on in another page are passed over. Bounded; nothing is thrown.
 * Source: the file format of SQLite 3.
 */
export function* sqliteRows(bytes: Uint8Array): Generator<readonly SqliteValue[]> {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let rows = 0;
  for (const { page, header } of pagesOf(data))
    for (const row of rowsOf(page, header)) {
      if (++rows > maxRows) return;
      yield row;
    }
}

function* pagesOf(data: Buffer): Generator<{ readonly page: Buffer; readonly header: number }> {
  if (data.length < headerBytes) return;
  const mark = data.readUInt32BE(0);
  const log = mark === 0x377f0682 || mark === 0x377f0683;
  if (!log && data.toString('latin1', 0, 15) !== 'SQLite format 3') return;
  const given = log ? data.readUInt32BE(8) : data.readUInt16BE(16);
  const size = given === 1 ? 65_536 : given;
  if (size < 512 || size > 65_536) return;
  // The first page begins with the header of the file.
  for (const { number, at } of log ? framesOf(data, size) : pagesIn(data, size))
    yield { page: data.subarray(at, at + size), header: number === 1 ? headerBytes : 0 };
}

interface PagePlace {
  readonly number: number;
  readonly at: number;
}

function* pagesIn(data: Buffer, size: number): Generator<PagePlace> {
  for (let number = 1; number * size <= data.length && number <= maxPages; number++)
    yield { number, at: (number - 1) * size };
}

/** The newest page of each number. */
function framesOf(data: Buffer, size: number): readonly PagePlace[] {
  const newest = new Map<number, PagePlace>();
  const step = size + frameHeaderBytes;
  for (let at = walHeaderBytes; at + step <= data.length; at += step) {
    const number = data.readUInt32BE(at);
    if (newest.size >= maxPages && !newest.has(number)) continue;
    newest.set(number, { number, at: at + frameHeaderBytes });
  }
  return [...newest.values()];
}

function* rowsOf(page: Buffer, header: number): Generator<readonly SqliteValue[]> {
  if (page[header] !== tableLeaf) return;
  const cells = page.readUInt16BE(header + 3);
  for (let index = 0; index < cells; index++) {
    const pointer = header + 8 + index * 2;
    if (pointer + 2 > page.length) return;
    const row = rowAt(page, page.readUInt16BE(pointer));
    if (row !== undefined) yield row;
  }
}

function rowAt(page: Buffer, cell: number): readonly SqliteValue[] | undefined {
  const size = varint(page, cell);
  const rowid = varint(page, size.next);
  const start = rowid.next;
  const end = start + size.value;
  const types = varint(page, start);
  if (end > page.length || types.value > size.value) return undefined;
  const row: SqliteValue[] = [];
  let type = types.next;
  let value = start + types.value;
  while (type < start + types.value && row.length < maxColumns) {
    const { value: serial, next } = varint(page, type);
    const length = lengthOf(serial);
    if (value + length > end) return undefined;
    row.push(columnAt(page, value, { serial, length }));
    value += length;
    type = next;
  }
  return row;
}

function lengthOf(serial: number): number {
  if (serial >= 12) return Math.floor((serial - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][serial] ?? 0;
}

function columnAt(
  page: Buffer,
  at: number,
  { serial, length }: { readonly serial: number; readonly length: number },
): SqliteValue {
  if (serial === 0) return null;
  if (serial === 8 || serial === 9) return serial - 8;
  if (serial >= 1 && serial <= 4) return page.readIntBE(at, length);
  return serial >= 13 && serial % 2 === 1
    ? page.toString('utf8', at, at + Math.min(length, maxText))
    : undefined;
}

/** Seven bits a byte, the highest one says that more follow; beyond 2^53 nothing is meant. */
function varint(page: Buffer, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = from; at < from + 8; at++) {
    const byte = page[at];
    if (byte === undefined) return { value: Number.MAX_SAFE_INTEGER, next: page.length };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + 1 };
  }
  return { value: Number.MAX_SAFE_INTEGER, next: from + 9 };
}
