import { UserError } from '../base/errors.js';
import { didYouMean } from '../base/nearest.js';
import type { Settings } from '../config/index.js';
import { formatDiagnostic, loadBuiltinRules, loadRules, type Rule, watchPatterns } from '../rules/index.js';

/**
 * The rules that the settings ask for. Throws a UserError when a rule file does not compile (`rules/invalid`, with
 * every diagnostic) or an id that is enabled or disabled does not exist (`rules/unknown-id`): an agent that starts with
 * fewer rules than its owner believes is worse than one that says so.
 */
export function selectRules(settings: Settings): readonly Rule[] {
  const { builtin, folders, disabled, enabled } = settings.rules;
  const loaded = folders.length === 0 ? { rules: [], diagnostics: [] } : loadRules(folders);
  const [first] = loaded.diagnostics;
  if (first !== undefined) {
    const message = loaded.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n');
    throw new UserError('rules/invalid', message, {
      hint: 'Mend or remove these files: `launchwarden rules check` shows all of them.',
    });
  }
  const all = [...(builtin ? loadBuiltinRules() : []), ...loaded.rules];
  const known = new Set(all.map((rule) => rule.meta.id));
  for (const id of [...disabled, ...enabled]) {
    // Naming a built-in rule while the built-in ones are off is harmless.
    if (known.has(id) || !builtin) continue;
    const hint = didYouMean(id, known);
    throw new UserError('rules/unknown-id', `the configuration names a rule "${id}" that does not exist`, {
      ...(settings.configFile === undefined ? {} : { at: { file: settings.configFile } }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return all.filter(({ meta, launchwarden }) => {
    if (disabled.includes(meta.id)) return false;
    return launchwarden?.enabled !== false || enabled.includes(meta.id);
  });
}

/** macOS path patterns of the files that the rules look for. */
export function filePatterns(rules: readonly Rule[]): string[] {
  return watchPatterns(rules).patterns.map(({ text }) => text);
}
