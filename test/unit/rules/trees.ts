import type { Expr, Field, Literal, Query, Span, Step } from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';

/** Trees as a parser could make them: `and` and `or` flattened, numbers within range. */
const span: Span = { start: 0, end: 0 };
const nonEmpty = (unit: 'grapheme' | 'binary') => fc.string({ unit, minLength: 1, maxLength: 8 });
const name = fc.oneof(
  fc.constantFrom('process', 'name', 'file', 'path', 'event0x', '_x1', '@timestamp'),
  fc.constantFrom('and', 'sequence', 'true', 'my-field', 'a.b', '`', '6x', 'ä', ' '),
  nonEmpty('grapheme'),
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('*', '\\', '"""', '\n', 'a*b?'),
);

const number: fc.Arbitrary<Literal> = fc.oneof(
  fc.maxSafeInteger().map((value): Literal => ({ kind: 'literal', value, span })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value): Literal => ({ kind: 'literal', value, float: true, span })),
);
const literal: fc.Arbitrary<Literal> = fc.oneof(
  anyText.map((value): Literal => ({ kind: 'literal', value, span })),
  number,
  fc.constantFrom(true, false, null).map((value): Literal => ({ kind: 'literal', value, span })),
);
const field: fc.Arbitrary<Field> = fc.record({
  kind: fc.constant('field' as const),
  path: fc.array(name, { minLength: 1, maxLength: 3 }),
  optional: fc.boolean(),
  alias: fc.constant(null),
  span: fc.constant(span),
});

function logical(kind: 'and' | 'or', operand: fc.Arbitrary<Expr>): fc.Arbitrary<Expr> {
  return fc.array(operand, { minLength: 2, maxLength: 3 }).map((operands) => ({
    kind,
    operands: operands.flatMap((one) => (one.kind === kind ? one.operands : [one])),
    span,
  }));
}

export const eqlExpression: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    literal,
    field,
    fc.record({
      kind: fc.constant('compare' as const),
      op: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
      left: tie('expr'),
      right: tie('expr'),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('in' as const),
      value: tie('expr'),
      items: fc.array(tie('expr'), { minLength: 1, maxLength: 3 }),
      insensitive: fc.boolean(),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('like' as const),
      op: fc.constantFrom(':', 'like', 'like~'),
      value: tie('expr'),
      patterns: fc.array(literal, { minLength: 1, maxLength: 3 }),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('regex' as const),
      value: tie('expr'),
      patterns: fc.array(literal, { minLength: 1, maxLength: 3 }),
      insensitive: fc.boolean(),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('call' as const),
      name: fc.constantFrom('stringContains', 'length', 'unknownFunction'),
      insensitive: fc.boolean(),
      args: fc.array(tie('expr'), { maxLength: 3 }),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('arithmetic' as const),
      op: fc.constantFrom('+', '-', '*', '/', '%'),
      left: tie('expr'),
      right: tie('expr'),
      span: fc.constant(span),
    }),
    tie('expr').map((operand): Expr => ({ kind: 'negate', operand, span })),
    tie('expr').map((operand): Expr => ({ kind: 'not', operand, span })),
    logical('and', tie('expr')),
    logical('or', tie('expr')),
    fc
      .record({ category: fc.option(name), condition: tie('expr') })
      .map((query): Expr => ({ kind: 'descendant-of', query, span })),
  ),
})).expr;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('step' as const),
  category: fc.option(anyText),
  condition: eqlExpression,
  by: fc.array(field, { maxLength: 2 }),
  missing: fc.boolean(),
  runs: fc.integer({ min: 1, max: 100 }),
  alias: fc.constant(null),
  span: fc.constant(span),
});
const pipes = fc.array(
  fc.record({
    kind: fc.constantFrom('head' as const, 'tail' as const),
    count: fc.nat(),
    span: fc.constant(span),
  }),
  { maxLength: 2 },
);
const steps = fc.array(step, { minLength: 1, maxLength: 3 });
const by = fc.array(field, { maxLength: 2 });

export const eqlQuery: fc.Arbitrary<Exclude<Query, { kind: 'kql' }>> = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    category: fc.option(anyText),
    condition: eqlExpression,
    pipes,
    span: fc.constant(span),
  }),
  fc.record({
    kind: fc.constant('sequence' as const),
    by,
    maxspan: fc.option(fc.integer({ min: 1, max: 1e7 }).map((millis) => millis * 1000)),
    steps,
    until: fc.option(step.map((one) => ({ ...one, missing: false }))),
    pipes,
    span: fc.constant(span),
  }),
  fc.record({ kind: fc.constant('sample' as const), by, steps, pipes, span: fc.constant(span) }),
);

const word = fc.oneof(
  fc.constantFrom('and', 'or', 'not', 'foo and', 'NOT x', ' a ', '\t', 'C:\\x', 'a(b)', '"', '{', '<', '?'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
);
const kqlField = fc.oneof(fc.constantFrom('process.name', 'a*', '*b*c', 'and', ''), word).chain((text) =>
  fc.boolean().map((wildcard) => ({
    kind: 'kql-field' as const,
    name: text,
    wildcard: wildcard && /[^*]/.test(text) && text.includes('*'),
    span,
  })),
);
const withoutStars = word.map((text) => text.replaceAll('*', 'x'));
const kqlValue = fc.oneof(
  anyText.map((text) => ({ kind: 'exact' as const, text, quoted: true })),
  word.map((text) => ({ kind: 'exact' as const, text, quoted: false })),
  fc
    .array(fc.oneof(fc.constant(''), word), { minLength: 2, maxLength: 4 })
    // Two wildcards side by side are one, and `*` alone is no pattern but "exists".
    .map((parts) => parts.map((part, at) => (part === '' && at > 0 && at < parts.length - 1 ? 'm' : part)))
    .map((parts) => ({
      kind: 'pattern' as const,
      parts: parts.every((part) => part === '') ? ['a', ''] : parts,
    })),
);

export const kqlExpression: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .record({ field: fc.option(kqlField), value: kqlValue })
      .map((node): Expr => ({ kind: 'kql-is', ...node, span })),
    kqlField.map((node): Expr => ({ kind: 'kql-exists', field: node, span })),
    fc
      .record({
        field: kqlField,
        op: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
        value: withoutStars,
        quoted: fc.boolean(),
      })
      .map((node): Expr => ({ kind: 'kql-range', ...node, span })),
    fc
      .record({ field: kqlField, condition: tie('expr') })
      .map((node): Expr => ({ kind: 'kql-nested', ...node, span })),
    fc.constant<Expr>({ kind: 'match-all', span }),
    tie('expr').map((operand): Expr => ({ kind: 'not', operand, span })),
    logical('and', tie('expr')),
    logical('or', tie('expr')),
  ),
})).expr;

/** A tree without its spans. */
export function bare(tree: unknown): unknown {
  return JSON.parse(
    JSON.stringify(tree, (key, value) => {
      if (key === 'span') return undefined;
      return Object.is(value, -0) ? '-0' : value;
    }),
  );
}
