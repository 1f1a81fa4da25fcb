import { numberOf } from '../plan/values.js';
import type { EqlFunction, Operand } from './function.js';

export type Operator = '+' | '-' | '*' | '/' | '%';

/**
 * Arithmetic of EQL. Two whole numbers divide to a whole one, rounded down (eql-syntax.md, divide), unless `float` says
 * that one of them was written or computed as a float. Division by zero has no value.
 */
export function compute(
  op: Operator,
  operands: readonly [Operand, Operand],
  float: boolean,
): number | bigint | undefined {
  const [left, right] = operands.map((one) => (one === undefined ? undefined : numberOf(one)));
  if (left === undefined || right === undefined) return undefined;
  const result = apply(op, [Number(left), Number(right)], float);
  const isLarge =
    [left, right].some((one) => typeof one === 'bigint') || Math.abs(result) > Number.MAX_SAFE_INTEGER;
  if (isLarge && !float && isWhole(left) && isWhole(right)) {
    return applyWhole(op, [BigInt(left), BigInt(right)]);
  }
  return Number.isFinite(result) ? result : undefined;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** What a `number` would round. */
function applyWhole(op: Operator, [left, right]: readonly [bigint, bigint]): bigint | undefined {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '%':
      return right === 0n ? undefined : left % right;
    case '/': {
      if (right === 0n) return undefined;
      const quotient = left / right;
      return quotient * right !== left && left < 0n !== right < 0n ? quotient - 1n : quotient;
    }
  }
}

function apply(op: Operator, [left, right]: readonly [number, number], float: boolean): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '%':
      return left % right;
    case '/': {
      const whole = !float && Number.isInteger(left) && Number.isInteger(right);
      return whole && right !== 0 ? Math.floor(left / right) : left / right;
    }
  }
}

/** The function form of an operator: `divide(a, b)`. */
export function arithmeticFunction(name: string, op: Operator): EqlFunction {
  return { name, evaluate: ([left, right]) => compute(op, [left, right], false) };
}
