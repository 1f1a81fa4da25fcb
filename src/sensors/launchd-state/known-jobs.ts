import type { Micros } from '../../base/time.js';
import { labelKey } from './loaded-before.js';
import type { JobFacts } from './read-print.js';

interface Known {
  readonly facts: JobFacts;
  readonly asked: Micros;
}

/** Others' jobs whose facts are asked for in good time, so that a later one under the same label can be told from them. */
const most = 512;
/** The system's own jobs, hundreds: those that run are known by their process. */
const systemLabel = /^(?:com\.apple\.|application\.com\.apple\.|\[|0x)/;

/** What launchd said of loaded jobs while nothing changed. */
export class KnownJobs {
  readonly #jobs = new Map<string, Known | undefined>();
  readonly #wanted: { readonly domain: string; readonly label: string }[] = [];

  /** All jobs of a domain: those that are not known yet are to be asked about, those that are gone are forgotten. */
  listed(domain: string, labels: Iterable<string>): void {
    const present = new Set<string>();
    for (const label of labels) {
      const key = keyOf(domain, label);
      present.add(key);
      if (this.#jobs.has(key) || this.#jobs.size >= most || systemLabel.test(label)) continue;
      this.#jobs.set(key, undefined);
      this.#wanted.push({ domain, label });
    }
    for (const key of this.#jobs.keys())
      if (key.startsWith(`${domain}\0`) && !present.has(key)) this.#jobs.delete(key);
  }

  /** The next one to ask about. */
  next(): { readonly domain: string; readonly label: string } | undefined {
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
