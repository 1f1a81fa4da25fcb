import type { Arithmetic, Call, Compare, Expr, Field, In, Like, Literal, Logical, Regex } from '../ast.js';
import { compute, type Operator } from '../functions/arithmetic.js';
import { functionNamed, type Operand } from '../functions/index.js';
import { isPathField } from '../path-spellings.js';
import { compileRegex } from '../regex.js';
import { distinctFields } from './fields-of.js';
import { foldText } from './fold.js';
import { eqlPattern, patternTest, type TextTest } from './like.js';
import { compareByType, type KnownType, type Now, typedTest, typeOfField, type ValueTest } from './typed.js';
import { sameValue, type Value } from './values.js';

/**
 * An expression over single values: `slots` holds the present value of each distinct field, undefined for a missing one.
 * Three-valued: undefined is null, which every operator hands on.
 */
export type Evaluate = (slots: readonly Operand[]) => Operand;

const arithmeticFunctions: Record<string, Operator> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  modulo: '%',
};

/** Compiles an expression; `slotOf` gives the place of a field in `slots`, `now` what dates count from. */
export function compileEvaluate(expr: Expr, slotOf: (field: Field) => number, now: Now): Evaluate {
  const compile = (one: Expr): Evaluate => compileEvaluate(one, slotOf, now);
  switch (expr.kind) {
    case 'literal':
      return constant(expr);
    case 'field': {
      const slot = slotOf(expr);
      return (slots) => slots[slot];
    }
    case 'compare':
      return comparison(expr, [compile(expr.left), compile(expr.right)], now);
    case 'in':
      return membership(expr, compile, now);
    case 'like':
      return likeness(expr, compile);
    case 'regex':
      return regularity(expr, compile(expr.value));
    case 'call':
      return call(expr, compile);
    case 'arithmetic':
      return arithmetic(expr.op, [expr.left, expr.right], compile);
    case 'negate': {
      const operand = compile(expr.operand);
      return (slots) => compute('-', [0, operand(slots)], false);
    }
    case 'not': {
      const operand = compile(expr.operand);
      return (slots) => {
        const value = truth(operand(slots));
        return value === undefined ? undefined : !value;
      };
    }
    case 'and':
    case 'or':
      return logical(expr, compile);
    default:
      // What has no value inside an expression: the KQL nodes and `descendant of` are conditions of their own.
      return () => undefined;
  }
}

function constant({ value }: Literal): Evaluate {
  const result = value === null ? undefined : value;
  return () => result;
}

function truth(value: Operand): boolean | undefined {
  return value === undefined ? undefined : value === true || value === 'true';
}

function comparison(
  { op, ...sides }: Compare,
  [left, right]: readonly [Evaluate, Evaluate],
  now: Now,
): Evaluate {
  if (isNull(sides.left) || isNull(sides.right)) {
    // The one comparison that null does not turn into null: it asks for it.
    if (op !== '==' && op !== '!=') return () => undefined;
    const other = isNull(sides.left) ? right : left;
    return (slots) => (other(slots) === undefined) === (op === '==');
  }
  const [literalRight, literalLeft] = [typed(op, sides, now), typed(flipped[op], swapped(sides), now)];
  const test = literalRight ?? literalLeft;
  if (test !== undefined) {
    const subject = literalRight === undefined ? right : left;
    return (slots) => {
      const value = subject(slots);
      return value === undefined ? undefined : test(value);
    };
  }
  const type = fieldType(sides.left) ?? fieldType(sides.right);
  return (slots) => {
    const [a, b] = [left(slots), right(slots)];
    return a === undefined || b === undefined ? undefined : compareByType(op, type, [a, b]);
  };
}

type Sides = Pick<Compare, 'left' | 'right'>;

const swapped = ({ left, right }: Sides): Sides => ({ left: right, right: left });

/** What an operator becomes when its sides change places. */
export const flipped = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const;

/** Of a field on the left and a literal on the right, when the field's type decides. */
function typed(op: Compare['op'], { left, right }: Sides, now: Now): ValueTest | undefined {
  if (left.kind !== 'field' || right.kind !== 'literal' || right.value === null) return undefined;
  return typedTest(op, right.value, { type: fieldType(left), now });
}

function fieldType(expr: Expr): KnownType {
  return expr.kind === 'field' ? typeOfField(expr.path.join('.')) : undefined;
}

/** Null as written, or what is null whatever the event holds: `concat("a", null)` (Elasticsearch folds constants). */
export function isNull(expr: Expr): boolean {
  if (expr.kind === 'literal') return expr.value === null;
  if (expr.kind !== 'call' && expr.kind !== 'arithmetic' && expr.kind !== 'negate') return false;
  const now: Now = { millis: 0, used: false };
  return distinctFields(expr).length === 0 && compileEvaluate(expr, () => 0, now)([]) === undefined;
}

function membership(
  { value, items, insensitive }: In,
  compile: (expr: Expr) => Evaluate,
  now: Now,
): Evaluate {
  const wanted = compile(value);
  const list = items.map((item): ((found: Value, slots: readonly Operand[]) => boolean) => {
    const test = insensitive ? undefined : typed('==', { left: value, right: item }, now);
    if (test !== undefined) return test;
    const evaluate = compile(item);
    return (found, slots) => {
      const one = evaluate(slots);
      return one !== undefined && (insensitive ? sameFolded(found, one) : sameValue(found, one));
    };
  });
  return (slots) => {
    const found = wanted(slots);
    return found === undefined ? undefined : list.some((test) => test(found, slots));
  };
}

/** Equality without regard to case. */
export function sameFolded(a: Value, b: Value): boolean {
  return foldText(String(a)) === foldText(String(b)) || sameValue(a, b);
}

function likeness({ op, value, patterns }: Like, compile: (expr: Expr) => Evaluate): Evaluate {
  const subject = compile(value);
  const insensitive = op !== 'like';
  const tests = patterns.map((pattern) => likeTest(pattern, insensitive, compile));
  return (slots) => {
    const found = subject(slots);
    if (found === undefined) return undefined;
    const text = insensitive ? foldText(String(found)) : String(found);
    return tests.some((test) => test(text, slots));
  };
}

/** Of a literal the wildcards count; what another expression gives is compared as it is. `text` comes folded. */
function likeTest(
  pattern: Expr,
  insensitive: boolean,
  compile: (expr: Expr) => Evaluate,
): (text: string, slots: readonly Operand[]) => boolean {
  const fold = insensitive ? foldText : (text: string) => text;
  if (pattern.kind === 'literal') {
    if (pattern.value === null) return () => false;
    return patternTest(eqlPattern(fold(String(pattern.value))));
  }
  const wanted = compile(pattern);
  return (text, slots) => {
    const value = wanted(slots);
    return value !== undefined && fold(String(value)) === text;
  };
}

function regularity({ value: of, patterns, insensitive }: Regex, subject: Evaluate): Evaluate {
  const isPath = of.kind === 'field' && isPathField(of.path.join('.'));
  const tests = patterns.map(
    ({ value }): TextTest =>
      value === null ? () => false : compileRegex(String(value), insensitive, isPath),
  );
  return (slots) => {
    const found = subject(slots);
    return found === undefined ? undefined : tests.some((test) => test(String(found)));
  };
}

function call({ name, args, insensitive }: Call, compile: (expr: Expr) => Evaluate): Evaluate {
  const found = functionNamed(name);
  if (found === undefined) return () => undefined;
  const operator = arithmeticFunctions[found.name];
  if (operator !== undefined && args.length === 2) {
    return arithmetic(operator, args as readonly [Expr, Expr], compile);
  }
  const operands = args.map(compile);
  return (slots) => {
    const values = operands.map((operand) => operand(slots));
    const lacking = values.some((value, index) => value === undefined && found.nullable?.(index) !== true);
    return lacking || values.length === 0 ? undefined : found.evaluate(values, insensitive);
  };
}

function arithmetic(
  op: Operator,
  [left, right]: readonly [Expr, Expr],
  compile: (expr: Expr) => Evaluate,
): Evaluate {
  const [a, b] = [compile(left), compile(right)];
  const float = isFloat(left) || isFloat(right);
  return (slots) => compute(op, [a(slots), b(slots)], float);
}

/** True when an expression is a float whatever its value: a literal with a fraction, and what is computed from one. */
function isFloat(expr: Expr): boolean {
  if (expr.kind === 'literal') return expr.float === true;
  if (expr.kind === 'negate') return isFloat(expr.operand);
  if (expr.kind === 'arithmetic') return isFloat((expr as Arithmetic).left) || isFloat(expr.right);
  return (
    expr.kind === 'call' &&
    arithmeticFunctions[functionNamed(expr.name)?.name ?? ''] !== undefined &&
    expr.args.some(isFloat)
  );
}

function logical({ kind, operands }: Logical, compile: (expr: Expr) => Evaluate): Evaluate {
  const parts = operands.map(compile);
  const decided = kind === 'or';
  return (slots) => {
    let unknown = false;
    for (const part of parts) {
      const value = truth(part(slots));
      if (value === decided) return decided;
      if (value === undefined) unknown = true;
    }
    return unknown ? undefined : !decided;
  };
}

/**
 * Calls `visit` with every combination of the fields' values, a missing field as undefined, until it returns true; at
 * most `maxCombinations`, or some of the longest list's every value when that is more: padding a list hides nothing that
 * one field alone tells. One field holds one value at a time, wherever it stands in the expression.
 */
export function eachCombination(
  values: readonly (readonly Value[])[],
  visit: (slots: readonly Operand[]) => boolean,
): boolean {
  let left = values.reduce((most, { length }) => Math.max(most, length * perValue), maxCombinations);
  const slots: Operand[] = new Array(values.length).fill(undefined);
  const step = (index: number): boolean => {
    if (index === values.length) return left-- > 0 && visit(slots);
    const choices = values[index] as readonly Value[];
    if (choices.length === 0) {
      slots[index] = undefined;
      return step(index + 1);
    }
    for (const choice of choices) {
      slots[index] = choice;
      if (step(index + 1)) return true;
      if (left <= 0) return false;
    }
    return false;
  };
  return step(0);
}

const maxCombinations = 10_000;
const perValue = 8;
