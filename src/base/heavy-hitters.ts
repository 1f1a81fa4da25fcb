/** A key that was counted, with how much of its count may have been that of keys which were given up. */
export interface Hitter {
  readonly key: string;
  readonly count: number;
  readonly error: number;
}

const maxKey = 1024;

/**
 * Counts keys of which there may be any number, in bounded memory: the ones that come most often stay. What is given up
 * is not forgotten: a key that comes later begins with the largest count that was given up, and says so as its error
 * (Metwally's space-saving, with several keys given up at once, so that adding costs constant time on average).
 */
export class HeavyHitters {
  readonly #capacity: number;
  readonly #kept: number;
  #counts = new Map<string, { count: number; readonly error: number }>();
  #floor = 0;

  /** `capacity`: keys at most; when they are exceeded a quarter of them is kept. */
  constructor(capacity = 256) {
    this.#capacity = Math.max(4, capacity);
    this.#kept = Math.ceil(this.#capacity / 4);
  }

  add(key: string): void {
    const short = key.length > maxKey ? key.slice(0, maxKey) : key;
    const known = this.#counts.get(short);
    if (known !== undefined) {
      known.count++;
      return;
    }
    if (this.#counts.size >= this.#capacity) this.#giveUp();
    this.#counts.set(short, { count: this.#floor + 1, error: this.#floor });
  }

  /** The most frequent, most first. */
  list(most: number): Hitter[] {
    return [...this.#counts]
      .map(([key, { count, error }]) => ({ key, count, error }))
      .sort(byCount)
      .slice(0, most);
  }

  #giveUp(): void {
    const all = [...this.#counts].sort((a, b) => b[1].count - a[1].count);
    this.#floor = all[this.#kept]?.[1].count ?? this.#floor;
    this.#counts = new Map(all.slice(0, this.#kept));
  }
}

function byCount(a: Hitter, b: Hitter): number {
  return b.count - a.count || (a.key < b.key ? -1 : 1);
}
