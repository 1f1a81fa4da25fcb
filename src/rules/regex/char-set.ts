import { foldPoint } from '../plan/fold.js';

/** Code points as sorted, disjoint, inclusive ranges: `[from, to, from, to, ...]`. */
export type CharSet = readonly number[];

const last = 0x10ffff;
export const anyChar: CharSet = [0, last];
export const digits: CharSet = [0x30, 0x39];
/** `\s` of Lucene: space, tab, line feed, carriage return. */
export const spaces: CharSet = [0x9, 0xa, 0xd, 0xd, 0x20, 0x20];
export const words: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];

/** The union of sets or of ranges in any order. */
export function union(...sets: readonly CharSet[]): CharSet {
  const ranges: [number, number][] = [];
  for (const set of sets) {
    for (let at = 0; at < set.length; at += 2) ranges.push([set[at] as number, set[at + 1] as number]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [from, to] of ranges) {
    const end = merged.at(-1);
    if (end === undefined || from > end + 1) merged.push(from, to);
    else if (to > end) merged[merged.length - 1] = to;
  }
  return merged;
}

export function complement(set: CharSet): CharSet {
  const rest: number[] = [];
  let next = 0;
  for (let at = 0; at < set.length; at += 2) {
    if ((set[at] as number) > next) rest.push(next, (set[at] as number) - 1);
    next = (set[at + 1] as number) + 1;
  }
  if (next <= last) rest.push(next, last);
  return rest;
}

export function contains(set: CharSet, point: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (point < (set[middle * 2] as number)) high = middle - 1;
    else if (point > (set[middle * 2 + 1] as number)) low = middle + 1;
    else return true;
  }
  return false;
}

// No code point above this has another case (Unicode's Adlam is the highest block with cases).
const lastCased = 0x1e943;
let cased: Int32Array | undefined;

/** The code points that fold to another one, ascending: few thousands, found once. */
function casedPoints(): Int32Array {
  if (cased !== undefined) return cased;
  const found: number[] = [];
  for (let point = 0; point <= lastCased; point++) if (foldPoint(point) !== point) found.push(point);
  cased = Int32Array.from(found);
  return cased;
}

/** What the set is after each of its code points was folded. */
export function foldSet(set: CharSet): CharSet {
  const [from = 0, to = 0] = set;
  if (set.length === 2 && from === to) {
    const folded = foldPoint(from);
    return folded === from ? set : union(set, [folded, folded]);
  }
  const points: number[] = [];
  const all = casedPoints();
  for (let at = 0; at < set.length; at += 2) {
    const [from, to] = [set[at] as number, set[at + 1] as number];
    for (let index = firstFrom(all, from); index < all.length && (all[index] as number) <= to; index++) {
      const folded = foldPoint(all[index] as number);
      points.push(folded, folded);
    }
  }
  return points.length === 0 ? set : union(set, points);
}

/** The place of the first point that is not below `from`. */
function firstFrom(points: Int32Array, from: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
