import { flat } from '../base/flat.js';
import type { PlistValue } from '../base/plist/index.js';
import { type WhatRuns, whatRuns } from '../base/what-runs/index.js';

const maxText = 4_096;
const maxTexts = 256;

/** The texts of a list; a text in its place is a list of one. */
export function textsAt(value: ReadonlyMap<string, PlistValue>, key: string): string[] | undefined {
  const found = value.get(key);
  if (typeof found === 'string') return [flat(found.slice(0, maxText))];
  if (!Array.isArray(found)) return undefined;
  return found
    .slice(0, maxTexts)
    .flatMap((one) => (typeof one === 'string' ? [flat(one.slice(0, maxText))] : []));
}

/** A value deep in dictionaries and lists. */
export function valueAt(
  value: PlistValue | undefined,
  ...path: readonly (string | number)[]
): PlistValue | undefined {
  let at = value;
  for (const step of path) {
    if (at instanceof Map && typeof step === 'string') at = at.get(step);
    else if (Array.isArray(at) && typeof step === 'number') at = at[step];
    else return undefined;
  }
  return at;
}

/** A boolean, or a number in the place of one. */
export function booleanAt(value: ReadonlyMap<string, PlistValue>, key: string): boolean | undefined {
  const found = value.get(key);
  if (typeof found === 'boolean') return found;
  return typeof found === 'number' || typeof found === 'bigint' ? Boolean(found) : undefined;
}

/** A program and its arguments, which may begin with the program's own name or not. */
export function commandRuns(
  program: string | undefined,
  args: readonly string[] = [],
  itemPath?: string,
): WhatRuns[] {
  if (program === undefined || program === '') return [];
  return [whatRuns({ args: [program, ...(args[0] === program ? args.slice(1) : args)], itemPath })];
}

/** The path of a `file:` address, its escapes resolved; a path is taken as it is. Undefined for other addresses. */
export function pathOfUrl(url: string): string | undefined {
  if (url.startsWith('/')) return url.slice(0, maxText);
  const [, escaped] = /^file:\/\/(?:localhost)?(\/.*)$/is.exec(url) ?? [];
  if (escaped === undefined) return undefined;
  const bounded = escaped.slice(0, maxText);
  try {
    return withoutSlash(decodeURIComponent(bounded));
  } catch {
    return withoutSlash(bounded);
  }
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
