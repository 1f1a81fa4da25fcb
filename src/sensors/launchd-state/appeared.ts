import type { Micros } from '../../base/time.js';
import type { WatchedItem } from './watched-items.js';

/** A job that was in a list of a domain and not in the one before, or whose process is another one than it was. */
export interface AppearedJob {
  readonly domain: string;
  readonly label: string;
  /** When the list was asked for that did not have it, and when the one was answered that has it. */
  readonly known: Micros;
  readonly seen: Micros;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** The item with this label, when there is one; else the job's path tells which item it belongs to. */
  readonly item?: WatchedItem;
  /** The list that showed it may be forged. */
  readonly odd: boolean;
}

/** Jobs that wait for a question of their own, a bounded number by domain, and those that may belong to an item that is not known yet. */
export class AppearedJobs {
  readonly #most: number;
  readonly #waiting = new Map<string, AppearedJob[]>();
  readonly #earlier = new Map<string, AppearedJob[]>();
  /** Jobs that were not asked about, since too many appeared at once. */
  dropped = 0;
  droppedIn: string | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** To be asked about, as soon as it is its domain's turn. */
  add(job: AppearedJob): void {
    const jobs = this.#waiting.get(job.domain) ?? [];
    if (jobs.some((one) => one.label === job.label && one.item === job.item)) return;
    if (jobs.length >= this.#most) {
      this.dropped++;
      this.droppedIn = job.domain;
      return;
    }
    this.#waiting.set(job.domain, [...jobs, job]);
  }

  /** Nobody's yet: kept for an item that is told about later. */
  keep(job: AppearedJob): void {
    this.#earlier.set(job.domain, [...(this.#earlier.get(job.domain) ?? []), job].slice(-this.#most));
  }

  /** Those that an item which changed at `changed` may be about. */
  since(changed: Micros, domains: readonly string[], oldest: number): readonly AppearedJob[] {
    const found: AppearedJob[] = [];
    for (const domain of domains) {
      const jobs = (this.#earlier.get(domain) ?? []).filter(({ at }) => at >= oldest);
      if (jobs.length === 0) this.#earlier.delete(domain);
      else this.#earlier.set(domain, jobs);
      found.push(...jobs.filter(({ seen }) => seen >= changed));
    }
    return found;
  }

  /** The next one, one domain after the other. */
  next(): AppearedJob | undefined {
    for (const [domain, [job, ...rest]] of this.#waiting) {
      this.#waiting.delete(domain);
      if (rest.length > 0) this.#waiting.set(domain, rest);
      return job;
    }
    return undefined;
  }
}
