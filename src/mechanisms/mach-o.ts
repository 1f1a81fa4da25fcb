/** What of a Mach-O library is known from its beginning. Source: <mach-o/loader.h>, <mach-o/fat.h>. */
export interface MachOLibrary {
  /** Libraries that it passes on as its own (`LC_REEXPORT_DYLIB`). */
  readonly reexports: readonly string[];
}

const fat = 0xcafebabe;
const fat64 = 0xcafebabf;
const little64 = 0xcffaedfe;
const little32 = 0xcefaedfe;
const typeLibrary = 6;
const reexport = 0x8000001f;
const maxCommands = 4_096;
const maxArchitectures = 8;

/** Undefined for what is no library. Bounded; nothing beyond `bytes` is needed. */
export function readMachO(bytes: Uint8Array): MachOLibrary | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const reexports = new Set<string>();
  let library = false;
  for (const at of startsOf(data)) {
    const names = reexportsAt(data, at);
    if (names === undefined) continue;
    library = true;
    for (const name of names) reexports.add(name);
  }
  return library ? { reexports: [...reexports] } : undefined;
}

/** Where the images of a file begin: one, or one an architecture. */
function startsOf(data: Buffer): number[] {
  if (data.length < 8) return [];
  const magic = data.readUInt32BE(0);
  if (magic !== fat && magic !== fat64) return [0];
  const size = magic === fat ? 20 : 32;
  const starts: number[] = [];
  for (let index = 0; index < Math.min(data.readUInt32BE(4), maxArchitectures); index++) {
    const at = 8 + index * size;
    if (at + size > data.length) break;
    starts.push(magic === fat ? data.readUInt32BE(at + 8) : Number(data.readBigUInt64BE(at + 8)));
  }
  return starts;
}

function reexportsAt(data: Buffer, start: number): string[] | undefined {
  if (start < 0 || start + 32 > data.length) return undefined;
  const magic = data.readUInt32BE(start);
  if (magic !== little64 && magic !== little32) return undefined;
  if (data.readUInt32LE(start + 12) !== typeLibrary) return undefined;
  const count = Math.min(data.readUInt32LE(start + 16), maxCommands);
  const names: string[] = [];
  let at = start + (magic === little64 ? 32 : 28);
  for (let index = 0; index < count && at + 12 <= data.length; index++) {
    const size = data.readUInt32LE(at + 4);
    if (size < 8) break;
    if (data.readUInt32LE(at) === reexport) {
      const offset = data.readUInt32LE(at + 8);
      const end = Math.min(at + size, data.length);
      if (offset < size && at + offset < end)
        names.push(
          data
            .toString('utf8', at + offset, end)
            .split('\0', 1)[0]
            ?.slice(0, 1_024) ?? '',
        );
    }
    at += size;
  }
  return names;
}
