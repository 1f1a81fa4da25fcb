export type * from './ast.js';
export { formatDiagnostic } from './diagnostic.js';
export { parseEql, parseKql } from './parse.js';
export type { Diagnostic, Rule, RuleTest } from './rule.js';
