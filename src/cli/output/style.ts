import { styleText } from 'node:util';
import type { CliIo, TextSink } from '../io.js';

export type StyleName = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

/** Gives a text its look; the text itself where colours are off. */
export type Style = (name: StyleName | readonly StyleName[], text: string) => string;

/**
 * Colours on a terminal, unless NO_COLOR (no-color.org: any value that is not empty) or TERM=dumb; FORCE_COLOR wins
 * over all of them, and `0` or `false` in it switches off, as in Node.js itself.
 */
export function wantsColour(io: Pick<CliIo, 'env'>, sink: TextSink): boolean {
  const force = io.env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if ((io.env['NO_COLOR'] ?? '') !== '') return false;
  return sink.isTTY && io.env['TERM'] !== 'dumb';
}

export function styleFor(io: Pick<CliIo, 'env'>, sink: TextSink): Style {
  if (!wantsColour(io, sink)) return (_name, text) => text;
  return (name, text) => styleText(name as StyleName, text, { validateStream: false });
}
