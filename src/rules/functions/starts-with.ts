import { foldText } from '../plan/fold.js';
import { type EqlFunction, textOf } from './function.js';

export const startsWith: EqlFunction = {
  name: 'startsWith',
  evaluate([source, prefix], insensitive) {
    const [text, start] = [textOf(source), textOf(prefix)];
    if (text === undefined || start === undefined) return undefined;
    return insensitive ? foldText(text).startsWith(foldText(start)) : text.startsWith(start);
  },
};
