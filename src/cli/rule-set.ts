import { UserError } from '../base/errors.js';
import { quote } from '../base/escape.js';
import { didYouMean } from '../base/nearest.js';
import type { Settings } from '../config/index.js';
import type { Diagnostic, Rule } from '../rules/index.js';
import type { CommandContext } from './context.js';
import { leastToChange, leastToRead } from './ids.js';

export interface ListedRule {
  readonly rule: Rule;
  readonly enabled: boolean;
  /** Why it is off; undefined when it is on. */
  readonly reason: string | undefined;
  /** What the running sensors do not see of it, where that is why it is off. */
  readonly degraded?: readonly string[];
}

export interface RuleSet {
  readonly rules: readonly ListedRule[];
  /** What kept files from being rules. */
  readonly diagnostics: readonly Diagnostic[];
  /** Why files were passed over whose rules run elsewhere. */
  readonly passedOver: readonly Diagnostic[];
}

/** What the configuration says about a rule. */
export function listed(rule: Rule, settings: Settings['rules']): ListedRule {
  const { id } = rule.meta;
  if (settings.disabled.includes(id))
    return { rule, enabled: false, reason: 'disabled in the configuration' };
  if (rule.launchwarden?.enabled === false && !settings.enabled.includes(id))
    return { rule, enabled: false, reason: rule.off ? 'enabled = false in its file' : 'off by default' };
  return { rule, enabled: true, reason: undefined };
}

/** The rules that the configuration names: our own first, then those of its folders. Throws a UserError for a missing folder. */
export async function loadRuleSet(context: CommandContext): Promise<RuleSet> {
  const settings = (await context.settings()).rules;
  const { loadBuiltinRules, loadRules } = await import('../rules/index.js');
  const own = settings.builtin ? loadBuiltinRules() : [];
  const loaded = loadRules(settings.folders);
  const ids = new Set(own.map((rule) => rule.meta.id));
  const further = loaded.rules.filter((rule) => !ids.has(rule.meta.id));
  return {
    rules: [...own, ...further].map((rule) => listed(rule, settings)),
    diagnostics: loaded.diagnostics,
    passedOver: loaded.passedOver,
  };
}

/**
 * As the agent judges by them: an imported rule that its sensors cannot supply is off until it is enabled by name. Without
 * an agent, by the sensors that every Mac has.
 */
export async function asJudged(context: CommandContext, set: RuleSet): Promise<RuleSet> {
  const imported = set.rules.filter(({ rule, enabled }) => enabled && !rule.meta.file.startsWith('builtin/'));
  if (imported.length === 0) return set;
  const { mutedRules } = await import('../agent/rules.js');
  const { runningSensors } = await import('./tiers.js');
  const { kinds } = await runningSensors(context);
  const settings = await context.settings();
  const muted = mutedRules(
    imported.map(({ rule }) => rule),
    settings.rules,
    kinds,
    settings.watch.mechanisms,
  );
  const rules = set.rules.map((one) => {
    const degraded = one.enabled ? muted.get(one.rule.meta.id) : undefined;
    return degraded === undefined ? one : { ...one, enabled: false, reason: 'degraded here', degraded };
  });
  return { ...set, rules };
}

/** By id, by name (any case), or by a beginning of an id that only one has. */
export function findRule(set: RuleSet, written: string): Rule | undefined {
  const rules = set.rules.map(({ rule }) => rule);
  const wanted = written.toLowerCase();
  const exact = rules.find(({ meta }) => meta.id === wanted || meta.name.toLowerCase() === wanted);
  if (exact !== undefined || wanted.length < leastToRead) return exact;
  const begun = rules.filter(({ meta }) => meta.id.startsWith(wanted));
  return begun.length === 1 ? begun[0] : undefined;
}

/** The rule that is to be changed: named by its id, its name, or at least 8 characters of its id unless `yes`. Throws a UserError. */
export function ruleToChange(set: RuleSet, written: string, yes: boolean): Rule {
  const rule = findRule(set, written);
  if (rule === undefined) throw unknownRule(set, written);
  const isWhole = [rule.meta.id, rule.meta.name.toLowerCase()].includes(written.toLowerCase());
  if (isWhole || yes || written.length >= leastToChange) return rule;
  throw new UserError('rules/short-id', `${quote(written)} is short for a change`, {
    hint: `It names ${rule.meta.id} (${rule.meta.name}). Write at least ${leastToChange} characters, or add --yes.`,
  });
}

/** Names the nearest known id or name, or those that the beginning could stand for. */
export function unknownRule(set: RuleSet, written: string): UserError {
  const begun = set.rules
    .map(({ rule }) => rule.meta.id)
    .filter((id) => id.startsWith(written.toLowerCase()));
  if (written.length >= leastToRead && begun.length > 1) {
    return new UserError('rules/ambiguous', `${begun.length} rules begin with ${quote(written)}`, {
      hint: `Write more of the id: ${begun.slice(0, 5).join(', ')}${begun.length > 5 ? ', …' : ''}.`,
    });
  }
  const known = set.rules.flatMap(({ rule }) => [rule.meta.id, rule.meta.name]);
  return new UserError('rules/unknown', `there is no rule ${quote(written)}`, {
    hint: didYouMean(written, known) ?? 'See "launchwarden rules list".',
  });
}
