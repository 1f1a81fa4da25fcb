import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { RootMap } from '../../base/root.js';

/** As the kernel's own bound on links in one path (MAXSYMLINKS is 32 on macOS, 40 on Linux). */
const maxLinks = 32;

/** Owner and permission bits of a folder or link that a path leads through. */
export interface Passed {
  readonly isLink: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Where a path leads. */
export interface Way {
  /** The path of this machine, free of links. */
  readonly host: string;
  /** Every folder and link that it leads through, from the root on, links at its end included, its end not. */
  readonly passed: readonly Passed[];
  /** What stands at its end. */
  readonly end: Passed;
}

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
 * Undefined when it leads nowhere or in a circle.
 */
export function followInRoot(root: RootMap, macPath: string): Way | undefined {
  const left = macPath.split('/').reverse();
  const done: string[] = [];
  const passed: Passed[] = [];
  let links = 0;
  let isEnd = false;
  const top = factsOf(root.root || '/');
  if (top === undefined) return undefined;
  passed.push(top);
  while (left.length > 0) {
    const name = left.pop() as string;
    if (name === '' || name === '.') continue;
    isEnd = false;
    if (name === '..') {
      done.pop();
      continue;
    }
    const host = `${root.root}/${[...done, name].join('/')}`;
    const next = factsOf(host);
    if (next === undefined) {
      // A simulated root may do without the links that every Mac has.
      if (done.length > 0 || !/^(?:tmp|var|etc)$/.test(name)) return undefined;
      left.push(name, 'private');
      continue;
    }
    passed.push(next);
    if (!next.isLink) {
      done.push(name);
      isEnd = true;
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
  const host = done.length === 0 ? root.root || '/' : `${root.root}/${done.join('/')}`;
  const end = isEnd ? passed.pop() : factsOf(host);
  return end === undefined ? undefined : { host, passed, end };
}

function factsOf(hostPath: string): Passed | undefined {
  try {
    const stat = lstatSync(hostPath, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    return { isLink: stat.isSymbolicLink(), uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777 };
  } catch {
    return undefined;
  }
}
