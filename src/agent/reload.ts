import type { Settings } from '../config/index.js';
import type { Mechanism } from '../mechanisms/index.js';
import { type Rule, ruleDigest } from '../rules/index.js';
import { Scope } from '../sensors/file-watch/index.js';
import { kindsFor } from './rules.js';
import { absoluteEntries, watchedBy } from './watched.js';

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
  /^(?:log\.level|rules\.|exceptions\.|detect\.|scan\.|respond\.|canary\.|retention\.|budget\.|forward\.|destination\b|policy\.)/;

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

/** Named at most; more would be read by nobody. */
const mostNamed = 20;

/** A path as a pattern means it, directly in its folders. */
const sampleOf = (pattern: string) => pattern.replaceAll(/[*?]+/g, 'x');

/** What newer rules look for and the sensors, started for older ones, do not: places of files, and kinds of events. */
export function newlyWanted(
  before: readonly Rule[],
  after: readonly Rule[],
  mechanisms: readonly Mechanism[],
): string[] {
  const [old, next] = [watchedBy(before, mechanisms), watchedBy(after, mechanisms)];
  const scope = new Scope(old.patterns, absoluteEntries(old));
  const known = new Set([...old.patterns, ...absoluteEntries(old)]);
  const unwatchable = new Scope(next.patterns, absoluteEntries(next)).skipped.map(({ pattern }) => pattern);
  const places = [...next.patterns, ...absoluteEntries(next)].filter(
    (pattern) => !known.has(pattern) && !unwatchable.includes(pattern) && !scope.covers(sampleOf(pattern)),
  );
  const kinds = kindsFor(after).filter((kind) => !kindsFor(before).includes(kind));
  return [...places, ...kinds.map((kind) => `events of kind ${kind}`)].slice(0, mostNamed);
}
