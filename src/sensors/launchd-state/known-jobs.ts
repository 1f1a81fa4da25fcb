import type { Micros } from '../../base/time.js';
import { labelKey } from './loaded-before.js';
import type { JobFacts } from './read-print.js';

interface Known {
  readonly facts: JobFacts;
  readonly asked: Micros;
}

/** Others' jobs whose facts are asked for in good time, so that a later one under the same label can be told from them. */
const most = 512;

export interface WantedJob {
  readonly domain: string;
  readonly label: string;
  /** Launchd had it when it was asked for the first time. */
  readonly found: boolean;
}

/** What launchd said of loaded jobs while nothing changed. */
export class KnownJobs {
  readonly #jobs = new Map<string, Known | undefined>();
  readonly #wanted: WantedJob[] = [];
  readonly #isSystem: (label: string) => boolean;

  /** `isSystem`: the system's own jobs, hundreds, which are not asked about: those that run are known by their process. */
  constructor(isSystem: (label: string) => boolean) {
    this.#isSystem = isSystem;
  }

  /** All jobs of a domain: those that are not known yet are to be asked about, those that are gone are forgotten. */
  listed(domain: string, labels: Iterable<string>, found: boolean): void {
    const present = new Set<string>();
    for (const label of labels) {
      const key = keyOf(domain, label);
      present.add(key);
      if (this.#jobs.has(key) || this.#jobs.size >= most || this.#isSystem(label)) continue;
      this.#jobs.set(key, undefined);
      this.#wanted.push({ domain, label, found });
    }
    for (const key of this.#jobs.keys())
      if (key.startsWith(`${domain}\0`) && !present.has(key)) this.#jobs.delete(key);
  }

  /** The next one to ask about. */
  next(): WantedJob | undefined {
    return this.#wanted.shift();
  }

  get waiting(): boolean {
    return this.#wanted.length > 0;
  }

  set(domain: string, label: string, known: Known): void {
    const key = keyOf(domain, label);
    if (this.#jobs.has(key) || this.#jobs.size < most) this.#jobs.set(key, known);
  }

  /** What was known before `time`. */
  at(domain: string, label: string, time: Micros): JobFacts | undefined {
    const known = this.#jobs.get(keyOf(domain, label));
    return known !== undefined && known.asked <= time ? known.facts : undefined;
  }
}

function keyOf(domain: string, label: string): string {
  return `${domain}\0${labelKey(label)}`;
}
