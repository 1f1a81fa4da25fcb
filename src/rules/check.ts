import type { Query } from './ast.js';
import { EqlConditionCheck } from './check/eql.js';
import { checkKql } from './check/kql.js';
import { Report } from './check/report.js';
import { checkSample, checkSequence } from './check/sequence.js';
import { diagnosticOf, type Source } from './diagnostic.js';
import type { Diagnostic } from './rule.js';

/**
 * Everything that is wrong with the meaning of a query that parsed, in the order of its text. Errors: a query that
 * cannot mean anything here. Warnings: unknown fields, comparisons that never hold, wildcards that are none.
 */
export function checkQuery(query: Query, source: Source): readonly Diagnostic[] {
  const report = new Report();
  const conditions = new EqlConditionCheck(report);
  if (query.kind === 'kql') checkKql(query.condition, report);
  else if (query.kind === 'event') conditions.step(query, query.span);
  else if (query.kind === 'sequence') checkSequence(query, conditions, report);
  else checkSample(query, conditions, report);
  return report.problems().map((problem) => diagnosticOf(source, problem));
}
