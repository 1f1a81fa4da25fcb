import type { MechanismFile } from './mechanism.js';
import { textOf } from './read.js';

/** What JSON.parse gives. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Nesting beyond which nothing is read: JSON.parse itself has no bound. */
const maxDepth = 64;

/** A JSON file, with comments and trailing commas as editors allow them; undefined when it is none. */
export function jsonOf(file: MechanismFile): Json | undefined {
  const text = textOf(file).replace(/^\ufeff/, '');
  if (!/^\s*(?:[{[]|\/[/*])/.test(text.slice(0, 4_096)) || tooDeep(text)) return undefined;
  return parsed(text) ?? parsed(withoutComments(text));
}

/** A member of an object; undefined for any other value and for what objects inherit. */
export function member(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, key))
      return undefined;
    at = (at as { readonly [key: string]: Json })[key];
  }
  return at;
}

export function membersOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

export function elementsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value.slice(0, 4_096) : undefined;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Hostile or cut: there is nothing to read.
    return undefined;
  }
}

function tooDeep(text: string): boolean {
  let depth = 0;
  for (const [one] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{[\]}]/gs)) {
    if (one === '{' || one === '[') depth++;
    else if (one === '}' || one === ']') depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

function withoutComments(text: string): string {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"?|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, (one) =>
    one.startsWith('"') ? one : ' ',
  );
  return bare.replace(/"(?:[^"\\]|\\.)*"?|,(?=\s*[}\]])/g, (one) => (one.startsWith('"') ? one : ''));
}
