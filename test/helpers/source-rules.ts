import { loadBuiltinRules, type Rule } from '../../src/rules/index.js';

/** Their names in the folder of built-in rules. */
export const sourceRuleFiles: readonly string[] = [
  'directory-service-plugin-changed.toml',
  'launch-agent-loaded-after-change.toml',
  'launch-item-found-loaded.toml',
];

/**
 * The built-in rules that are made of the two source rules, and the one that infers loads: for tests that count alerts, to
 * which further rules would add theirs.
 */
export function sourceRules(): readonly Rule[] {
  return loadBuiltinRules().filter(({ meta }) =>
    sourceRuleFiles.some((name) => meta.file === `builtin/${name}`),
  );
}
