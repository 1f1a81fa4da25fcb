import { foldText } from '../plan/fold.js';
import { type EqlFunction, textOf } from './function.js';

/** The text between `left` and the next `right` (with `greedy`, the last one); empty when there is none. */
export const between: EqlFunction = {
  name: 'between',
  evaluate([source, left, right, greedy], insensitive) {
    const [text, before, after] = [textOf(source), textOf(left), textOf(right)];
    if (text === undefined || before === undefined || after === undefined) return undefined;
    const fold = insensitive ? foldText : (one: string) => one;
    const searched = fold(text);
    const start = searched.indexOf(fold(before));
    if (start < 0) return '';
    const from = start + before.length;
    const end = greedy === true ? searched.lastIndexOf(fold(after)) : searched.indexOf(fold(after), from);
    return end < from ? '' : text.slice(from, end);
  },
};
