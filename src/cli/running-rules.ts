import { things } from '../base/count.js';
import { ruleDigest } from '../rules/index.js';
import type { CommandContext } from './context.js';
import { at } from './output/read.js';
import type { ListedRule } from './rule-set.js';

/** What the running agent judges by; undefined when none runs, or none that tells us. */
export type RunningRules = ReadonlyMap<string, string> | undefined;

/** Of the agent's answer to `status`: its rules by id, with their digests. */
export function rulesOf(status: unknown): RunningRules {
  const digests = at(status, 'rule_digests');
  if (typeof digests !== 'object' || digests === null) return undefined;
  return new Map(Object.entries(digests).map(([id, digest]) => [id, String(digest)]));
}

export async function runningRules(context: CommandContext): Promise<RunningRules> {
  const reply = await context.askDaemon('status', undefined).catch(() => undefined);
  return rulesOf(reply?.result);
}

export type Drift = 'not running' | 'still running' | 'changed';

/** How what the agent runs differs from the files for one rule; undefined when it does not, or no agent runs. */
export function driftOf({ rule, enabled, degraded }: ListedRule, running: RunningRules): Drift | undefined {
  if (running === undefined) return undefined;
  const digest = running.get(rule.meta.id);
  // One that the sensors cannot serve is loaded by the agent, and off.
  const isWanted = enabled || degraded !== undefined;
  if (digest === undefined) return isWanted ? 'not running' : undefined;
  if (!isWanted) return 'still running';
  return digest === ruleDigest(rule) ? undefined : 'changed';
}

/** What the running agent does with a rule; null when none runs. */
export function agentStateOf(one: ListedRule, running: RunningRules): string | null {
  if (running === undefined) return null;
  return driftOf(one, running) ?? (running.has(one.rule.meta.id) ? 'running' : 'off');
}

/** Says on standard error that the agent runs other rules than the files hold. */
export function tellDrift(
  context: CommandContext,
  rules: readonly ListedRule[],
  running: RunningRules,
): void {
  const known = new Set(rules.map(({ rule }) => rule.meta.id));
  const gone = [...(running?.keys() ?? [])].filter((id) => !known.has(id)).length;
  const count = rules.filter((one) => driftOf(one, running) !== undefined).length + gone;
  if (count === 0) return;
  context.io.stderr.write(
    `launchwarden: ${things(count, 'rule differs', 'rules differ')} from what the running agent judges by: restart it\n`,
  );
}
