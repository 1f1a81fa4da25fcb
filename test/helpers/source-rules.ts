import { loadBuiltinRules, type Rule } from '../../src/rules/index.js';
import { sourceRuleFiles } from '../simulation/source-rule-files.js';

/**
 * The built-in rules that are made of the two source rules, and the one that infers loads: for tests that count alerts, to
 * which further rules would add theirs.
 */
export function sourceRules(): readonly Rule[] {
  return loadBuiltinRules().filter(({ meta }) =>
    sourceRuleFiles.some((name) => meta.file === `builtin/${name}`),
  );
}
