import type { Expr, StepCondition } from './ast.js';
import { type Condition, holds, isBound, Reducer } from './plan/condition.js';
import { instantOf } from './plan/dates.js';
import { Relations } from './plan/descent.js';
import { Drawer } from './plan/drawer.js';
import { explainCondition, type Verdict } from './plan/explain.js';
import { bestRequirement, requiredCategory } from './plan/filing.js';
import { category, generate } from './plan/generate.js';
import type { Bindings, NowOf } from './plan/predicate.js';
import { fieldReader } from './plan/read.js';
import { isValue } from './plan/values.js';

export type { Verdict } from './plan/explain.js';
export type { Bindings } from './plan/predicate.js';

const noBindings: Bindings = new Map();

/**
 * The conditions of all rules, compiled into one matcher. It owns no rule, only their conditions, named by their place in
 * the list it was made from. With `descendant of` among them it remembers processes, and wants every event in order.
 */
export class ConditionSet {
  readonly #conditions: readonly Condition[];
  readonly #bound: readonly boolean[];
  readonly #relations = new Relations();
  readonly #collect: (doc: unknown, hits: number[]) => void;
  /** How many conditions were asked for; behind them stand those that `descendant of` asks for. */
  readonly size: number;

  constructor(wanted: readonly StepCondition[], nowOf: NowOf) {
    const reducer = new Reducer(this.#relations, nowOf);
    const steps = [...wanted];
    this.size = wanted.length;
    // Reducing a condition may bring further ones.
    const conditions: Condition[] = [];
    for (let index = 0; index < steps.length; index++) {
      conditions.push(reducer.step(steps[index] as StepCondition));
      steps.splice(this.size, steps.length, ...this.#relations.queries);
    }
    this.#conditions = conditions;
    this.#bound = conditions.map(isBound);
    // What is filed under its category need not be asked for it again.
    const judged = steps.map((step, index) =>
      isFiled(step) ? reducer.reduce(step.condition) : (this.#conditions[index] as Condition),
    );
    const read = steps.map(({ condition }) => bestRequirement(condition)?.parts);
    const generated = generate(judged, [category, ...read.filter((parts) => parts !== undefined)]);
    const groups = new Map<string | null, { index: number; expr: Expr }[]>([[null, []]]);
    steps.forEach((step, index) => {
      const name = isFiled(step) ? step.category : requiredCategory(step.condition);
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      group.push({ index, expr: step.condition });
    });
    this.#collect = generated.matcher(
      [...groups].map(([name, members]) => {
        const drawer = new Drawer(members, generated);
        return { category: name, always: drawer.always, drawer: drawer.empty ? undefined : drawer };
      }),
    );
  }

  /** Processes that `descendant of` forgot because there were too many. */
  get evicted(): number {
    return this.#relations.evicted;
  }

  /** Whether what it says of an event depends on others that came before, of whatever kind. */
  get remembers(): boolean {
    return this.size < this.#conditions.length;
  }

  /**
   * Adds to `hits` the indices of the conditions that hold for the document, ascending. A condition that reads a document
   * bound by an earlier step is added when it may hold: `isBound` tells, `test` decides.
   */
  match(doc: unknown, hits: number[]): void {
    const start = hits.length;
    this.#collect(doc, hits);
    if (hits.length - start > 1) sortTail(hits, start);
    if (this.remembers) this.#observe(doc, hits, start);
  }

  /** Whether `match` may find a condition that holds; nothing is remembered of the document. */
  concerns(doc: unknown): boolean {
    const hits: number[] = [];
    this.#collect(doc, hits);
    return hits.length > 0;
  }

  #observe(doc: unknown, hits: number[], start: number): void {
    const matched = new Set<number>();
    while (hits.length > start && (hits.at(-1) as number) >= this.size) {
      matched.add((hits.pop() as number) - this.size);
    }
    this.#relations.observe(doc, matched);
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

/**
 * Compiles the conditions of all rules of a set into one matcher. Date math counts from `now` (milliseconds since 1970),
 * or without it from the time of each event, so that events give the same answer whenever they are judged.
 */
export function planConditions(conditions: readonly StepCondition[], now?: number): ConditionSet {
  return new ConditionSet(conditions, now === undefined ? timeOf : () => now);
}

const readTime = fieldReader(['@timestamp']);

function timeOf(doc: unknown): number {
  const value = readTime(doc);
  return (isValue(value) ? instantOf(value) : undefined) ?? 0;
}

/** Events of the category `persistence` also come under another name. */
function isFiled({ category: name }: StepCondition): boolean {
  return name !== null && name !== 'persistence';
}

function sortTail(list: number[], from: number): void {
  for (let at = from + 1; at < list.length; at++) {
    if ((list[at - 1] as number) < (list[at] as number)) continue;
    const tail = list.splice(from).sort((a, b) => a - b);
    for (const index of tail) list.push(index);
    return;
  }
}
