/** How many launchctl processes may be started: so many a second, and so many at once after a quiet while. */
export class CallBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: number | undefined;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /** `now`: monotonic milliseconds. */
  allows(now: number): boolean {
    const passed = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    this.#left = Math.min(this.#burst, this.#left + (passed / 1_000) * this.#perSecond);
    return this.#left >= 1;
  }

  /** Counts a call, also one that a piece of work needs beyond what is left. */
  spend(): void {
    this.#left--;
  }
}
