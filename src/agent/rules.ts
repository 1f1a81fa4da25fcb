import { UserError } from '../base/errors.js';
import { escapeText } from '../base/escape.js';
import type { Logger } from '../base/log.js';
import { didYouMean } from '../base/nearest.js';
import type { Settings } from '../config/index.js';
import type { SensorKind } from '../event/event.js';
import type { RuleMeta } from '../event/rule-meta.js';
import { supplyOf } from '../event/supply.js';
import {
  type Diagnostic,
  degradedReasons,
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
  /** The built-in rules that are on unless somebody switches them off; undefined when all of them are off. */
  readonly usual: readonly RuleMeta[] | undefined;
  /** Rules that are there and switched off. */
  readonly off: number;
  /** Why files are passed over whose rules run elsewhere. */
  readonly passedOver: readonly Diagnostic[];
  /** One line each: rule files that do not compile, folders that cannot be read, ids that name no rule. */
  readonly parked: readonly string[];
}

/**
 * The rules that the settings ask for. What cannot be used is parked with its reason and keeps no other rule from
 * running: a file that does not compile, a folder that is not there, an id that is enabled and does not exist. A rule that
 * can run on no endpoint is passed over: there is nothing to mend. An id that is disabled may be that of a rule long gone.
 */
export function selectRules(settings: Pick<Settings, 'rules'>): SelectedRules {
  const { builtin, folders, disabled, enabled } = settings.rules;
  const parked: string[] = [];
  const loaded = folders.map((folder) => {
    try {
      return loadRules([folder]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      parked.push(error.message);
      return { rules: [], diagnostics: [], passedOver: [] };
    }
  });
  const diagnostics = loaded.flatMap((one) => one.diagnostics);
  const broken = new Map(diagnostics.map((one) => [one.file ?? '?', one] as const).reverse());
  for (const [file, { line, message }] of broken) parked.push(`${file}:${line}: ${message.split('\n')[0]}`);
  const byId = new Map<string, Rule>();
  const own = builtin ? loadBuiltinRules() : [];
  for (const rule of [...own, ...loaded.flatMap((one) => one.rules)]) {
    const { id, file } = rule.meta;
    const known = byId.get(id);
    if (known === undefined) byId.set(id, rule);
    else parked.push(`${file}: the rule id ${id} is already taken by ${known.meta.file}`);
  }
  const all = [...byId.values()];
  for (const id of enabled) {
    // Naming a built-in rule while the built-in ones are off is harmless.
    if (byId.has(id) || !builtin) continue;
    const hint = didYouMean(id, byId.keys());
    parked.push(
      `rules.enabled names a rule "${id}" that does not exist${hint === undefined ? '' : `. ${hint}`}`,
    );
  }
  const rules = all.filter(({ meta, launchwarden }) => {
    if (disabled.includes(meta.id)) return false;
    return launchwarden?.enabled !== false || enabled.includes(meta.id);
  });
  return {
    rules,
    usual: builtin
      ? own.filter(({ launchwarden }) => launchwarden?.enabled !== false).map(({ meta }) => meta)
      : undefined,
    off: all.length - rules.length,
    passedOver: loaded.flatMap((one) => one.passedOver),
    parked: parked.map((line) => escapeText(line).slice(0, 500)),
  };
}

/** Says in the log what of the rules is not in force, and why. */
export function logParked(parked: readonly string[], log: Logger): void {
  if (parked.length === 0) return;
  log.error(
    { count: parked.length, rules: parked.slice(0, namedInLog) },
    'rules are parked: they cannot be used, and detect nothing',
  );
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
