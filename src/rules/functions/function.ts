import type { Value } from '../plan/values.js';

/** An argument or result: a single value, or undefined for EQL's null. */
export type Operand = Value | undefined;

/**
 * How a function of Elastic's EQL function reference computes (eql-function-ref.md). Arity and types are the checker's
 * (`signatures.ts`); here anything may come, and what cannot be computed is null.
 */
export interface EqlFunction {
  readonly name: string;
  /** Called with one value of each argument; `insensitive` for the form with `~`. */
  evaluate(args: readonly Operand[], insensitive: boolean): Operand;
  /** Arguments that may be null without making the result null. */
  readonly nullable?: (index: number) => boolean;
  /** A quicker test of the first argument, made when all others are literals; undefined when there is none. */
  prepare?(rest: readonly Operand[], insensitive: boolean): ((first: Value) => boolean) | undefined;
}

/** The text of a value; of a number or a boolean as `concat` writes it. */
export function textOf(value: Operand): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** The whole part of a number. */
export function wholeOf(value: Operand): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : undefined;
}
