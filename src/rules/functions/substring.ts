import { type EqlFunction, textOf, wholeOf } from './function.js';

/** The text from `start` up to before `end`; negative positions count from the end of the text. UTF-16 units. */
export const substring: EqlFunction = {
  name: 'substring',
  nullable: (index) => index === 2,
  evaluate([source, start, end]) {
    const [text, from] = [textOf(source), wholeOf(start)];
    if (text === undefined || from === undefined) return undefined;
    const to = end === undefined ? text.length : wholeOf(end);
    return to === undefined ? undefined : text.slice(from, to);
  },
};
