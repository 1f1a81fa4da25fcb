/** The built-in rules that are made of the two source rules, and the one that infers loads: their file names. */
export const sourceRuleFiles: readonly string[] = [
  'directory-service-plugin-changed.toml',
  'launch-agent-loaded-after-change.toml',
  'launch-item-found-loaded.toml',
];
