import { closeSync, openSync, readSync } from 'node:fs';

const machOKinds = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const elfKinds = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);

/**
 * The systems that a binary is for, such as `darwin-arm64`, read from its header (elf(5), <mach-o/loader.h>, <mach-o/fat.h>).
 * Empty for anything else.
 */
export function targetsOf(file) {
  const head = Buffer.alloc(4096);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46) return named('linux', [elfKinds.get(head.readUInt16LE(18))]);
  if (magic === 0xcffaedfe) return named('darwin', [machOKinds.get(head.readUInt32LE(4))]);
  if (magic !== 0xcafebabe) return [];
  // A universal file: a count, then 20 bytes for each architecture, big-endian.
  const count = Math.min(head.readUInt32BE(4), 16);
  const kinds = Array.from({ length: count }, (_, index) =>
    machOKinds.get(head.readUInt32BE(8 + index * 20)),
  );
  return named('darwin', kinds);
}

function named(platform, kinds) {
  return kinds.filter((kind) => kind !== undefined).map((kind) => `${platform}-${kind}`);
}
