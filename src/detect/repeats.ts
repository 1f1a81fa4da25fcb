import type { Micros } from '../base/time.js';
import type { Candidate, Detection } from '../event/alert.js';
import type { Event } from '../event/event.js';
import { repeatWindow } from './options.js';

/** What identifies the file that an alert is about. */
export interface FileIdentity {
  readonly path: string;
  readonly inode: string | undefined;
  /** Of a regular file, when it is known. */
  readonly sha256: string | undefined;
}

interface Known {
  readonly since: Micros;
  sha256: string | undefined;
  /** Undefined when `max_signals` held it back, or when it is known from the store alone. */
  detection: Detection | undefined;
}

// A detection does not grow without bound.
const maxCandidates = 4_000;

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
  readonly #known = new Map<string, Known>();
  #evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** The entry that a match at `time` repeats: same path and inode, and no other content of a regular file. */
  find(ruleId: string, file: FileIdentity, time: Micros): Known | undefined {
    const known = this.#known.get(keyOf(ruleId, file));
    if (known === undefined || time - known.since > repeatWindow) return undefined;
    const changed = known.sha256 !== undefined && file.sha256 !== undefined && known.sha256 !== file.sha256;
    return changed ? undefined : known;
  }

  add(ruleId: string, file: FileIdentity, entry: { since: Micros; detection: Detection | undefined }): void {
    const key = keyOf(ruleId, file);
    this.#known.delete(key);
    this.#known.set(key, { ...entry, sha256: file.sha256 });
    for (const [oldest, { since }] of this.#known) {
      const expired = entry.since - since > repeatWindow;
      if (!expired && this.#known.size <= this.#capacity) break;
      if (!expired) this.#evicted++;
      this.#known.delete(oldest);
    }
  }
}

export type { Known };

function keyOf(ruleId: string, { path, inode }: FileIdentity): string {
  return JSON.stringify([ruleId, path, inode]);
}

/** The detection with one repeat more, and the candidates that the repeat brought. */
export function repeated(detection: Detection, candidates: readonly Candidate[]): Detection {
  const ids = new Set(detection.candidates.map(({ event }) => event.id));
  const more = candidates.filter(({ event }) => !ids.has(event.id));
  return {
    ...detection,
    repeats: detection.repeats + 1,
    candidates: [...detection.candidates, ...more].slice(0, maxCandidates),
  };
}
