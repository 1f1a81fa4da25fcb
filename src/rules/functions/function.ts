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

/** Text of a value that is text; a number or a boolean is none. */
export function textOf(value: Operand): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A number, or a text that spells one, as its mapping would read it. */
export function wholeOf(value: Operand): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : undefined;
}
