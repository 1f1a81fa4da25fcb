import type { EqlFunction, Operand } from './function.js';

/** A value as text. */
export const string: EqlFunction = {
  name: 'string',
  evaluate: ([source]: readonly Operand[]) => String(source),
};
