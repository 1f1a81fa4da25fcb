import { add } from './add.js';
import { between } from './between.js';
import { cidrMatch } from './cidr-match.js';
import { concat } from './concat.js';
import { divide } from './divide.js';
import { endsWith } from './ends-with.js';
import type { EqlFunction } from './function.js';
import { indexOf } from './index-of.js';
import { length } from './length.js';
import { modulo } from './modulo.js';
import { multiply } from './multiply.js';
import { number } from './number.js';
import { startsWith } from './starts-with.js';
import { string } from './string.js';
import { stringContains } from './string-contains.js';
import { substring } from './substring.js';
import { subtract } from './subtract.js';

const functions: readonly EqlFunction[] = [
  add,
  between,
  cidrMatch,
  concat,
  divide,
  endsWith,
  indexOf,
  length,
  modulo,
  multiply,
  number,
  startsWith,
  string,
  stringContains,
  substring,
  subtract,
];

const byName: ReadonlyMap<string, EqlFunction> = new Map(
  functions.map((one) => [one.name.toLowerCase(), one]),
);

/** Function names are case-insensitive (`cidrmatch`). */
export function functionNamed(name: string): EqlFunction | undefined {
  return byName.get(name.toLowerCase());
}

export type { EqlFunction, Operand } from './function.js';
