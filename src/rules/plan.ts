import type { StepCondition } from './ast.js';
import { type Condition, holds, isBound, Reducer } from './plan/condition.js';
import { Relations } from './plan/descent.js';
import { Drawer } from './plan/drawer.js';
import { explainCondition, type Verdict } from './plan/explain.js';
import { bestRequirement } from './plan/filing.js';
import { type Generated, generate } from './plan/generate.js';
import type { Bindings } from './plan/predicate.js';
import { valuesOf } from './plan/values.js';

export type { Verdict } from './plan/explain.js';
export type { Bindings } from './plan/predicate.js';

const category = ['event', 'category'];
const noBindings: Bindings = new Map();

/**
 * The conditions of all rules, compiled into one matcher. It owns no rule, only their conditions, named by their place in
 * the list it was made from. With `descendant of` among them it remembers processes, and wants every event in order.
 */
export class ConditionSet {
  readonly #conditions: readonly Condition[];
  readonly #bound: readonly boolean[];
  readonly #generated: Generated;
  readonly #drawers = new Map<string, Drawer>();
  readonly #any: Drawer;
  readonly #relations = new Relations();
  readonly #seen: Float64Array;
  #count = 0;

  constructor(steps: readonly StepCondition[]) {
    const reducer = new Reducer(this.#relations);
    this.#conditions = steps.map((step) => reducer.step(step));
    this.#bound = this.#conditions.map(isBound);
    this.#seen = new Float64Array(steps.length);
    const filed = steps.map(({ condition }) => bestRequirement(condition)?.parts);
    const read = [category, ...filed.filter((parts) => parts !== undefined)];
    this.#generated = generate(this.#conditions, read);
    const members = steps.map((step, index) => ({ index, expr: step.condition, category: step.category }));
    // Events of the category `persistence` also come under another name.
    const named = (one: string | null) => one !== null && one !== 'persistence';
    for (const name of new Set(steps.map((step) => step.category).filter(named))) {
      const mine = members.filter((member) => member.category === name);
      this.#drawers.set(name as string, new Drawer(mine, this.#generated));
    }
    this.#any = new Drawer(
      members.filter((member) => !named(member.category)),
      this.#generated,
    );
  }

  get size(): number {
    return this.#conditions.length;
  }

  /** Processes that `descendant of` forgot because there were too many. */
  get evicted(): number {
    return this.#relations.evicted;
  }

  /**
   * Adds to `hits` the indices of the conditions that hold for the document, ascending. A condition that reads a document
   * bound by an earlier step is added when it may hold: `isBound` tells, `test` decides.
   */
  match(doc: unknown, hits: number[]): void {
    const start = hits.length;
    this.#count++;
    if (!this.#relations.empty) this.#relations.observe(doc);
    this.#generated.begin(doc);
    const { judges } = this.#generated;
    const visit = (indices: readonly number[]): void => {
      for (const index of indices) {
        if (this.#seen[index] === this.#count) continue;
        this.#seen[index] = this.#count;
        if ((judges[index] as () => boolean)()) hits.push(index);
      }
    };
    this.#any.candidates(visit);
    const value = this.#generated.raw(category)();
    if (typeof value === 'string') this.#drawers.get(value)?.candidates(visit);
    else for (const one of valuesOf(value)) this.#drawers.get(String(one))?.candidates(visit);
    if (hits.length - start > 1) sortTail(hits, start);
  }

  isBound(index: number): boolean {
    return this.#bound[index] as boolean;
  }

  /** Whether one condition holds, with the documents that earlier steps bound. */
  test(index: number, doc: unknown, bindings: Bindings = noBindings): boolean {
    return holds(this.#conditions[index] as Condition, doc, bindings);
  }

  /** Every predicate of one condition, what it read and what it came to. */
  explain(index: number, doc: unknown, bindings: Bindings = noBindings): readonly Verdict[] {
    return explainCondition(this.#conditions[index] as Condition, doc, bindings);
  }
}

/** Compiles the conditions of all rules of a set into one matcher. */
export function planConditions(conditions: readonly StepCondition[]): ConditionSet {
  return new ConditionSet(conditions);
}

function sortTail(list: number[], from: number): void {
  const tail = list.splice(from).sort((a, b) => a - b);
  for (const index of tail) list.push(index);
}
