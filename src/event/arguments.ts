import type { EcsDocument } from './document.js';

/** The arguments of one process, as far as they are kept. */
export interface KeptArguments {
  readonly args: readonly string[];
  /** How many there were. */
  readonly count: number;
  /** So many of `args` are the first ones; what is left out stood behind them. */
  readonly front: number;
  /** How many of `args` are not whole. */
  readonly shortened: number;
}

/** What is kept of the arguments of one process: characters of text, and arguments. */
export interface ArgumentRoom {
  readonly text: number;
  readonly most: number;
}

/** The same as in native/src/core/arguments.h. */
export const argumentRoom: ArgumentRoom = { text: 64 * 1024, most: 4_096 };
/** No path is longer (PATH_MAX is 1,024 on macOS and 4,096 on Linux). */
const longest = 4_096;
const mark = '…';

/**
 * All arguments when there is room for them. Otherwise each one is shortened by itself to its beginning and its end, and
 * the first and the last ones are kept: no argument can hide another.
 */
export function keepArguments(given: readonly string[], room: ArgumentRoom = argumentRoom): KeptArguments {
  const count = given.length;
  let text = 0;
  if (count <= room.most)
    for (let index = 0; index < count && text <= room.text; index++) text += lengthAt(given, index) + 1;
  if (count <= room.most && text <= room.text) return { args: given, count, front: count, shortened: 0 };
  let left = room.text / 2;
  let shortened = 0;
  const most = Math.min(longest, room.text / 4);
  const taken = (index: number, into: string[]): boolean => {
    const argument = given[index] as string;
    const cost = Math.min(argument.length, most) + 1;
    if (cost > left) return false;
    left -= cost;
    if (argument.length > most) shortened++;
    into.push(argument.length > most ? shorten(argument, most) : argument);
    return true;
  };
  const first: string[] = [];
  while (first.length < Math.min(count, room.most / 2) && taken(first.length, first));
  left += room.text / 2;
  const last: string[] = [];
  while (
    first.length + last.length < count &&
    last.length < room.most / 2 &&
    taken(count - 1 - last.length, last)
  );
  return { args: [...first, ...last.reverse()], count, front: first.length, shortened };
}

function lengthAt(given: readonly string[], index: number): number {
  return (given[index] as string).length;
}

/** The beginning and the end, without half a surrogate pair on either side. */
function shorten(argument: string, most: number): string {
  const half = Math.floor((most - mark.length) / 2);
  const isLow = (index: number) => (argument.charCodeAt(index) & 0xfc00) === 0xdc00;
  const head = isLow(half) ? half - 1 : half;
  const tail = argument.length - half;
  return argument.slice(0, head) + mark + argument.slice(isLow(tail) ? tail + 1 : tail);
}

/** `process.args` and what is made of them. */
export function argumentFields({ args, count, front }: KeptArguments): {
  readonly args: string[];
  readonly args_count: number;
  readonly command_line: string;
} {
  const line =
    args.length < count ? [...args.slice(0, front), mark, ...args.slice(front)].join(' ') : args.join(' ');
  return { args: [...args], args_count: count, command_line: line };
}

/** `launchwarden.process.*` of cut arguments; undefined when they are whole. */
export function cutFields({ args, count, shortened }: KeptArguments): ProcessCutFields | undefined {
  const omitted = count - args.length;
  if (omitted === 0 && shortened === 0) return undefined;
  return { args_cut: true, args_omitted: omitted, args_shortened: shortened };
}

export interface ProcessCutFields {
  /** True when `process.args` is not all that the process was started with. */
  args_cut: boolean;
  /** How many arguments between the first and the last ones are left out; absent when nobody knows. */
  args_omitted?: number;
  /** How many of those in `process.args` are shortened to their beginning and their end. */
  args_shortened?: number;
}

/** Whether a process may have been started with more than its event says. */
export function hasHiddenArguments(doc: EcsDocument): boolean {
  return doc.launchwarden?.process?.args_cut === true;
}
