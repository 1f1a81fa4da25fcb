import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { canonicalMacPath, type RootMap } from '../base/root.js';
import { type Micros, parseTime } from '../base/time.js';
import type { EcsDocument, NamedFileFields } from '../event/document.js';
import { launchctlCall } from '../event/launchctl.js';

export interface NamedPathsOptions {
  readonly root: RootMap;
  /** The volumes that are mounted now, host paths; a read of one that is not local is not waited for. */
  volumes(): readonly Volume[];
}

export interface Volume {
  readonly path: string;
  readonly local: boolean;
}

/** Paths of one call that are followed: the first and the last ones. */
const maxPaths = 64;
/** Looks at the disk for one call. */
const maxLooks = 512;
/** As the kernel's own bound on links in one path (MAXSYMLINKS is 32 on macOS, 40 on Linux). */
const maxLinks = 32;
/** macOS opens files by the numbers of their volume and inode, too: `/.vol/16777232/12345`, `/.vol/16777232/2/Users`. */
const byInode = /^\/+\.vol\/+[^/]+\/+(\d{1,20})(?:\/+([^/].*))?\/*$/s;
/** A start that a scan saw is cut to the tick it fell in, microseconds. */
const startTick = 20_000;

/**
 * Follows the paths that a launchctl call names to the files that they lead to, at the moment at which the call is seen:
 * the links may be gone a moment later. Looks at no volume that could make it wait.
 */
export class NamedPaths {
  readonly #options: NamedPathsOptions;

  constructor(options: NamedPathsOptions) {
    this.#options = options;
  }

  /** Undefined for a process that is not launchctl or names no path. Never throws. */
  of(doc: EcsDocument): NamedFileFields[] | undefined {
    const paths = launchctlCall(doc)?.paths ?? [];
    if (paths.length === 0) return undefined;
    const followed =
      paths.length <= maxPaths ? paths : [...paths.slice(0, maxPaths / 2), ...paths.slice(-maxPaths / 2)];
    const walk = new Walk(this.#options, startOf(doc));
    const folder: unknown = doc.process?.working_directory;
    const files = followed.flatMap((one) => {
      const written = one.startsWith('file:///') ? one.slice('file://'.length) : one;
      if (written.startsWith('/')) return [walk.file(written, doc.process?.pid)];
      return typeof folder === 'string' && folder.startsWith('/')
        ? [walk.file(`${folder}/${written}`, doc.process?.pid)]
        : [];
    });
    return files.length === 0 ? undefined : files;
  }
}

/** A link that was made after this was not there when the call began. */
function startOf({ process, launchwarden, ...doc }: EcsDocument): Micros | undefined {
  if (launchwarden?.sensor?.precision === 'exact') return parseTime(doc['@timestamp'])?.time;
  const start = parseTime(process?.start)?.time;
  return start === undefined ? undefined : start + startTick;
}

interface Place {
  /** Where its absolute paths begin: the mapped tree, or this machine itself. */
  readonly base: string;
  readonly names: readonly string[];
}

/** The looks of one call. */
class Walk {
  readonly #root: RootMap;
  readonly #volumes: readonly Volume[];
  readonly #start: Micros | undefined;
  #looks = maxLooks;
  #changed = false;

  constructor({ root, volumes }: NamedPathsOptions, start: Micros | undefined) {
    this.#root = root;
    this.#volumes = volumes();
    this.#start = start;
  }

  /** `written`: an absolute path as the process has it. */
  file(written: string, pid: number | undefined): NamedFileFields {
    const { root } = this.#root;
    const named = { path: canonicalMacPath(written) };
    const volfs = byInode.exec(written);
    if (volfs?.[1] !== undefined && volfs[2] === undefined) return { ...named, inode: volfs[1] };
    this.#changed = false;
    try {
      if (volfs !== null && root !== '') throw new Error('not to be told');
      const descriptor = this.#descriptor(written, pid);
      // What a simulated tree does not hold may be a path of this machine.
      const found =
        descriptor === undefined
          ? (this.#follow({ base: root, names: [] }, withoutDataVolume(written)) ??
            (root === '' ? undefined : this.#follow({ base: '', names: [] }, written)))
          : this.#follow({ base: '', names: [] }, descriptor);
      if (found === undefined) return { ...named, state: 'missing' };
      const state = this.#changed ? ({ state: 'changed' } as const) : {};
      return { ...named, resolved: this.#root.toMac(found.host), inode: found.inode, ...state };
    } catch {
      return { ...named, state: 'unread' };
    }
  }

  /** An open file that a process names by its number; throws where that cannot be told. */
  #descriptor(written: string, pid: number | undefined): string | undefined {
    const text = path.posix.normalize(written);
    const number = /^\/dev\/stdin$/.test(text)
      ? '0'
      : /^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(text)?.[1];
    if (number === undefined) return undefined;
    if (process.platform !== 'linux' || pid === undefined) throw new Error('not to be told');
    return readlinkSync(`/proc/${pid}/fd/${number}`);
  }

  /** Undefined when it leads nowhere. Throws when it cannot be followed. */
  #follow(from: Place, text: string): { readonly host: string; readonly inode: string } | undefined {
    let { base } = from;
    const done = [...from.names];
    const left = text.split('/').reverse();
    let inode = '';
    let links = 0;
    while (left.length > 0) {
      const name = left.pop() as string;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        done.pop();
        continue;
      }
      const host = `${base}/${[...done, name].join('/')}`;
      const seen = this.#look(host);
      if (seen === undefined) {
        // A simulated root may do without the links that every Mac has.
        if (base === '' || done.length > 0 || !/^(?:tmp|var|etc)$/.test(name)) return undefined;
        done.push('private', name);
        continue;
      }
      inode = String(seen.ino);
      if (!seen.isSymbolicLink()) {
        done.push(name);
        continue;
      }
      if (this.#start !== undefined && Number(seen.ctimeNs / 1000n) > this.#start) this.#changed = true;
      if (++links > maxLinks) throw new Error('a circle of links');
      const target = readlinkSync(host);
      if (!target.startsWith('/')) {
        left.push(...target.split('/').reverse());
        continue;
      }
      done.length = 0;
      const { root } = this.#root;
      // A link made on this machine may name the root itself; one copied from a Mac does not.
      const inside = root !== '' && (target === root || target.startsWith(`${root}/`));
      if (inside) base = root;
      left.push(...(inside ? target.slice(root.length) : withoutDataVolume(target)).split('/').reverse());
    }
    return { host: `${base}/${done.join('/')}`, inode };
  }

  #look(host: string) {
    if (this.#looks-- <= 0) throw new Error('too many looks');
    if (!this.#isLocal(host)) throw new Error('not a local volume');
    return lstatSync(host, { bigint: true, throwIfNoEntry: false });
  }

  /** By the volume whose path is the longest one above it. */
  #isLocal(host: string): boolean {
    let best: Volume | undefined;
    for (const volume of this.#volumes) {
      const { path: at } = volume;
      const within = at === '/' || host === at || host.startsWith(`${at}/`);
      if (within && (best === undefined || at.length >= best.path.length)) best = volume;
    }
    return best?.local === true;
  }
}

/** Firmlinks make one of both trees. */
function withoutDataVolume(text: string): string {
  const data = /^\/+System\/+Volumes\/+Data(?=\/|$)/i.exec(text)?.[0];
  return data === undefined ? text : text.slice(data.length) || '/';
}
