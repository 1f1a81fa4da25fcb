import type { Micros } from '../base/time.js';

export type Verdict = 'open' | 'match' | 'none';

/** What is complete but for the proof that something does not follow until the deadline. */
export interface Waiting {
  readonly deadline: Micros;
  verdict: Verdict;
}

/** Complete sequences in the order of their completion; they leave in that order, each once it is decided. */
export class WaitingLine<W extends Waiting> {
  readonly #capacity: number;
  #line: W[] = [];
  /** The open ones by deadline. Deadlines come nearly in order. */
  #open: W[] = [];
  #forced = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many were taken for matches before their deadline because too many waited. */
  get forced(): number {
    return this.#forced;
  }

  /** The earliest deadline that is still open. */
  get due(): Micros {
    this.#open = skip(this.#open, ({ verdict }) => verdict !== 'open');
    return this.#open[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(waiting: W): void {
    this.#line.push(waiting);
    if (waiting.verdict !== 'open') return;
    let at = this.#open.length;
    while (at > 0 && (this.#open[at - 1] as W).deadline > waiting.deadline) at--;
    if (at === this.#open.length) this.#open.push(waiting);
    else this.#open.splice(at, 0, waiting);
    if (this.#line.length > this.#capacity) {
      const [first] = this.#line;
      if (first?.verdict === 'open') {
        first.verdict = 'match';
        this.#forced++;
      }
    }
  }

  /** Decides what no event of `time` or later can undo. */
  decide(time: Micros): void {
    this.#open = skip(this.#open, (waiting) => {
      if (waiting.deadline >= time) return waiting.verdict !== 'open';
      if (waiting.verdict === 'open') waiting.verdict = 'match';
      return true;
    });
  }

  /** Takes out what is decided and has nothing undecided in front of it; only the matches. */
  take(): readonly W[] {
    const { length } = this.#line;
    if (length === 0) return this.#line;
    const before = this.#line;
    this.#line = skip(before, ({ verdict }) => verdict !== 'open');
    return before.slice(0, length - this.#line.length).filter(({ verdict }) => verdict === 'match');
  }
}

/** The list without the first elements for which `drop` holds; the same list when there are none. */
function skip<T>(list: T[], drop: (one: T) => boolean): T[] {
  let count = 0;
  while (count < list.length && drop(list[count] as T)) count++;
  return count === 0 ? list : list.slice(count);
}
