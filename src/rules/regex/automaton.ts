import { type CharSet, contains, union } from './char-set.js';
import { type Node, RegexFailure } from './parse.js';

interface State {
  /** Where to go with a character of the set. */
  readonly edges: { readonly set: CharSet; readonly to: number }[];
  /** Where to go without a character. */
  readonly free: number[];
}

interface Fragment {
  readonly start: number;
  readonly end: number;
}

// Elasticsearch's max_determinized_states is 10,000; every state costs time at every character.
const maxStates = 4_000;
const maxDetermined = 2_000;

/** A non-deterministic automaton with one start and one end. */
export class Automaton {
  readonly states: State[] = [];
  readonly start: number;
  readonly end: number;

  /** Throws RegexFailure when the expression needs too many states. */
  constructor(node: Node) {
    const { start, end } = this.#build(node);
    this.start = start;
    this.end = end;
  }

  /** The given states and all that can be reached from them without a character, sorted. */
  closure(states: Iterable<number>): number[] {
    const seen = new Set<number>(states);
    // A Set visits what is added while it is walked.
    for (const state of seen) for (const next of (this.states[state] as State).free) seen.add(next);
    return [...seen].sort((a, b) => a - b);
  }

  /** Where a set of states leads with a character. */
  step(states: readonly number[], point: number): number[] {
    const next = new Set<number>();
    for (const state of states) {
      for (const { set, to } of (this.states[state] as State).edges) if (contains(set, point)) next.add(to);
    }
    return this.closure(next);
  }

  /** The lowest code point of every class of code points that all edges treat alike, ascending. */
  boundaries(): number[] {
    const found = new Set<number>([0]);
    for (const { edges } of this.states) {
      for (const { set } of edges) {
        for (let at = 0; at < set.length; at += 2) {
          found.add(set[at] as number);
          if ((set[at + 1] as number) < 0x10ffff) found.add((set[at + 1] as number) + 1);
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #state(): number {
    if (this.states.length >= maxStates) throw new RegexFailure('the regular expression is too large');
    return this.states.push({ edges: [], free: [] }) - 1;
  }

  #link(from: number, to: number): void {
    (this.states[from] as State).free.push(to);
  }

  #build(node: Node): Fragment {
    switch (node.kind) {
      case 'set': {
        const { start, end } = this.#pair();
        (this.states[start] as State).edges.push({ set: node.set, to: end });
        return { start, end };
      }
      case 'empty-text': {
        const both = this.#pair();
        this.#link(both.start, both.end);
        return both;
      }
      case 'nothing':
        return this.#pair();
      case 'concat':
        return this.#concat(node.parts.map((part) => () => this.#build(part)));
      case 'union':
        return this.#union(node.parts.map((part) => this.#build(part)));
      case 'repeat':
        return this.#repeat(node);
      case 'complement':
        return this.#without(node.operand);
      case 'intersection': {
        // What is in all of them is what is not outside of any.
        const outside = node.parts.map((operand): Node => ({ kind: 'complement', operand }));
        return this.#without({ kind: 'union', parts: outside });
      }
    }
  }

  #pair(): Fragment {
    return { start: this.#state(), end: this.#state() };
  }

  #concat(builds: readonly (() => Fragment)[]): Fragment {
    const whole = this.#pair();
    let at = whole.start;
    for (const build of builds) {
      const part = build();
      this.#link(at, part.start);
      at = part.end;
    }
    this.#link(at, whole.end);
    return whole;
  }

  #union(parts: readonly Fragment[]): Fragment {
    const whole = this.#pair();
    for (const part of parts) {
      this.#link(whole.start, part.start);
      this.#link(part.end, whole.end);
    }
    return whole;
  }

  #repeat({ operand, min, max }: Extract<Node, { kind: 'repeat' }>): Fragment {
    const builds: (() => Fragment)[] = [];
    for (let count = 0; count < min; count++) builds.push(() => this.#build(operand));
    if (max === Number.POSITIVE_INFINITY) builds.push(() => this.#star(operand));
    else for (let count = min; count < max; count++) builds.push(() => this.#optional(operand));
    return this.#concat(builds);
  }

  #star(operand: Node): Fragment {
    const part = this.#build(operand);
    this.#link(part.start, part.end);
    this.#link(part.end, part.start);
    return part;
  }

  #optional(operand: Node): Fragment {
    const part = this.#build(operand);
    this.#link(part.start, part.end);
    return part;
  }

  /** Everything that the operand is not: made deterministic, its ends and the others change places. */
  #without(operand: Node): Fragment {
    const inner = new Automaton(operand);
    const { sets, ends, edges } = determine(inner);
    const whole = this.#pair();
    const names = sets.map(() => this.#state());
    this.#link(whole.start, names[0] as number);
    for (const [index, name] of names.entries()) {
      for (const [to, set] of edges[index] as ReadonlyMap<number, CharSet>) {
        (this.states[name] as State).edges.push({ set, to: names[to] as number });
      }
      if (!ends[index]) this.#link(name, whole.end);
    }
    return whole;
  }
}

interface Determined {
  readonly sets: readonly (readonly number[])[];
  readonly ends: readonly boolean[];
  readonly edges: readonly ReadonlyMap<number, CharSet>[];
}

/** All deterministic states; the one without any state of the automaton is among them. */
function determine(automaton: Automaton): Determined {
  const sets: (readonly number[])[] = [automaton.closure([automaton.start])];
  const known = new Map<string, number>([[(sets[0] as number[]).join(), 0]]);
  const edges: Map<number, CharSet>[] = [];
  const starts = automaton.boundaries();
  for (let index = 0; index < sets.length; index++) {
    const found = new Map<number, CharSet>();
    for (const [at, point] of starts.entries()) {
      const next = automaton.step(sets[index] as readonly number[], point);
      const key = next.join();
      let to = known.get(key);
      if (to === undefined) {
        if (sets.length >= maxDetermined) {
          throw new RegexFailure('the regular expression is too complex: ~ and & need too many states');
        }
        to = sets.push(next) - 1;
        known.set(key, to);
      }
      const range: CharSet = [point, (starts[at + 1] ?? 0x110000) - 1];
      found.set(to, union(found.get(to) ?? [], range));
    }
    edges.push(found);
  }
  return { sets, edges, ends: sets.map((set) => set.includes(automaton.end)) };
}
