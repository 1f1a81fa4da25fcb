import type { Query } from './ast.js';
import { printEql } from './eql/print.js';
import { printKql } from './kql/print.js';

/** The canonical text of a query: parsing it again gives the same tree, spans aside. */
export function printQuery(query: Query): string {
  return query.kind === 'kql' ? printKql(query) : printEql(query);
}
