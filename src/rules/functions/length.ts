import { type EqlFunction, textOf } from './function.js';

/** UTF-16 units of a text, as in Java; of an array field the length of each value, never the number of elements. */
export const length: EqlFunction = {
  name: 'length',
  evaluate: ([source]) => textOf(source)?.length,
};
