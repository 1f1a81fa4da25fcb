import { foldText } from '../plan/fold.js';
import { type EqlFunction, textOf } from './function.js';

export const stringContains: EqlFunction = {
  name: 'stringContains',
  evaluate([source, part], insensitive) {
    const [text, wanted] = [textOf(source), textOf(part)];
    if (text === undefined || wanted === undefined) return undefined;
    // An empty text is in no text (eql-function-ref.md, stringContains).
    if (wanted === '') return false;
    return insensitive ? foldText(text).includes(foldText(wanted)) : text.includes(wanted);
  },
};
