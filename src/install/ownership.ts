import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, UserError } from '../base/errors.js';
import type { System } from './system.js';

const maxLinks = 40;
const maxEntries = 200_000;
const sticky = 0o1000;

const hint =
  'launchd runs it as root, so whoever can change it becomes root. Copy Node.js and the program to a folder of ' +
  'root\'s own, such as /usr/local/launchwarden ("sudo chown -R root:wheel", "sudo chmod -R go-w"), and install from there.';

function refuse(where: string, reason: string, cause?: unknown): UserError {
  return new UserError('install/unsafe-path', `${where} ${reason}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Refuses what anybody but root could change or replace. Every folder on the way to a file counts, and every link in
 * it, since who can write to a folder can put another file in the place of what is there.
 */
export class OwnershipCheck {
  readonly #system: System;
  readonly #checked = new Set<string>();
  #entries = 0;

  constructor(system: System) {
    this.#system = system;
  }

  /** Checks one path, its links and all their ancestors. Throws a UserError `install/unsafe-path`. */
  path(file: string): void {
    let rest = path.resolve(file).split('/').filter(Boolean);
    let at = '/';
    let links = 0;
    this.#one(at);
    while (rest.length > 0) {
      const next = path.join(at, rest[0]!);
      rest = rest.slice(1);
      if (!this.#one(next)) {
        at = next;
        continue;
      }
      if (++links > maxLinks) throw refuse(file, 'goes through too many links');
      const target = path.resolve(at, this.#system.readlink(next));
      rest = [...target.split('/').filter(Boolean), ...rest];
      at = '/';
    }
  }

  /** Checks a path and everything below it. */
  tree(folder: string): void {
    this.path(folder);
    const pending = [folder];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const entry of readdirSync(next, { withFileTypes: true })) {
        if (++this.#entries > maxEntries) throw refuse(folder, `holds more than ${maxEntries} files`);
        const child = path.join(next, entry.name);
        if (entry.isSymbolicLink()) this.path(child);
        else {
          this.#one(child);
          if (entry.isDirectory()) pending.push(child);
        }
      }
    }
  }

  /** True for a link. */
  #one(file: string): boolean {
    let facts: ReturnType<System['lstat']>;
    try {
      facts = this.#system.lstat(file);
    } catch (error) {
      const reason =
        errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be looked at: ${messageOf(error)}`;
      throw refuse(file, reason, error);
    }
    if (this.#checked.has(file)) return facts.isSymbolicLink();
    this.#checked.add(file);
    if (facts.uid !== 0) throw refuse(file, `belongs to user ${facts.uid}, not to root`);
    if (facts.isSymbolicLink()) return true;
    // In a sticky folder only its owner can replace an entry, and every entry on the way must be root's.
    const guarded = facts.isDirectory() && (facts.mode & sticky) !== 0;
    if ((facts.mode & 0o022) !== 0 && !guarded) {
      const mode = (facts.mode & 0o7777).toString(8).padStart(4, '0');
      throw refuse(file, `can be written by others than root (mode ${mode})`);
    }
    return false;
  }
}

/** Parts of the program's folder that a running agent loads. */
const loadedParts = ['bin', 'dist', 'launchd', 'native', 'node_modules'];

/** Checks the Node.js executable and everything that the program loads. Throws a UserError `install/unsafe-path`. */
export function checkProgram(
  system: System,
  program: { readonly node: string; readonly script: string },
): void {
  const check = new OwnershipCheck(system);
  check.path(program.node);
  check.path(program.script);
  const home = path.dirname(path.dirname(program.script));
  const present = new Set(readdirSync(home));
  check.path(path.join(home, 'package.json'));
  for (const part of loadedParts) if (present.has(part)) check.tree(path.join(home, part));
  for (const folder of hoistedFolders(home)) check.tree(folder);
}

/** `node_modules` folders above the program that hold packages which it needs and has not itself (npm -g, npx). */
function hoistedFolders(home: string): string[] {
  const text = readFileSync(path.join(home, 'package.json'), 'utf8');
  const names = Object.keys(
    (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {},
  );
  const folders = new Set<string>();
  for (const name of names) {
    for (let at = home; ; at = path.dirname(at)) {
      const modules = path.join(at, 'node_modules');
      if (holds(modules, name)) {
        if (at !== home) folders.add(modules);
        break;
      }
      if (at === path.dirname(at)) break;
    }
  }
  return [...folders];
}

function holds(modules: string, name: string): boolean {
  try {
    return readdirSync(path.join(modules, name)).includes('package.json');
  } catch {
    return false;
  }
}
