import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import type { RootMap } from '../base/root.js';

export interface UserNamesOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  /** For tests; otherwise this machine's. */
  readonly platform?: NodeJS.Platform;
  /** Runs a program and gives its output, or undefined when it failed; for tests. */
  readonly run?: (program: string, args: readonly string[]) => Promise<string | undefined>;
}

const maxFileBytes = 4 * 1024 * 1024;
const maxNames = 65_536;
/** An unknown id makes the lists be read again, at most this often. */
const refreshMs = 10_000;

/**
 * Names of numeric user and group ids: from the accounts file of the root or of this machine; on macOS, whose users
 * stand in its directory service, from `dscacheutil`. Looked up from memory alone; an unknown id makes the lists be read
 * again in the background.
 */
export class UserNames {
  readonly #options: UserNamesOptions;
  #users = new Map<number, string>();
  #groups = new Map<number, string>();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: UserNamesOptions) {
    this.#options = options;
  }

  user(id: number): string | undefined {
    return this.#name(this.#users, id);
  }

  group(id: number): string | undefined {
    return this.#name(this.#groups, id);
  }

  /** Reads the lists. Never rejects: what cannot be read leaves ids without names. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  #name(names: Map<number, string>, id: number): string | undefined {
    const name = names.get(id);
    if (name === undefined && this.#options.clock.monotonic() - this.#readAt >= refreshMs)
      void this.refresh();
    return name;
  }

  async #read(): Promise<void> {
    this.#readAt = this.#options.clock.monotonic();
    const { root, platform = process.platform, run = runProgram } = this.#options;
    if (platform === 'darwin' && !root.simulated) {
      const [users, groups] = await Promise.all([
        run('/usr/bin/dscacheutil', ['-q', 'user']),
        run('/usr/bin/dscacheutil', ['-q', 'group']),
      ]);
      if (users !== undefined) this.#users = parseDirectory(users, 'uid');
      if (groups !== undefined) this.#groups = parseDirectory(groups, 'gid');
      return;
    }
    const file = (name: string) => readBounded(root.toHost(`/etc/${name}`)) ?? readBounded(`/etc/${name}`);
    this.#users = parseAccounts(file('passwd') ?? '');
    this.#groups = parseAccounts(file('group') ?? '');
  }
}

/** `name:password:id:...`, as in passwd(5) and group(5). The first name of an id counts. */
function parseAccounts(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':', 3);
    if (name === '' || name.startsWith('#') || !/^\d{1,10}$/.test(id) || names.has(Number(id))) continue;
    if (names.size >= maxNames) break;
    names.set(Number(id), name);
  }
  return names;
}

/** The paragraphs of `dscacheutil -q`: `name: alice`, `uid: 501`, ... */
function parseDirectory(text: string, idKey: 'uid' | 'gid'): Map<number, string> {
  const names = new Map<number, string>();
  for (const paragraph of text.split(/\n\s*\n/)) {
    const name = /^name: (.+)$/m.exec(paragraph)?.[1];
    const id = new RegExp(`^${idKey}: (-?\\d{1,10})$`, 'm').exec(paragraph)?.[1];
    if (name === undefined || id === undefined || names.size >= maxNames) continue;
    // Ids are unsigned in the kernel: nobody is -2 here and 4294967294 there.
    const number = Number(id) >>> 0;
    if (!names.has(number)) names.set(number, name.trim());
  }
  return names;
}

function readBounded(path: string): string | undefined {
  let file: number;
  try {
    // A simulated tree is not ours: no waiting for a FIFO that is named like the file.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile() || size > maxFileBytes) return undefined;
    const bytes = Buffer.alloc(size);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, size, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

function runProgram(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...args],
      { timeout: 5_000, maxBuffer: maxFileBytes, encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } },
      (error, output) => resolve(error === null ? output : undefined),
    );
  });
}
