import type { Settings } from '../config/index.js';
import { type Rule, ruleDigest } from '../rules/index.js';

/** What became of reading the configuration again. Keys as `config show` writes them. */
export interface ReloadAnswer {
  /** What is in force from now on. */
  readonly changed: readonly string[];
  /** What takes force at the next start of the agent. */
  readonly restart: readonly string[];
  /** Why nothing was changed. */
  readonly refused: string | null;
}

/** Settings that a running agent takes up. All others are read once. */
const takenUp =
  /^(?:log\.level|rules\.|exceptions\.|detect\.|scan\.|retention\.(?:events|closed_alerts)$|forward\.|destination\b|policy\.)/;

export function isTakenUp(key: string): boolean {
  return takenUp.test(key);
}

/** The keys whose values differ. */
export function changedKeys(before: Settings, after: Settings): string[] {
  const values = (of: Settings) => new Map(of.origins.map(({ key, value }) => [key, JSON.stringify(value)]));
  const [old, next] = [values(before), values(after)];
  return [...new Set([...old.keys(), ...next.keys()])].filter((key) => old.get(key) !== next.get(key)).sort();
}

/** Whether two lists of rules would detect the same. */
export function sameRules(before: readonly Rule[], after: readonly Rule[]): boolean {
  const digests = (rules: readonly Rule[]) =>
    rules.map((rule) => `${rule.meta.id} ${ruleDigest(rule)}`).join('\n');
  return digests(before) === digests(after);
}

/** Whether destinations are to be opened anew. */
export function sameForwarding(before: Settings, after: Settings): boolean {
  const text = ({ destinations, forward }: Settings) => JSON.stringify([destinations, forward]);
  return text(before) === text(after);
}
