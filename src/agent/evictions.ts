import type { Clock } from '../base/clock.js';
import type { Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';

/** Gaps about what detection drops come no more often than this, milliseconds. */
const gapEveryMs = 60_000;
/** A gap names so many users. */
const mostNamed = 5;

const words: Readonly<Record<string, string>> = {
  keys: 'join keys of sequences',
  candidates: 'files that a load could be about',
  loads: 'launchctl calls that a late file could be for',
  repeats: 'files whose repeats are recognised',
  revisited: 'events that a late one could belong to',
  deferred: 'changes whose job may start later',
  judged: 'events that a revision could come for',
  unjournaled: 'events that could not be stored, which a restart would need',
};

/** Counts what detection had to drop, and says it as gaps: what was dropped, and whose events took the room. */
export class Evictions {
  readonly #clock: Clock;
  readonly #onGap: (gap: Gap) => void;
  #counts = new Map<string, Map<string, number>>();
  #since: Micros = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, onGap: (gap: Gap) => void) {
    this.#clock = clock;
    this.#onGap = onGap;
  }

  count(what: string, user: string): void {
    if (this.#counts.size === 0) this.#since = this.#clock.now();
    let users = this.#counts.get(what);
    if (users === undefined) {
      users = new Map();
      this.#counts.set(what, users);
    }
    users.set(user, (users.get(user) ?? 0) + 1);
  }

  /** Says what has been counted when it is time to, or with `all` at once. */
  tell(all = false): void {
    if (this.#counts.size === 0) return;
    const now = this.#clock.monotonic();
    if (!all && now - this.#told < gapEveryMs) return;
    this.#told = now;
    const counts = this.#counts;
    this.#counts = new Map();
    const [from, to] = [this.#since, this.#clock.now()].sort((a, b) => a - b) as [Micros, Micros];
    for (const [what, users] of counts) {
      const lost = [...users.values()].reduce((sum, count) => sum + count, 0);
      const largest = [...users].sort((a, b) => b[1] - a[1]).slice(0, mostNamed);
      const whose = largest.filter(([user]) => user !== '').map(([user, count]) => `${user}: ${count}`);
      const by = whose.length === 0 ? '' : ` (${whose.join(', ')})`;
      const detail = `detection dropped ${lost} ${words[what] ?? what} for want of room${by}`;
      this.#onGap({ sensor: 'agent', reason: 'overflow', from, to, lost, detail });
    }
  }
}
