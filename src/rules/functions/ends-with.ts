import { foldText } from '../plan/fold.js';
import { type EqlFunction, textOf } from './function.js';

export const endsWith: EqlFunction = {
  name: 'endsWith',
  evaluate([source, suffix], insensitive) {
    const [text, end] = [textOf(source), textOf(suffix)];
    if (text === undefined || end === undefined) return undefined;
    return insensitive ? foldText(text).endsWith(foldText(end)) : text.endsWith(end);
  },
};
