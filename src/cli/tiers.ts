import { tierOf } from '../agent/rules.js';
import type { SensorKind } from '../event/event.js';
import { lookupField } from '../event/fields.js';
import { degradedReasons, type Rule, ruleRequirements } from '../rules/index.js';

export type TierName = 'endpoint-security' | 'eslogger' | 'scan';

const sensors: Record<TierName, readonly SensorKind[]> = {
  'endpoint-security': ['endpoint-security', 'launchd-state'],
  eslogger: ['eslogger', 'launchd-state'],
  scan: ['process-scan', 'file-watch', 'launchd-state'],
};

export const tierNames = Object.keys(sensors) as TierName[];

/** Why a rule does not see at a tier what it was written to see; empty when it does. */
export function tierReasons(rule: Rule, tier: TierName): readonly string[] {
  return degradedReasons(rule, tierOf(sensors[tier], rule));
}

/** Fields that a rule reads and that no sensor of ours fills. */
export function unfilledFields(rule: Rule): string[] {
  const names = ruleRequirements(rule).flatMap((step) => [
    ...step.required,
    ...step.alternative,
    ...step.negated,
  ]);
  const unfilled = names.filter((name) => {
    if (name.includes('*')) return false;
    const filledBy = lookupField(name)?.filledBy;
    return filledBy === undefined || Object.keys(filledBy).length === 0;
  });
  return [...new Set(unfilled)].sort();
}
