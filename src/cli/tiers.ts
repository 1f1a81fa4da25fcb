import { tierOf } from '../agent/rules.js';
import { sensorKinds } from '../config/index.js';
import type { SensorKind } from '../event/event.js';
import { lookupField } from '../event/fields.js';
import { degradedReasons, type Rule, ruleRequirements, stepSights } from '../rules/index.js';
import type { CommandContext } from './context.js';
import { at, objectsAt } from './output/read.js';

export type TierName = 'endpoint-security' | 'eslogger' | 'scan';

const sensors: Record<TierName, readonly SensorKind[]> = {
  'endpoint-security': ['endpoint-security', 'file-watch', 'launchd-state'],
  eslogger: ['eslogger', 'file-watch', 'launchd-state'],
  scan: ['process-scan', 'file-watch', 'launchd-state'],
};

export const tierNames = Object.keys(sensors) as TierName[];

/** The kinds of sensor that the agent's answer to `status` says are running. */
export function runningKinds(status: unknown): SensorKind[] {
  const running = objectsAt(status, 'sensors').filter((sensor) => at(sensor, 'running') === true);
  return sensorKinds.filter((kind) => running.some((sensor) => at(sensor, 'kind') === kind));
}

/** The sensors that the agent runs; those that every Mac has when none runs, or none that answers us. */
export async function runningSensors(
  context: CommandContext,
): Promise<{ readonly tier: TierName; readonly kinds: readonly SensorKind[] }> {
  const reply = await context.askDaemon('status', undefined).catch(() => undefined);
  if (reply === undefined) return { tier: 'scan', kinds: sensors.scan };
  const kinds = runningKinds(reply.result);
  return { tier: tierNames.find((tier) => kinds.includes(sensors[tier][0]!)) ?? 'scan', kinds };
}

/** Why a rule does not see at a tier what it was written to see; empty when it does. */
export function tierReasons(rule: Rule, tier: TierName): readonly string[] {
  return degradedReasons(rule, tierOf(sensors[tier], rule));
}

/** Why a rule sees nothing at a tier: what a step of it needs comes from no sensor there; empty when it may match. */
export function blindReasons(rule: Rule, tier: TierName): readonly string[] {
  return stepSights(rule, tierOf(sensors[tier], rule)).flatMap(({ name, sight, requirements, reasons }) =>
    // That nothing comes is what a missing-event step asks for, and an until step does without.
    sight === 'none' && requirements.role !== 'missing' && requirements.role !== 'until'
      ? reasons.map((reason) => `${name} ${reason}`)
      : [],
  );
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
