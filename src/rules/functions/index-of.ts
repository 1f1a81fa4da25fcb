import { foldText } from '../plan/fold.js';
import { type EqlFunction, textOf, wholeOf } from './function.js';

/** Zero-based position of the first occurrence at or after `start`; null when there is none. UTF-16 units, as in Java. */
export const indexOf: EqlFunction = {
  name: 'indexOf',
  evaluate([source, part, start], insensitive) {
    const [text, wanted] = [textOf(source), textOf(part)];
    const from = start === undefined ? 0 : wholeOf(start);
    if (text === undefined || wanted === undefined || from === undefined) return undefined;
    if (from > text.length) return undefined;
    const at = insensitive ? foldText(text).indexOf(foldText(wanted), from) : text.indexOf(wanted, from);
    return at < 0 ? undefined : at;
  },
};
