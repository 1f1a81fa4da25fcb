import type { Automaton } from './automaton.js';
import { Simulation } from './simulation.js';

// Past so many remembered states, states behind them, or places in the table the memory is emptied: a hostile text costs
// time, never memory.
const maxRemembered = 1_000;
const maxBehind = 50_000;
const maxTable = 131_072;
// So many visits of states a text may cost for new deterministic states; the rest of it is walked without them.
const maxMaking = 20_000;
const dead = -1;

/**
 * Runs an automaton over a text, one step a character: the deterministic states that the texts lead to are made when
 * they are first needed and remembered. A text that needs new ones over and over is walked with all states at once. The time is
 * linear in the text, whatever the expression and the text.
 */
export class Matcher {
  readonly #automaton: Automaton;
  /** Lowest code points of the classes, ascending, and the class of each ASCII character. */
  readonly #starts: readonly number[];
  readonly #ascii: Uint16Array;
  readonly #most: number;
  readonly #simulation: Simulation;
  #sets: (readonly number[])[] = [];
  #behind = 0;
  #known = new Map<string, number>();
  #ends: boolean[] = [];
  /** State times number of classes plus class: the next state plus one; 0 is not yet known. */
  #next: Int32Array;
  readonly #work = { visits: 0 };

  /** Throws RegexFailure when a character could cost too much. */
  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#starts = automaton.boundaries();
    this.#simulation = new Simulation(automaton, this.#starts);
    this.#most = Math.max(8, Math.min(maxRemembered, Math.floor(maxTable / this.#starts.length)));
    this.#ascii = Uint16Array.from({ length: 128 }, (_, point) => this.#search(point));
    this.#next = new Int32Array(0);
    this.#forget();
  }

  /** Of the automaton. */
  get states(): number {
    return this.#automaton.states.length;
  }

  /** What was done so far beyond the one look-up that each character costs: visits of states, words of bits moved. */
  get visits(): number {
    return this.#work.visits;
  }

  /** True when the whole text is in the language. */
  matches(text: string): boolean {
    const most = this.#work.visits + maxMaking;
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      let point = text.charCodeAt(at);
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(at) as number;
        if (point > 0xffff) at++;
      }
      const kind = point < 128 ? (this.#ascii[point] as number) : this.#search(point);
      const known = this.#next[state * this.#starts.length + kind] as number;
      if (known === 0 && this.#work.visits > most) {
        return this.#walk(this.#sets[state] as readonly number[], text, at - (point > 0xffff ? 1 : 0));
      }
      state = known === 0 ? this.#step(state, kind) : known - 2;
      if (state === dead) return false;
    }
    return this.#ends[state] as boolean;
  }

  /** The rest of the text without deterministic states. */
  #walk(from: readonly number[], text: string, start: number): boolean {
    this.#work.visits += this.#simulation.cost * (text.length - start);
    const kindOf = (point: number) => (point < 128 ? (this.#ascii[point] as number) : this.#search(point));
    return this.#simulation.matches(from, text, { start, kindOf });
  }

  #step(from: number, kind: number): number {
    const before = this.#sets[from] as readonly number[];
    const set = this.#automaton.step(before, this.#starts[kind] as number);
    this.#work.visits += before.length + set.length;
    if (this.#sets.length >= this.#most || this.#behind > maxBehind) {
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
    this.#behind += set.length;
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
    this.#behind = 0;
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
