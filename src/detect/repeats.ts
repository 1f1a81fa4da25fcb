import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import { repeatWindow } from './options.js';
import type { Told } from './told.js';

/** What identifies the file that an alert is about. */
export interface FileIdentity {
  readonly path: string;
  readonly inode: string | undefined;
  /** Of a regular file, when it is known. */
  readonly sha256: string | undefined;
}

interface Entry {
  readonly sha256: string | undefined;
  readonly told: Told;
}

/** The file of an event, or undefined when it has none. */
export function fileIdentity({ doc }: Event): FileIdentity | undefined {
  const { file } = doc;
  if (typeof file?.path !== 'string') return undefined;
  const inode: unknown = file.inode;
  const regular = file.type === undefined || file.type === 'file';
  return {
    path: file.path,
    inode: typeof inode === 'string' || typeof inode === 'number' ? String(inode) : undefined,
    sha256: regular && typeof file.hash?.sha256 === 'string' ? file.hash.sha256 : undefined,
  };
}

/** Recognises matches of one rule on a file that it has already alerted on within the last minutes of event time. */
export class Repeats {
  readonly #capacity: number;
  /** In the order of their beginning. */
  readonly #known = new Map<string, Entry>();
  #evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
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

  add(ruleId: string, file: FileIdentity, told: Told): void {
    const key = keyOf(ruleId, file);
    this.#known.delete(key);
    this.#known.set(key, { told, sha256: file.sha256 });
    for (const [oldest, entry] of this.#known) {
      const expired = told.since - entry.told.since > repeatWindow;
      if (!expired && this.#known.size <= this.#capacity) break;
      if (!expired) this.#evicted++;
      this.#known.delete(oldest);
    }
  }

  /** The alert turned out to be about another file. */
  remove(ruleId: string, file: FileIdentity, told: Told): void {
    const key = keyOf(ruleId, file);
    if (this.#known.get(key)?.told === told) this.#known.delete(key);
  }
}

function keyOf(ruleId: string, { path, inode }: FileIdentity): string {
  return JSON.stringify([ruleId, path, inode]);
}
