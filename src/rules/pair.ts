import type { Query, SequenceQuery } from './ast.js';

/** Whether a query is one event and then another within a time, which is all that can be deferred. */
export function isPair(query: Query): query is SequenceQuery {
  if (query.kind !== 'sequence' || query.until !== null || query.maxspan === null) return false;
  const { steps, pipes } = query;
  return (
    pipes.length === 0 && steps.length === 2 && steps.every(({ missing, runs }) => !missing && runs === 1)
  );
}
