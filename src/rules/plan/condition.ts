import type { Compare, Expr, StepCondition } from '../ast.js';
import { functionNamed } from '../functions/index.js';
import type { Relations } from './descent.js';
import { foldValue } from './fold.js';
import { isPlainText, kqlPredicate } from './kql.js';
import { type Bindings, eqlPredicate, type NowOf, type Predicate } from './predicate.js';

/** A condition reduced to yes and no: two-valued, so that `not` of a comparison with a missing field is true. */
export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Condition[] }
  | { readonly kind: 'test'; readonly predicate: Predicate; readonly expr: Expr };

const never: Condition = { kind: 'constant', value: false };
const always: Condition = { kind: 'constant', value: true };

/** Reduces checked condition trees; equal expressions share one predicate. */
export class Reducer {
  readonly #shared = new Map<string, Predicate>();
  readonly #relations: Relations;
  readonly #nowOf: NowOf;
  readonly #prefix: string;

  /** `prefix`: what stands before names inside of KQL's braces. */
  constructor(relations: Relations, nowOf: NowOf, prefix = '') {
    this.#relations = relations;
    this.#nowOf = nowOf;
    this.#prefix = prefix;
  }

  /** The condition of a step, its category included. */
  step({ category, condition }: StepCondition): Condition {
    const wanted = categoryCondition(category);
    const reduced = this.reduce(condition);
    if (wanted === undefined) return reduced;
    return { kind: 'and', operands: [this.reduce(wanted), reduced] };
  }

  reduce(expr: Expr): Condition {
    switch (expr.kind) {
      case 'literal':
        return expr.value === true ? always : never;
      case 'match-all':
        return always;
      case 'not':
        return negated(this.reduce(expr.operand));
      case 'and':
      case 'or':
        return { kind: expr.kind, operands: expr.operands.map((operand) => this.reduce(operand)) };
      case 'compare':
        return this.#compare(expr);
      default:
        return this.#test(expr);
    }
  }

  /** `!=` is not `==`; a boolean expression beside true or false stands for itself (QT:functionEqualsFalse). */
  #compare(expr: Compare): Condition {
    if (expr.op !== '==' && expr.op !== '!=') return this.#test(expr);
    if (expr.op === '!=') return negated(this.#compare({ ...expr, op: '==' }));
    const [literal, other] = expr.left.kind === 'literal' ? [expr.left, expr.right] : [expr.right, expr.left];
    if (literal.kind !== 'literal' || typeof literal.value !== 'boolean' || !isCondition(other)) {
      return this.#test(expr);
    }
    const condition = this.reduce(other);
    return literal.value ? condition : negated(condition);
  }

  #test(expr: Expr): Condition {
    const key = keyOf(expr, this.#prefix);
    let predicate = this.#shared.get(key);
    if (predicate === undefined) {
      predicate = this.#compile(expr);
      this.#shared.set(key, predicate);
    }
    return { kind: 'test', predicate, expr };
  }

  #compile(expr: Expr): Predicate {
    switch (expr.kind) {
      case 'kql-is':
      case 'kql-exists':
      case 'kql-range':
      case 'kql-nested':
        return kqlPredicate(expr, {
          nowOf: this.#nowOf,
          prefix: this.#prefix,
          nested: (condition, { nowOf, prefix }) => {
            const inner = new Reducer(this.#relations, nowOf, prefix).reduce(condition);
            return (doc) => holds(inner, doc);
          },
        });
      case 'descendant-of': {
        return this.#relations.descendantOf(expr.query);
      }
      default:
        return eqlPredicate(expr, this.#nowOf);
    }
  }
}

/** The same for expressions that mean the same, wherever they stand: EQL's and KQL's equality with a text are one. */
function keyOf(expr: Expr, prefix: string): string {
  if (expr.kind === 'compare' && expr.op === '==') {
    const { left, right } = expr;
    const plain = left.kind === 'field' && left.alias === null && right.kind === 'literal';
    if (plain && typeof right.value === 'string')
      return JSON.stringify(['=', left.path.join('.'), right.value]);
  }
  if (expr.kind === 'kql-is' && isPlainText(expr, prefix)) {
    return JSON.stringify(['=', expr.field?.name, expr.value.kind === 'exact' ? expr.value.text : '']);
  }
  return JSON.stringify(expr, (name, value) =>
    name === 'span' ? undefined : typeof value === 'bigint' ? ['bigint', String(value)] : value,
  );
}

function negated(condition: Condition): Condition {
  if (condition.kind === 'constant') return condition.value ? never : always;
  return condition.kind === 'not' ? condition.operand : { kind: 'not', operand: condition };
}

const booleanFunctions: readonly string[] = ['cidrMatch', 'endsWith', 'startsWith', 'stringContains'];

function isCondition(expr: Expr): boolean {
  if (expr.kind === 'call') return booleanFunctions.includes(functionNamed(expr.name)?.name ?? '');
  return ['compare', 'in', 'like', 'regex', 'and', 'or', 'not', 'descendant-of'].includes(expr.kind);
}

/** Whose `launch_daemon` event counts, and not the file event beside it. */
const launchItemMechanisms = ['launch-agent', 'launch-daemon'];
const nowhere = { start: 0, end: 0 };

/**
 * `any` is no condition. Elastic's on-host engine calls events that tell of a launch item `persistence`; the same events
 * come as category file from its sensor, with Persistence.*. Of every other persistent item the file event counts.
 */
function categoryCondition(category: string | null): Expr | undefined {
  if (category === null) return undefined;
  const field = (...path: string[]): Expr => ({
    kind: 'field',
    path,
    optional: false,
    alias: null,
    span: nowhere,
  });
  const is = (left: Expr, op: '==' | '!=', value: string | null): Expr => ({
    kind: 'compare',
    op,
    left,
    right: { kind: 'literal', value, span: nowhere },
    span: nowhere,
  });
  const named = is(field('event', 'category'), '==', category);
  if (category !== 'persistence') return named;
  const mechanism = field('launchwarden', 'persistence', 'mechanism');
  const others = [null, ...launchItemMechanisms].map((value) => is(mechanism, '!=', value));
  return {
    kind: 'or',
    operands: [
      named,
      is(field('Persistence'), '!=', null),
      { kind: 'and', operands: [is(field('event', 'category'), '==', 'file'), ...others], span: nowhere },
    ],
    span: nowhere,
  };
}

/** The slow, plain way: walks the condition. The generated code gives the same answer. */
export function holds(condition: Condition, doc: unknown, bindings: Bindings = noBindings): boolean {
  switch (condition.kind) {
    case 'constant':
      return condition.value;
    case 'not':
      return !holds(condition.operand, doc, bindings);
    case 'and':
      return condition.operands.every((operand) => holds(operand, doc, bindings));
    case 'or':
      return condition.operands.some((operand) => holds(operand, doc, bindings));
    case 'test':
      return predicateHolds(condition.predicate, doc, bindings);
  }
}

const noBindings: Bindings = new Map();

export function predicateHolds(predicate: Predicate, doc: unknown, bindings: Bindings): boolean {
  if (predicate.kind !== 'field') return predicate.test(doc, bindings);
  const raw = predicate.read(doc);
  return predicate.test(raw, () => foldValue(raw));
}

/** True when a condition reads a document that an earlier step bound. */
export function isBound(condition: Condition): boolean {
  if (condition.kind === 'not') return isBound(condition.operand);
  if (condition.kind === 'and' || condition.kind === 'or') return condition.operands.some(isBound);
  return condition.kind === 'test' && condition.predicate.kind === 'bound';
}
