import type { VersionKind } from '../event/version.js';

/** Bytes of the beginning of a file that tell what it is. */
export const kindBytes = 4_096;

const machO = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe]);
const fat = 0xcafebabe;
const fat64 = 0xcafebabf;
const elf = 0x7f454c46;
const maxArchitectures = 16;
const list = /^(?:bplist0|\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE plist|<plist))/;
const cpus: Readonly<Record<number, string>> = {
  7: 'i386',
  12: 'arm',
  18: 'ppc',
  16777223: 'x86_64',
  16777228: 'arm64',
  33554444: 'arm64_32',
};

/** What the beginning of a file shows it to be, whatever its name says. */
export function kindOf(head: Uint8Array, runs: boolean): Exclude<VersionKind, 'bundle' | 'bundle-file'> {
  if (isBinary(head)) return 'program';
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, kindBytes));
  if (list.test(text.toString('latin1').replace(/^\xef\xbb\xbf/, ''))) return 'list';
  if (text.subarray(0, 2).toString('latin1') === '#!') return 'script';
  if (!runs) return 'text';
  return text.includes(0) ? 'program' : 'script';
}

function isBinary(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const data = Buffer.from(head.buffer, head.byteOffset, head.length);
  const magic = data.readUInt32BE(0);
  // A class file of Java has the same number as a universal binary, and its version where that counts its parts.
  return (
    machO.has(magic) || magic === elf || ((magic === fat || magic === fat64) && data.readUInt32BE(4) < 40)
  );
}

/** The architectures of a Mach-O file, `arm64`, `x86_64`, ...; empty for another. Source: <mach-o/fat.h>, <mach/machine.h>. */
export function architecturesOf(head: Uint8Array): readonly string[] {
  if (!isBinary(head)) return [];
  const data = Buffer.from(head.buffer, head.byteOffset, head.length);
  const magic = data.readUInt32BE(0);
  if (magic === 0xcefaedfe || magic === 0xcffaedfe) return [nameOf(data.readUInt32LE(4))];
  if (magic === 0xfeedface || magic === 0xfeedfacf) return [nameOf(data.readUInt32BE(4))];
  if (magic === elf) return [];
  const step = magic === fat ? 20 : 32;
  const names: string[] = [];
  for (let index = 0; index < Math.min(data.readUInt32BE(4), maxArchitectures); index++) {
    const at = 8 + index * step;
    if (at + 4 > data.length) break;
    names.push(nameOf(data.readUInt32BE(at)));
  }
  return [...new Set(names)];
}

function nameOf(cpu: number): string {
  return cpus[cpu] ?? `cpu ${cpu}`;
}
