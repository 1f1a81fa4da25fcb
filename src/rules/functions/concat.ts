import type { EqlFunction } from './function.js';

// What it joins comes from the event, and calls nest: the result must not outgrow it without bound. Twice the longest
// command line that events carry.
const maxLength = 131_072;

/** The arguments one after the other as text; null when one of them is (eql-function-ref.md, concat). */
export const concat: EqlFunction = {
  name: 'concat',
  evaluate(args) {
    let text = '';
    for (const arg of args) {
      text += String(arg);
      if (text.length > maxLength) break;
    }
    return text.length > maxLength ? text.slice(0, maxLength) : text;
  },
};
