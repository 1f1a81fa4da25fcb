import type { EqlFunction } from './function.js';

// What it joins comes from the event: the result must not outgrow it without bound.
const maxLength = 1_000_000;

/** The arguments one after the other as text; null when one of them is (eql-function-ref.md, concat). */
export const concat: EqlFunction = {
  name: 'concat',
  evaluate(args) {
    let text = '';
    for (const arg of args) text += String(arg);
    return text.slice(0, maxLength);
  },
};
