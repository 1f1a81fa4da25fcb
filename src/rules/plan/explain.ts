import type { Span } from '../ast.js';
import { type Condition, predicateHolds } from './condition.js';
import { distinctFields } from './fields-of.js';
import type { Bindings } from './predicate.js';
import { fieldReader } from './read.js';

/** One predicate of a condition and what it came to. */
export interface Verdict {
  /** Where it stands in the query's text; 0 to 0 for the event category. */
  readonly span: Span;
  readonly holds: boolean;
  /** The fields it read, with what stood there; undefined for a missing one. */
  readonly values: readonly { readonly field: string; readonly value: unknown }[];
}

/**
 * Every predicate of a condition in the order of the text, also those that were not needed. A negated one holds when what
 * it excludes does not.
 */
export function explainCondition(condition: Condition, doc: unknown, bindings: Bindings): Verdict[] {
  if (condition.kind === 'constant') return [];
  if (condition.kind === 'not') {
    const inner = explainCondition(condition.operand, doc, bindings);
    return condition.operand.kind === 'test' ? inner.map((one) => ({ ...one, holds: !one.holds })) : inner;
  }
  if (condition.kind !== 'test') {
    return condition.operands.flatMap((operand) => explainCondition(operand, doc, bindings));
  }
  const { predicate, expr } = condition;
  const fields =
    predicate.kind === 'field'
      ? [{ alias: null, path: predicate.parts }]
      : distinctFields(expr).map(({ alias, path }) => ({ alias, path }));
  const values = fields.map(({ alias, path }) => ({
    field: (alias === null ? '' : `${alias}.`) + path.join('.'),
    value: fieldReader(path)(alias === null ? doc : bindings.get(alias)),
  }));
  return [{ span: expr.span, holds: predicateHolds(predicate, doc, bindings), values }];
}
