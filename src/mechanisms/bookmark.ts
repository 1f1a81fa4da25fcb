/**
 * The path that a bookmark (`NSURL` bookmark data) or an alias record leads to; undefined when it holds none. Formats: a
 * bookmark begins with `book`, its parts are numbered, 0x1004 lists the names on the way; an alias has tagged parts, 18
 * being the path on its volume and 19 the volume's mount point.
 */
export function pathOfBookmark(bytes: Uint8Array): string | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxBytes));
  const mark = data.toString('latin1', 0, 4);
  return mark === 'book' || mark === 'alis' ? bookmarkPath(data) : aliasPath(data);
}

const maxBytes = 256 * 1024;
const maxParts = 256;
const partNames = 0x1004;
const typeText = 0x0101;
const typeList = 0x0601;
const aliasHeader = 150;
const tagPath = 18;
const tagVolume = 19;
const tagEnd = 0xffff;

function bookmarkPath(data: Buffer): string | undefined {
  const start = u32(data, 12) ?? 0;
  const firstTable = u32(data, start);
  if (firstTable === undefined) return undefined;
  let table: number | undefined = start + firstTable;
  // Each table names the next one; a circle ends with the budget.
  for (let tables = 0; tables < 8 && table !== undefined; tables++) {
    const count = Math.min(u32(data, table + 16) ?? 0, maxParts);
    for (let index = 0; index < count; index++) {
      const entry = table + 20 + index * 12;
      if (u32(data, entry) !== partNames) continue;
      const names = namesAt(data, start, u32(data, entry + 4));
      if (names.length > 0) return `/${names.join('/')}`.slice(0, 4_096);
    }
    const next: number = u32(data, table + 12) ?? 0;
    table = next === 0 ? undefined : start + next;
  }
  return undefined;
}

function namesAt(data: Buffer, start: number, offset: number | undefined): string[] {
  if (offset === undefined) return [];
  const at = start + offset;
  const length = u32(data, at) ?? 0;
  if (u32(data, at + 4) !== typeList) return [];
  const names: string[] = [];
  for (let index = 0; index < Math.min(length / 4, maxParts); index++) {
    const name = textAt(data, start, u32(data, at + 8 + index * 4));
    if (name === undefined) return [];
    names.push(name);
  }
  return names;
}

function textAt(data: Buffer, start: number, offset: number | undefined): string | undefined {
  if (offset === undefined) return undefined;
  const at = start + offset;
  const length = u32(data, at);
  if (length === undefined || u32(data, at + 4) !== typeText || at + 8 + length > data.length)
    return undefined;
  return data.toString('utf8', at + 8, at + 8 + Math.min(length, 1_024));
}

function aliasPath(data: Buffer): string | undefined {
  if (data.length < aliasHeader || data.readUInt16BE(6) !== 2) return undefined;
  let path: string | undefined;
  let volume = '/';
  for (let at = aliasHeader, parts = 0; at + 4 <= data.length && parts < maxParts; parts++) {
    const tag = data.readUInt16BE(at);
    const length = data.readUInt16BE(at + 2);
    if (tag === tagEnd) break;
    const text = data.toString('utf8', at + 4, Math.min(data.length, at + 4 + length));
    if (tag === tagPath) path = text;
    if (tag === tagVolume) volume = text;
    at += 4 + length + (length % 2);
  }
  if (path === undefined) return undefined;
  return `${volume.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`.slice(0, 4_096);
}

function u32(data: Buffer, at: number): number | undefined {
  return at >= 0 && at + 4 <= data.length ? data.readUInt32LE(at) : undefined;
}
