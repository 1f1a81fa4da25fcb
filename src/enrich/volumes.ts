import { readFileSync } from 'node:fs';
import type { Volume } from './named-paths.js';

/** File systems whose reads wait for somebody else: a server, a program, a mount on demand. */
const remote =
  /^(?:fuse(?!blk|ctl)|osxfuse|macfuse|nfs|cifs|smb|afp|afs|ceph|gluster|lustre|ncp|webdav|davfs|ftp|autofs)/;

/** The volumes of a Linux machine, from the kernel's table: asking for it never waits. */
export function linuxVolumes(read = () => readFileSync('/proc/self/mountinfo', 'utf8')): Volume[] {
  try {
    return read()
      .split('\n')
      .flatMap((line) => {
        const at = line.split(' ', 5)[4];
        const type = / - (\S+)/.exec(line)?.[1];
        return at === undefined || type === undefined
          ? []
          : [{ path: unescaped(at), local: isLocalType(type) }];
      });
  } catch {
    return [];
  }
}

/** Whether a file system of this type answers by itself. */
export function isLocalType(type: string): boolean {
  return !remote.test(type);
}

/** Blanks and the like stand as `\040` (proc(5)). */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
