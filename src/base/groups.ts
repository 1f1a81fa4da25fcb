import { readFileSync } from 'node:fs';
import { runTool } from './tool.js';

/** Tells the groups that a user is in. */
export interface GroupLookup {
  /** Group ids, the primary one included; undefined while they are not known. Never waits. */
  of(uid: number): ReadonlySet<number> | undefined;
}

/** Answers are read again after this, milliseconds. */
const freshMs = 10_000;
const maxUsers = 1_024;
const maxAccountsBytes = 4 * 1024 * 1024;

/** Linux: passwd(5) and group(5) of this machine, whose kernel decides; users from elsewhere (LDAP) are not known. */
class AccountFiles implements GroupLookup {
  #groups = new Map<number, Set<number>>();
  #readAt = Number.NEGATIVE_INFINITY;

  of(uid: number): ReadonlySet<number> | undefined {
    if (performance.now() - this.#readAt >= freshMs) this.#read();
    return this.#groups.get(uid);
  }

  #read(): void {
    this.#readAt = performance.now();
    const byName = new Map<string, Set<number>>();
    const byId = new Map<number, Set<number>>();
    for (const [name = '', , uid = '', gid = ''] of fieldsOf('/etc/passwd')) {
      if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue;
      const groups = byId.get(Number(uid)) ?? new Set();
      groups.add(Number(gid));
      byId.set(Number(uid), groups);
      byName.set(name, groups);
    }
    for (const [, , gid = '', members = ''] of fieldsOf('/etc/group')) {
      if (/^\d+$/.test(gid)) for (const name of members.split(',')) byName.get(name)?.add(Number(gid));
    }
    this.#groups = byId;
  }
}

function fieldsOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .slice(0, maxAccountsBytes)
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}

/** macOS, whose users stand in its directory service: `id -G` (id(1)), asked in the background. */
class DirectoryService implements GroupLookup {
  readonly #known = new Map<
    number,
    { readonly groups: ReadonlySet<number> | undefined; readonly at: number }
  >();
  readonly #asked = new Set<number>();

  of(uid: number): ReadonlySet<number> | undefined {
    const known = this.#known.get(uid);
    if ((known === undefined || performance.now() - known.at >= freshMs) && !this.#asked.has(uid))
      void this.#ask(uid);
    return known?.groups;
  }

  async #ask(uid: number): Promise<void> {
    if (this.#asked.size >= maxUsers) return;
    this.#asked.add(uid);
    const { status, stdout } = await runTool('/usr/bin/id', ['-G', String(uid)], {
      timeoutMs: 5_000,
      mostBytes: 64 * 1024,
      signal: new AbortController().signal,
      unref: true,
    });
    this.#asked.delete(uid);
    const ids = stdout.trim().split(/\s+/);
    const groups = status === 0 && ids.every((id) => /^\d+$/.test(id)) ? new Set(ids.map(Number)) : undefined;
    if (this.#known.size >= maxUsers) this.#known.clear();
    this.#known.set(uid, { groups, at: performance.now() });
  }
}

/** The groups of this machine's users. */
export const systemGroups: GroupLookup =
  process.platform === 'darwin' ? new DirectoryService() : new AccountFiles();
