import type { KqlQuery, Query } from './ast.js';
import { diagnosticOf, querySource, type Source, SyntaxFailure } from './diagnostic.js';
import { type EqlQuery, parseEqlText } from './eql/parser.js';
import { parseKqlText } from './kql/parser.js';
import type { Diagnostic } from './rule.js';

export type Parsed<Q extends Query> = { readonly query: Q } | { readonly diagnostics: readonly Diagnostic[] };

/** The tree of an EQL query, or the first thing that is wrong with its syntax. Never throws. */
export function parseEql(text: string, source: Source = querySource(text)): Parsed<EqlQuery> {
  return parsed(() => parseEqlText(text), source);
}

/** As parseEql, for KQL. */
export function parseKql(text: string, source: Source = querySource(text)): Parsed<KqlQuery> {
  return parsed(() => parseKqlText(text), source);
}

function parsed<Q extends Query>(parse: () => Q, source: Source): Parsed<Q> {
  try {
    return { query: parse() };
  } catch (failure) {
    if (!(failure instanceof SyntaxFailure)) throw failure;
    return { diagnostics: [diagnosticOf(source, failure.problem)] };
  }
}
