import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Processor types of <mach/machine.h>. */
export const cpus = { x64: 0x01000007, arm64: 0x0100000c };

/** A file that begins as a program of macOS does. */
function machO(file: string, cpu: number): string {
  const head = Buffer.alloc(64);
  head.writeUInt32BE(0xcffaedfe, 0);
  head.writeUInt32LE(cpu, 4);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, head);
  return file;
}

/**
 * What a Mac would hand over, made in `folder`: an unpacked Node.js, and a checkout with compiled native parts. Returns the
 * arguments of scripts/package.mjs.
 */
export function fromMac(folder: string, { node, parts }: { node: number; parts: number }): string[] {
  const include = path.join(folder, 'node', 'include', 'node');
  mkdirSync(include, { recursive: true });
  const defines = { MAJOR_VERSION: 26, MINOR_VERSION: 10, PATCH_VERSION: 0, MODULE_VERSION: 147 };
  const lines = Object.entries(defines).map(([key, value]) => `#define NODE_${key} ${value}\n`);
  writeFileSync(path.join(include, 'node_version.h'), lines.join(''));
  const executable = machO(path.join(folder, 'node', 'bin', 'node'), node);
  const compiled = path.join(folder, 'checkout');
  const sqlite = path.join(compiled, 'node_modules', 'better-sqlite3');
  machO(path.join(sqlite, 'build', 'Release', 'better_sqlite3.node'), parts);
  writeFileSync(path.join(sqlite, 'package.json'), '{}');
  machO(path.join(compiled, 'native', 'build', 'Release', 'launchwarden.node'), parts);
  return ['--node', executable, '--compiled', compiled];
}
