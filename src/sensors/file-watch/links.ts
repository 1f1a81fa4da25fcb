import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { RootMap } from '../../base/root.js';

/** As the kernel's own bound on links in one path (MAXSYMLINKS is 32 on macOS, 40 on Linux). */
const maxLinks = 32;

/** A link's text, at most 1,024 characters (PATH_MAX of macOS); undefined when it cannot be read. */
export function linkText(hostPath: string): string | undefined {
  try {
    return readlinkSync(hostPath).slice(0, 1024);
  } catch {
    return undefined;
  }
}

/**
 * Follows every link of a macOS path inside the mapped tree: an absolute target begins at the root, `..` stops there.
 * Gives the path of this machine, free of links, or undefined when it leads nowhere or in a circle.
 */
export function resolveInRoot(root: RootMap, macPath: string): string | undefined {
  const left = macPath.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  while (left.length > 0) {
    const name = left.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const host = `${root.root}/${[...done, name].join('/')}`;
    try {
      if (!lstatSync(host).isSymbolicLink()) {
        done.push(name);
        continue;
      }
    } catch {
      // A simulated root may do without the links that every Mac has.
      if (done.length > 0 || !/^(?:tmp|var|etc)$/.test(name)) return undefined;
      done.push('private', name);
      continue;
    }
    const text = linkText(host);
    if (text === undefined || text === '' || ++links > maxLinks) return undefined;
    if (path.posix.isAbsolute(text)) done.length = 0;
    // A link made on this machine may name the root itself; one copied from a Mac does not.
    const inside =
      text === root.root || text.startsWith(`${root.root}/`) ? text.slice(root.root.length) : text;
    left.push(...inside.split('/').reverse());
  }
  return done.length === 0 ? root.root || '/' : `${root.root}/${done.join('/')}`;
}
