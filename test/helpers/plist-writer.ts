/** A value of a property list, written as plain data; `uid` is a reference of an archive. */
export type Written =
  | string
  | number
  | boolean
  | Uint8Array
  | Uid
  | readonly Written[]
  | { readonly [key: string]: Written };

export class Uid {
  readonly uid: number;
  constructor(uid: number) {
    this.uid = uid;
  }
}

/** An XML property list. */
export function xmlPlist(value: Written): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${element(value)}
</plist>
`;
}

function element(value: Written): string {
  if (typeof value === 'string') return `<string>${escaped(value)}</string>`;
  if (typeof value === 'number')
    return Number.isInteger(value) ? `<integer>${value}</integer>` : `<real>${value}</real>`;
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>';
  if (value instanceof Uint8Array) return `<data>${Buffer.from(value).toString('base64')}</data>`;
  if (value instanceof Uid) return `<dict><key>CF$UID</key><integer>${value.uid}</integer></dict>`;
  if (isList(value)) return `<array>${value.map(element).join('')}</array>`;
  const entries = Object.entries(value).map(([key, one]) => `<key>${escaped(key)}</key>${element(one)}`);
  return `<dict>${entries.join('')}</dict>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A binary property list (`bplist00`): every value an object of its own. */
export function binaryPlistOf(value: Written): Uint8Array {
  const objects: Buffer[] = [];
  const add = (one: Written): number => {
    const index = objects.push(Buffer.alloc(0)) - 1;
    objects[index] = encoded(one, add);
    return index;
  };
  add(value);
  const offsets: number[] = [];
  let at = 8;
  for (const object of objects) {
    offsets.push(at);
    at += object.length;
  }
  const table = Buffer.alloc(offsets.length * 4);
  for (const [index, offset] of offsets.entries()) table.writeUInt32BE(offset, index * 4);
  const trailer = Buffer.alloc(32);
  trailer[6] = 4;
  trailer[7] = 2;
  trailer.writeBigUInt64BE(BigInt(objects.length), 8);
  trailer.writeBigUInt64BE(0n, 16);
  trailer.writeBigUInt64BE(BigInt(at), 24);
  return Buffer.concat([Buffer.from('bplist00'), ...objects, table, trailer]);
}

function encoded(value: Written, add: (value: Written) => number): Buffer {
  if (typeof value === 'boolean') return Buffer.from([value ? 0x09 : 0x08]);
  if (typeof value === 'number') return Buffer.concat([Buffer.from([0x13]), long(value)]);
  if (typeof value === 'string')
    return /^[\x20-\x7e]*$/.test(value)
      ? Buffer.concat([marker(0x50, value.length), Buffer.from(value, 'latin1')])
      : Buffer.concat([marker(0x60, value.length), Buffer.from(value, 'utf16le').swap16()]);
  if (value instanceof Uint8Array) return Buffer.concat([marker(0x40, value.length), Buffer.from(value)]);
  if (value instanceof Uid) return Buffer.from([0x81, value.uid >> 8, value.uid & 0xff]);
  if (isList(value))
    return Buffer.concat([marker(0xa0, value.length), ...value.map((one) => reference(add(one)))]);
  const entries = Object.entries(value);
  const keys = entries.map(([key]) => reference(add(key)));
  const values = entries.map(([, one]) => reference(add(one)));
  return Buffer.concat([marker(0xd0, entries.length), ...keys, ...values]);
}

/** Array.isArray does not narrow a readonly array. */
function isList(value: Written): value is readonly Written[] {
  return Array.isArray(value);
}

function marker(kind: number, count: number): Buffer {
  if (count < 15) return Buffer.from([kind | count]);
  return Buffer.concat([
    Buffer.from([kind | 15, 0x12]),
    (() => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(count);
      return bytes;
    })(),
  ]);
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function reference(index: number): Buffer {
  return Buffer.from([index >> 8, index & 0xff]);
}

/** An archive of NSKeyedArchiver: `objects` begin at 1, and refer to each other by `Uid`. */
export function keyedArchive(top: { readonly [key: string]: Uid }, objects: readonly Written[]): Uint8Array {
  return binaryPlistOf({
    $version: 100_000,
    $archiver: 'NSKeyedArchiver',
    $top: top,
    $objects: ['$null', ...objects],
  });
}

/** Bookmark data of a path, as small as macOS would never write it: one table with the names on the way. */
export function bookmarkOf(path: string): Uint8Array {
  const names = path.split('/').slice(1);
  const parts: Buffer[] = [];
  let at = 4;
  const add = (type: number, data: Buffer): number => {
    const padded = Buffer.alloc(Math.ceil(data.length / 4) * 4);
    data.copy(padded);
    parts.push(Buffer.concat([u32(data.length), u32(type), padded]));
    const offset = at;
    at += 8 + padded.length;
    return offset;
  };
  const offsets = names.map((name) => add(0x0101, Buffer.from(name)));
  const list = add(0x0601, Buffer.concat(offsets.map(u32)));
  const table = Buffer.concat([
    u32(24),
    u32(0xfffffffe),
    u32(1),
    u32(0),
    u32(1),
    u32(0x1004),
    u32(list),
    u32(0),
  ]);
  const body = Buffer.concat([u32(at), ...parts, table]);
  const header = Buffer.alloc(48);
  header.write('book', 0, 'latin1');
  header.writeUInt32LE(48 + body.length, 4);
  header.writeUInt32LE(48, 12);
  return Buffer.concat([header, body]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** An alias record (version 2) of a path on the startup disk. */
export function aliasOf(path: string): Uint8Array {
  const header = Buffer.alloc(150);
  header.writeUInt16BE(2, 6);
  const tag = (number: number, text: string) => {
    const data = Buffer.from(text);
    const head = Buffer.alloc(4);
    head.writeUInt16BE(number, 0);
    head.writeUInt16BE(data.length, 2);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  };
  const end = Buffer.from([0xff, 0xff, 0, 0]);
  return Buffer.concat([header, tag(18, path.slice(1)), tag(19, '/'), end]);
}
