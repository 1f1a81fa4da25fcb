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
): number | undefined {
  const [left, right] = operands.map((one) => (one === undefined ? undefined : numberOf(one)));
  if (left === undefined || right === undefined) return undefined;
  const result = apply(op, [left, right], float);
  return Number.isFinite(result) ? result : undefined;
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
