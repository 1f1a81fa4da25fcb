import type { Automaton, State } from './automaton.js';
import { contains } from './char-set.js';
import { RegexFailure } from './parse.js';

// A position is an edge of the automaton: a place of the expression that takes one character. Those that may come next
// lie, for most positions, a few steps further on: all of these are moved at once.
const maxPositions = 4_096;
const maxFollowing = 65_536;
const maxOffsets = 16;
// What does not lie so is moved one by one, at every character.
const maxSingle = 32_768;

/** Positions as bits. */
type Bits = Uint32Array;

interface Move {
  readonly offset: number;
  readonly from: Bits;
}

/**
 * An automaton that is walked with all its possible places at once, as bits: what a character costs depends on the
 * expression alone, whatever the text.
 */
export class Simulation {
  readonly #automaton: Automaton;
  readonly #starts: readonly number[];
  readonly #words: number;
  /** First position of each state; as many follow as it has edges. */
  readonly #first: readonly number[];
  readonly #moves: readonly Move[];
  /** Positions with others behind them that no move takes along: they stand in `single`. */
  readonly #singles: Bits;
  readonly #single = new Map<number, readonly number[]>();
  /** Positions behind which the expression may end. */
  readonly #ends: Bits;
  /** By class: the positions that take it; made when first needed. */
  readonly #takes: (Bits | undefined)[] = [];

  /** `starts`: the lowest code point of each class. Throws RegexFailure when a character would cost too much. */
  constructor(automaton: Automaton, starts: readonly number[]) {
    this.#automaton = automaton;
    this.#starts = starts;
    const { states } = automaton;
    let positions = 0;
    this.#first = states.map(({ edges }) => {
      positions += edges.length;
      return positions - edges.length;
    });
    if (positions > maxPositions) throw tooComplex();
    this.#words = Math.ceil(positions / 32);
    this.#ends = this.#bits();
    this.#singles = this.#bits();
    const following = this.#following();
    const offsets = new Map<number, number>();
    for (const [from, list] of following.entries())
      for (const to of list) offsets.set(to - from, (offsets.get(to - from) ?? 0) + 1);
    const frequent = [...offsets].sort((a, b) => b[1] - a[1]).slice(0, maxOffsets);
    const moves = new Map(frequent.map(([offset]) => [offset, { offset, from: this.#bits() }]));
    this.#moves = [...moves.values()];
    let single = 0;
    for (const [from, list] of following.entries()) {
      const rest: number[] = [];
      for (const to of list) {
        const move = moves.get(to - from);
        if (move === undefined) rest.push(to);
        else set(move.from, from);
      }
      single += rest.length;
      if (rest.length === 0) continue;
      set(this.#singles, from);
      this.#single.set(from, rest);
    }
    if (single > maxSingle) throw tooComplex();
  }

  /** What one character costs at most, in words and positions moved. */
  get cost(): number {
    let single = 0;
    for (const list of this.#single.values()) single += list.length;
    return this.#words * (1 + this.#moves.length) + single;
  }

  /** Whether the text from `start` on leads from the states to the end. `kindOf` gives the class of a code point. */
  matches(
    states: readonly number[],
    text: string,
    { start, kindOf }: { start: number; kindOf(point: number): number },
  ): boolean {
    let now = this.#positionsOf(states);
    let next = this.#bits();
    let ended = states.includes(this.#automaton.end);
    for (let at = start; at < text.length; at++) {
      const point = text.codePointAt(at) as number;
      if (point > 0xffff) at++;
      if (!this.#take(now, kindOf(point))) return false;
      ended = meet(now, this.#ends);
      this.#advance(now, next);
      const free = now;
      now = next;
      next = free.fill(0);
    }
    return ended;
  }

  /** Leaves only the positions that take the class. False when there is none. */
  #take(positions: Bits, kind: number): boolean {
    const takes = this.#takes[kind] ?? this.#takesOf(kind);
    let any = 0;
    for (let word = 0; word < positions.length; word++) {
      positions[word] = (positions[word] as number) & (takes[word] as number);
      any |= positions[word] as number;
    }
    return any !== 0;
  }

  #advance(from: Bits, to: Bits): void {
    for (const move of this.#moves) {
      const whole = move.offset >> 5;
      const part = move.offset & 31;
      for (let word = 0; word < from.length; word++) {
        const moved = (from[word] as number) & (move.from[word] as number);
        if (moved === 0) continue;
        const target = word + whole;
        // Beyond either end of an array of numbers nothing is kept; no position is there.
        to[target] = (to[target] as number) | (moved << part);
        if (part !== 0) to[target + 1] = (to[target + 1] as number) | (moved >>> (32 - part));
      }
    }
    for (let word = 0; word < from.length; word++) {
      for (
        let left = (from[word] as number) & (this.#singles[word] as number);
        left !== 0;
        left &= left - 1
      ) {
        const position = word * 32 + 31 - Math.clz32(left & -left);
        for (const one of this.#single.get(position) as readonly number[]) set(to, one);
      }
    }
  }

  /** By position: those that may come next. */
  #following(): number[][] {
    const { states, end } = this.#automaton;
    const known = new Map<number, number[]>();
    const following: number[][] = [];
    let total = 0;
    for (const { edges } of states) {
      for (const { to } of edges) {
        const closure = known.get(to) ?? this.#automaton.closure([to]);
        known.set(to, closure);
        if (closure.includes(end)) set(this.#ends, following.length);
        const list = closure.flatMap((state) => this.#edgesOf(state));
        total += list.length;
        if (total > maxFollowing) throw tooComplex();
        following.push(list);
      }
    }
    return following;
  }

  #edgesOf(state: number): number[] {
    const { edges } = this.#automaton.states[state] as State;
    return edges.map((_, index) => (this.#first[state] as number) + index);
  }

  #positionsOf(states: readonly number[]): Bits {
    const positions = this.#bits();
    for (const state of states) for (const position of this.#edgesOf(state)) set(positions, position);
    return positions;
  }

  #takesOf(kind: number): Bits {
    const takes = this.#bits();
    const point = this.#starts[kind] as number;
    let position = 0;
    for (const { edges } of this.#automaton.states) {
      for (const edge of edges) {
        if (contains(edge.set, point)) set(takes, position);
        position++;
      }
    }
    this.#takes[kind] = takes;
    return takes;
  }

  #bits(): Bits {
    return new Uint32Array(this.#words);
  }
}

function set(bits: Bits, position: number): void {
  const word = position >> 5;
  bits[word] = (bits[word] as number) | (1 << (position & 31));
}

function meet(a: Bits, b: Bits): boolean {
  for (let word = 0; word < a.length; word++)
    if (((a[word] as number) & (b[word] as number)) !== 0) return true;
  return false;
}

function tooComplex(): RegexFailure {
  return new RegexFailure(
    'the regular expression is too complex: too many parts that may be repeated or left out',
  );
}
