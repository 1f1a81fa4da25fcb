import type { Automaton } from './automaton.js';

// Past so many remembered states the memory is emptied: a hostile text costs time, never memory.
const maxRemembered = 1_000;
const dead = -1;

/**
 * Runs an automaton over a text, one step a character: the deterministic states that the texts lead to are made when
 * they are first needed and remembered.
 */
export class Matcher {
  readonly #automaton: Automaton;
  /** Lowest code points of the classes, ascending, and the class of each ASCII character. */
  readonly #starts: readonly number[];
  readonly #ascii: Uint16Array;
  #sets: (readonly number[])[] = [];
  #known = new Map<string, number>();
  #ends: boolean[] = [];
  /** State times number of classes plus class: the next state plus one; 0 is not yet known. */
  #next: Int32Array;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#starts = automaton.boundaries();
    this.#ascii = Uint16Array.from({ length: 128 }, (_, point) => this.#search(point));
    this.#next = new Int32Array(0);
    this.#forget();
  }

  /** True when the whole text is in the language. */
  matches(text: string): boolean {
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      let point = text.charCodeAt(at);
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(at) as number;
        if (point > 0xffff) at++;
      }
      const kind = point < 128 ? (this.#ascii[point] as number) : this.#search(point);
      const known = this.#next[state * this.#starts.length + kind] as number;
      state = known === 0 ? this.#step(state, kind) : known - 2;
      if (state === dead) return false;
    }
    return this.#ends[state] as boolean;
  }

  #step(from: number, kind: number): number {
    const set = this.#automaton.step(this.#sets[from] as readonly number[], this.#starts[kind] as number);
    if (this.#sets.length >= maxRemembered) {
      this.#forget();
      return this.#remember(set);
    }
    const to = this.#remember(set);
    this.#next[from * this.#starts.length + kind] = to + 2;
    return to;
  }

  #remember(set: readonly number[]): number {
    if (set.length === 0) return dead;
    const key = set.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = this.#sets.push(set) - 1;
    this.#known.set(key, index);
    this.#ends.push(set.includes(this.#automaton.end));
    const needed = this.#sets.length * this.#starts.length;
    if (needed > this.#next.length) {
      const larger = new Int32Array(needed * 2);
      larger.set(this.#next);
      this.#next = larger;
    }
    return index;
  }

  /** State 0 is always the start. */
  #forget(): void {
    this.#sets = [];
    this.#known = new Map();
    this.#ends = [];
    this.#next = new Int32Array(0);
    this.#remember(this.#automaton.closure([this.#automaton.start]));
  }

  #search(point: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
