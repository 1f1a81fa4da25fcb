/**
 * Tells a wake-up about something new from one that is merely the rest of what has been seen already.
 *
 * The kernel queues a creation and a deletion as two wake-ups; the look made at the first may find that all is over.
 * The second must then not count as another file that came and went. All wake-ups that were queued before a look are
 * delivered in the same turn of the event loop, or in the next one when the look was not made from a wake-up: that is
 * the rule here, with `graceMs` more for systems that gather wake-ups.
 */
export class Echo {
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #gone = new Map<string, { turn: number; at: number }>();
  #turn = 1;
  #inTurn = false;
  #turnStart = 0;
  #wakes = 0;

  /** `now`: steady milliseconds. */
  constructor(graceMs: number, now: () => number) {
    this.#graceMs = graceMs;
    this.#now = now;
  }

  /** Called for each wake-up: the turn that it belongs to, when that began, and how many came in it so far. */
  wake(): { readonly turn: number; readonly start: number; readonly wakes: number } {
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#turnStart = this.#now();
      this.#wakes = 0;
      setImmediate(() => {
        this.#inTurn = false;
        this.#turn++;
      });
    }
    return { turn: this.#turn, start: this.#turnStart, wakes: ++this.#wakes };
  }

  /** A path was found to be gone. */
  gone(path: string): void {
    this.#gone.set(path, { turn: this.#turn, at: this.#now() });
  }

  /** True when a wake-up of `turn` about a path that is not there says nothing new. */
  covers(path: string, turn: number): boolean {
    const last = this.#gone.get(path);
    return last !== undefined && (turn <= last.turn || this.#now() - last.at < this.#graceMs);
  }

  /** Forgets what no wake-up can refer to any more. */
  prune(): void {
    const old = this.#now() - 1_000;
    for (const [path, { at }] of this.#gone) {
      if (at > old) return;
      this.#gone.delete(path);
    }
  }
}
