import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import { type OnEvicted, repeatWindow } from './options.js';
import type { Told } from './told.js';

/** What identifies the file that an alert is about. */
export interface FileIdentity {
  readonly path: string;
  readonly inode: string | undefined;
  /** Of a regular file, or of one that a link leads to, when it is known. */
  readonly sha256: string | undefined;
}

interface Entry {
  sha256: string | undefined;
  readonly told: Told;
  readonly user: string;
}

/** The file of an event, or undefined when it has none. */
export function fileIdentity({ doc }: Event): FileIdentity | undefined {
  const { file } = doc;
  if (typeof file?.path !== 'string') return undefined;
  const inode: unknown = file.inode;
  // Of a link it is the content that it leads to.
  const regular = file.type === undefined || file.type === 'file' || file.type === 'symlink';
  return {
    path: file.path,
    inode: typeof inode === 'string' || typeof inode === 'number' ? String(inode) : undefined,
    sha256: regular && typeof file.hash?.sha256 === 'string' ? file.hash.sha256 : undefined,
  };
}

/**
 * Recognises matches of one rule on a file that it has already alerted on within the last minutes of event time. When there
 * are too many, the user with the most gives up the oldest.
 */
export class Repeats {
  readonly #capacity: number;
  readonly #onEvicted: OnEvicted;
  /** In the order of their beginning. */
  readonly #known = new Map<string, Entry>();
  /** The keys of each user, in the same order. */
  readonly #users = new Map<string, Set<string>>();
  #evicted = 0;

  constructor(capacity: number, onEvicted: OnEvicted = () => {}) {
    this.#capacity = capacity;
    this.#onEvicted = onEvicted;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** The alert that a match at `time` repeats: same path and inode, and no other content of a regular file. */
  find(ruleId: string, file: FileIdentity, time: Micros): Told | undefined {
    const known = this.#known.get(keyOf(ruleId, file));
    if (known === undefined || time - known.told.since > repeatWindow) return undefined;
    const changed = known.sha256 !== undefined && file.sha256 !== undefined && known.sha256 !== file.sha256;
    return changed ? undefined : known.told;
  }

  add(ruleId: string, file: FileIdentity, told: Told, user: string): void {
    const key = keyOf(ruleId, file);
    this.#delete(key);
    this.#known.set(key, { told, sha256: file.sha256, user });
    const own = this.#users.get(user);
    if (own === undefined) this.#users.set(user, new Set([key]));
    else own.add(key);
    for (const [oldest, entry] of this.#known) {
      if (told.since - entry.told.since <= repeatWindow) break;
      this.#delete(oldest);
    }
    while (this.#known.size > this.#capacity) this.#evict();
  }

  /** The file of an alert turned out to hold something else by now. */
  update(ruleId: string, file: FileIdentity, told: Told): void {
    const known = this.#known.get(keyOf(ruleId, file));
    if (known?.told === told) known.sha256 = file.sha256;
  }

  /** The alert turned out to be about another file. */
  remove(ruleId: string, file: FileIdentity, told: Told): void {
    const key = keyOf(ruleId, file);
    if (this.#known.get(key)?.told === told) this.#delete(key);
  }

  #evict(): void {
    let largest: readonly [string, ReadonlySet<string>] | undefined;
    for (const entry of this.#users) if (entry[1].size > (largest?.[1].size ?? 0)) largest = entry;
    if (largest === undefined) return;
    const [user, keys] = largest;
    this.#evicted++;
    this.#onEvicted('repeats', user);
    this.#delete(keys.values().next().value as string);
  }

  #delete(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    const own = this.#users.get(known.user);
    own?.delete(key);
    if (own?.size === 0) this.#users.delete(known.user);
  }
}

function keyOf(ruleId: string, { path, inode }: FileIdentity): string {
  return JSON.stringify([ruleId, path, inode]);
}
