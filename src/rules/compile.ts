import type { Query } from './ast.js';
import { checkQuery } from './check.js';
import { querySource, type Source } from './diagnostic.js';
import { parseEql, parseKql } from './parse.js';
import type { Diagnostic } from './rule.js';
import { spellPaths } from './spell-paths.js';

export type Compiled =
  | { readonly query: Query; readonly warnings: readonly Diagnostic[] }
  | { readonly diagnostics: readonly Diagnostic[] };

/** Parses and checks a query: its tree, or everything that is wrong with it. Never throws. */
export function compileQuery(
  language: 'eql' | 'kuery',
  text: string,
  source: Source = querySource(text),
): Compiled {
  const parsed = language === 'eql' ? parseEql(text, source) : parseKql(text, source);
  if ('diagnostics' in parsed) return parsed;
  const found = checkQuery(parsed.query, source);
  if (found.some(({ severity }) => severity === 'error')) return { diagnostics: found };
  return { query: spellPaths(parsed.query), warnings: found };
}
