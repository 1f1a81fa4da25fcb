import { UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { didYouMean } from '../base/nearest.js';
import type { Settings } from '../config/index.js';
import type { SensorKind } from '../event/event.js';
import { supplyOf } from '../event/supply.js';
import {
  type Diagnostic,
  degradedReasons,
  formatDiagnostic,
  loadBuiltinRules,
  loadRules,
  type Rule,
  ruleRequirements,
  type Tier,
  watchPatterns,
} from '../rules/index.js';
import type { EsKind } from '../sensors/endpoint-security/index.js';
import { Scope } from '../sensors/file-watch/index.js';

/** So many of the files that are passed over are named in the log. */
const namedInLog = 100;

export interface SelectedRules {
  readonly rules: readonly Rule[];
  /** Why files are passed over whose rules run elsewhere. */
  readonly passedOver: readonly Diagnostic[];
}

/**
 * The rules that the settings ask for. Throws a UserError when a rule file does not compile (`rules/invalid`, with
 * every diagnostic) or an id that is enabled does not exist (`rules/unknown-id`): an agent that starts with fewer rules than
 * its owner believes is worse than one that says so. A rule that can run on no endpoint is passed over: there is nothing
 * to mend. An id that is disabled may be that of a rule long gone.
 */
export function selectRules(settings: Settings): SelectedRules {
  const { builtin, folders, disabled, enabled } = settings.rules;
  const loaded = loadRules(folders);
  const [first] = loaded.diagnostics;
  if (first !== undefined) {
    const message = loaded.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n');
    throw new UserError('rules/invalid', message, {
      hint: 'Mend or remove these files: `launchwarden rules check` shows all of them.',
    });
  }
  const all = [...(builtin ? loadBuiltinRules() : []), ...loaded.rules];
  const known = new Set(all.map((rule) => rule.meta.id));
  for (const id of enabled) {
    // Naming a built-in rule while the built-in ones are off is harmless.
    if (known.has(id) || !builtin) continue;
    const hint = didYouMean(id, known);
    throw new UserError('rules/unknown-id', `the configuration names a rule "${id}" that does not exist`, {
      ...(settings.configFile === undefined ? {} : { at: { file: settings.configFile } }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const rules = all.filter(({ meta, launchwarden }) => {
    if (disabled.includes(meta.id)) return false;
    return launchwarden?.enabled !== false || enabled.includes(meta.id);
  });
  return { rules, passedOver: loaded.passedOver };
}

/** Says in the log which rule files were passed over. */
export function logPassedOver(passedOver: readonly Diagnostic[], log: Logger): void {
  if (passedOver.length === 0) return;
  const count = new Set(passedOver.map(({ file }) => file)).size;
  const files = passedOver.slice(0, namedInLog).map(({ file, message }) => `${file}: ${message}`);
  log.warn({ count, files }, 'rule files passed over: their rules do not run on an endpoint');
}

/** macOS path patterns of the files that the rules look for. */
export function filePatterns(rules: readonly Rule[]): string[] {
  return watchPatterns(rules).patterns.map(({ text }) => text);
}

/** Events that a rule asks for by name, and that are too many to be watched otherwise. */
const kindsOfActions: Readonly<Record<string, EsKind>> = {
  open: 'open',
  extended_attributes_delete: 'deleteextattr',
};

/** Kinds of EndpointSecurity's events, beyond the usual ones, that some rule names. */
export function kindsFor(rules: readonly Rule[]): EsKind[] {
  const actions = rules.flatMap((rule) => ruleRequirements(rule).flatMap((step) => step.actions ?? []));
  const named = new Set(actions);
  return Object.entries(kindsOfActions).flatMap(([action, kind]) => (named.has(action) ? [kind] : []));
}

/**
 * What these sensors see of what a rule looks for. All of them watch the folders that the rules name and, with
 * `mechanisms`, those in which something can persist, not the whole disk.
 */
export function tierOf(kinds: readonly SensorKind[], rule: Rule, mechanisms = true): Tier {
  const { patterns } = watchPatterns([rule]);
  // Which folders are too many to watch, Scope decides for the watcher and for eslogger; EndpointSecurity filters in the
  // kernel and refuses only what begins with a wildcard.
  const skipped = kinds.includes('endpoint-security')
    ? patterns.filter(({ text }) => !/^\/[^/*?]+(\/|$)/.test(text)).map(({ text }) => text)
    : new Scope(patterns.map(({ text }) => text)).skipped.map(({ pattern }) => pattern);
  return {
    supply: supplyOf(kinds),
    paths: patterns.filter(({ text }) => !skipped.includes(text)),
    mechanisms,
  };
}

/**
 * Rules that are off as long as only these sensors run, by id, with the reasons (DESIGN, decision 9): imported ones that
 * would be silent or too loud here. Our own stay on, and so does what `rules.enabled` names.
 */
export function mutedRules(
  rules: readonly Rule[],
  settings: Settings['rules'],
  kinds: readonly SensorKind[],
  mechanisms = true,
): ReadonlyMap<string, readonly string[]> {
  const muted = new Map<string, readonly string[]>();
  for (const rule of rules) {
    const { id, file } = rule.meta;
    if (file.startsWith('builtin/') || settings.enabled.includes(id)) continue;
    const reasons = degradedReasons(rule, tierOf(kinds, rule, mechanisms));
    if (reasons.length > 0) muted.set(id, reasons);
  }
  return muted;
}
