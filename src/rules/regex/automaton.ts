import { type CharSet, contains, union } from './char-set.js';
import { type Node, RegexFailure } from './parse.js';

export interface State {
  /** Where to go with a character of the set. */
  readonly edges: { readonly set: CharSet; readonly to: number }[];
  /** Where to go without a character. */
  readonly free: number[];
}

// Every state may cost time at every character. A character of the expression takes one, repetitions written out.
const maxStates = 2_000;
// For `~` and `&` (Elasticsearch's max_determinized_states is 10,000), and how many states may be visited to find them.
const maxDetermined = 2_000;
const maxDeterminedWork = 1_000_000;

/** What is left of the visits that `~` and `&` of one expression may cost. */
interface Work {
  left: number;
}

/** A non-deterministic automaton with one start and one end. */
export class Automaton {
  readonly states: State[] = [];
  readonly end: number;
  readonly #work: Work;
  #start: number;

  /** Throws RegexFailure when the expression needs too many states, or too much time to find them. */
  constructor(node: Node, work: Work = { left: maxDeterminedWork }) {
    this.#work = work;
    this.end = this.#state();
    this.#start = this.#build(node, this.end);
  }

  get start(): number {
    return this.#start;
  }

  /**
   * Lets whatever matches as `from`, or with `from` and a slash before it, match with `to` in its place as well. Throws
   * RegexFailure when there is no room for it.
   */
  alias(from: string, to: string): void {
    const at = this.#after(this.closure([this.#start]), from);
    const inside = this.#after(at, '/');
    const exact = at.includes(this.end) ? [this.#chain(to === '' ? '/' : to, this.end)] : [];
    const below = inside.length === 0 ? [] : [this.#chain(`${to}/`, this.#fork(...inside))];
    if (exact.length + below.length > 0) this.#start = this.#fork(this.#start, ...exact, ...below);
  }

  #after(states: readonly number[], text: string): readonly number[] {
    let next = states;
    for (const character of text) next = this.step(next, character.codePointAt(0) as number);
    return next;
  }

  #chain(text: string, to: number): number {
    const sets = Array.from(text, (one) => one.codePointAt(0) as number);
    return sets.reduceRight((next, point) => this.#build({ kind: 'set', set: [point, point] }, next), to);
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

  #fork(...free: readonly number[]): number {
    const state = this.#state();
    (this.states[state] as State).free.push(...free);
    return state;
  }

  /** Adds states that lead through the node to `to`. Returns the first of them. */
  #build(node: Node, to: number): number {
    switch (node.kind) {
      case 'set': {
        const state = this.#state();
        (this.states[state] as State).edges.push({ set: node.set, to });
        return state;
      }
      case 'empty-text':
        return to;
      case 'nothing':
        return this.#state();
      case 'concat':
        return node.parts.reduceRight((next, part) => this.#build(part, next), to);
      case 'union':
        return this.#union(node.parts, to);
      case 'repeat':
        return this.#repeat(simplified(node), to);
      case 'complement':
        return this.#without(node.operand, to);
      case 'intersection': {
        // What is in all of them is what is not outside of any.
        const outside = node.parts.map((operand): Node => ({ kind: 'complement', operand }));
        return this.#without({ kind: 'union', parts: outside }, to);
      }
    }
  }

  /** Alternatives of one character are one. */
  #union(parts: readonly Node[], to: number): number {
    const sets = parts.flatMap((part) => (part.kind === 'set' ? [part.set] : []));
    const others = parts.filter(({ kind }) => kind !== 'set');
    const merged: Node[] = sets.length === 0 ? [] : [{ kind: 'set', set: union(...sets) }];
    const firsts = [...merged, ...others].map((part) => this.#build(part, to));
    return firsts.length === 1 ? (firsts[0] as number) : this.#fork(...firsts);
  }

  #repeat({ operand, min, max }: Repeat, to: number): number {
    let next = max === Number.POSITIVE_INFINITY ? this.#star(operand, to) : to;
    for (let count = min; max !== Number.POSITIVE_INFINITY && count < max; count++) {
      next = this.#fork(this.#build(operand, next), to);
    }
    for (let count = 0; count < min; count++) {
      const first = this.#build(operand, next);
      // What takes no state takes none however often it is repeated.
      if (first === next) break;
      next = first;
    }
    return next;
  }

  #star(operand: Node, to: number): number {
    const state = this.#fork(to);
    (this.states[state] as State).free.push(this.#build(operand, state));
    return state;
  }

  /** Everything that the operand is not: made deterministic, its ends and the others change places. */
  #without(operand: Node, to: number): number {
    const { ends, edges } = determine(new Automaton(operand, this.#work), this.#work);
    const names = edges.map(() => this.#state());
    for (const [index, name] of names.entries()) {
      const state = this.states[name] as State;
      for (const [next, set] of edges[index] as ReadonlyMap<number, CharSet>) {
        state.edges.push({ set, to: names[next] as number });
      }
      if (!ends[index]) state.free.push(to);
    }
    return names[0] as number;
  }
}

type Repeat = Extract<Node, { kind: 'repeat' }>;

/** `(x?){m,n}` as `x{0,n}` and `(x*){m,n}` as `x*`: what may be left out is left out once, not at each repetition. */
function simplified(node: Repeat): Repeat {
  const { operand, max } = node;
  if (operand.kind !== 'repeat' || operand.min !== 0 || max === 0) return node;
  if (operand.max === 1) return simplified({ ...node, operand: operand.operand, min: 0 });
  return operand.max === Number.POSITIVE_INFINITY ? simplified(operand) : node;
}

interface Determined {
  readonly ends: readonly boolean[];
  readonly edges: readonly ReadonlyMap<number, CharSet>[];
}

/** All deterministic states; the one without any state of the automaton is among them. */
function determine(automaton: Automaton, work: Work): Determined {
  const sets: (readonly number[])[] = [automaton.closure([automaton.start])];
  const known = new Map<string, number>([[(sets[0] as number[]).join(), 0]]);
  const edges: Map<number, CharSet>[] = [];
  const starts = automaton.boundaries();
  for (let index = 0; index < sets.length; index++) {
    const ranges = new Map<number, number[]>();
    for (const [at, point] of starts.entries()) {
      const set = sets[index] as readonly number[];
      const next = automaton.step(set, point);
      const key = next.join();
      let to = known.get(key);
      work.left -= 1 + set.length + next.length;
      if (to === undefined) {
        to = sets.push(next) - 1;
        known.set(key, to);
      }
      if (sets.length > maxDetermined || work.left < 0) {
        throw new RegexFailure('the regular expression is too complex: ~ and & need too many states');
      }
      const found = ranges.get(to) ?? [];
      found.push(point, (starts[at + 1] ?? 0x110000) - 1);
      ranges.set(to, found);
    }
    edges.push(new Map([...ranges].map(([to, range]) => [to, union(range)])));
  }
  return { edges, ends: sets.map((set) => set.includes(automaton.end)) };
}
