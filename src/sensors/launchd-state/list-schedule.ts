interface Due {
  due: number;
  pause: number;
  last: number;
  running: boolean;
}

/** When the list of each domain is asked for next: soon after a change, then ever less often. Monotonic milliseconds. */
export class ListSchedule {
  readonly #firstMs: number;
  readonly #largestMs: number;
  readonly #domains = new Map<string, Due>();

  constructor({ firstMs, largestMs }: { readonly firstMs: number; readonly largestMs: number }) {
    this.#firstMs = firstMs;
    this.#largestMs = largestMs;
  }

  /** Something changed that a list of this domain may tell about. */
  soon(domain: string, now: number): void {
    const known = this.#domains.get(domain);
    const due = Math.max(now + this.#firstMs, (known?.last ?? Number.NEGATIVE_INFINITY) + leastMs);
    if (known === undefined)
      this.#domains.set(domain, {
        due,
        pause: this.#firstMs,
        last: Number.NEGATIVE_INFINITY,
        running: false,
      });
    else {
      known.due = Math.min(known.due, due);
      known.pause = this.#firstMs;
    }
  }

  next(now: number): string | undefined {
    for (const [domain, one] of this.#domains) {
      if (one.running || one.due > now) continue;
      one.running = true;
      // Behind the others: each gets its turn.
      this.#domains.delete(domain);
      this.#domains.set(domain, one);
      return domain;
    }
    return undefined;
  }

  answered(domain: string, now: number): void {
    const one = this.#domains.get(domain);
    if (one === undefined) return;
    one.pause = Math.min(Math.max(one.pause * 1.6, leastMs), this.#largestMs);
    one.last = now;
    one.due = now + one.pause;
    one.running = false;
  }

  clear(): void {
    this.#domains.clear();
  }
}

/** Between two lists of one domain, however much changes. */
const leastMs = 200;
