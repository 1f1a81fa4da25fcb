import { lookupField } from '../event/fields.js';
import type { SuppliedEvent, Supply } from '../event/supply.js';
import type { PathPattern } from './allowed-values.js';
import type { Rule } from './rule.js';
import { anywhere, isOfItems, readsFiles, ruleRequirements, type StepRequirements } from './scope.js';

/** What the sensors that run now deliver. */
export interface Tier {
  readonly supply: Supply;
  /** Paths whose changes are seen: all of the disk, or what fits one of the patterns. */
  readonly paths: 'all' | readonly PathPattern[];
  /** False when only what rules name is watched, and not every place in which something can persist. */
  readonly mechanisms?: boolean;
}

/**
 * Why a rule does not see here what it was written to see, one line each; empty when it does. Required fields, paths
 * and events make it silent; negated fields make it loud: a missing field makes `not` true (DESIGN, decision 9).
 */
export function degradedReasons(rule: Rule, tier: Tier): readonly string[] {
  return stepSights(rule, tier).flatMap(({ name, reasons, limits }) =>
    reasons.filter((reason) => !limits.includes(reason)).map((reason) => `${name} ${reason}`),
  );
}

/** How well the events of one step are seen. */
export interface StepSight {
  /** `the rule`, `step 2`, `the until step`, `the ancestor in step 1`. */
  readonly name: string;
  readonly requirements: StepRequirements;
  /** `none` when no event can satisfy the step, `partial` when some are missed or too many are reported. */
  readonly sight: 'full' | 'partial' | 'none';
  /** Empty when it is `full`. */
  readonly reasons: readonly string[];
  /** Those of the reasons that do not make the rule degraded: it sees where such files usually are. */
  readonly limits: readonly string[];
}

/** What is seen of each step of a rule, in their order. */
export function stepSights(rule: Rule, tier: Tier): readonly StepSight[] {
  const steps = ruleRequirements(rule);
  return steps.map((requirements) => {
    const name = steps.length === 1 ? 'the rule' : nameOf(requirements);
    if (tier.supply.anything) return { name, requirements, sight: 'full', reasons: [], limits: [] };
    const { blind, reasons } = stepReasons(requirements, tier);
    const limits = reasons.includes(onlyInHomes) ? [onlyInHomes] : [];
    const sight = blind ? 'none' : reasons.length > 0 ? 'partial' : 'full';
    return { name, requirements, sight, reasons, limits };
  });
}

function nameOf({ role, index }: StepRequirements): string {
  if (role === 'until') return 'the until step';
  if (role === 'ancestor') return `the ancestor in step ${index + 1}`;
  return `step ${index + 1}`;
}

function stepReasons(step: StepRequirements, tier: Tier): { blind: boolean; reasons: string[] } {
  const none = (reason: string) => ({ blind: true, reasons: [reason] });
  const wanted: readonly (string | null)[] = step.categories ?? [null];
  const delivered = wanted.flatMap((category) => tier.supply.eventsOf(category));
  if (delivered.length === 0)
    return none(`needs ${wanted.join(' or ')} events, which no running sensor delivers`);
  const { actions, types } = step;
  const possible = delivered.filter((event) => mayHold(step, event));
  if (possible.length === 0)
    return none(
      `needs ${(actions ?? types ?? wanted).join(' or ')} events, which no running sensor delivers`,
    );
  const reasons: string[] = [];
  const say = (names: readonly string[], text: (list: string) => string) => {
    if (names.length > 0) reasons.push(text(names.map(described).join(', ')));
  };
  // All that is required must stand on one and the same event.
  const lacking = possible
    .map((event) => absent(step.required, [event]))
    .reduce((least, names) => (names.length < least.length ? names : least));
  say(lacking, (list) => `never matches: it needs ${list}`);
  say(absent(step.alternative, possible), (list) => `misses an alternative that needs ${list}`);
  say(absent(step.negated, possible), (list) => `reports what it should leave out: it excludes by ${list}`);
  if (readsFiles(step) && wanted.includes('file')) reasons.push(...pathReasons(step, tier));
  return { blind: lacking.length > 0, reasons };
}

/** Whether a kind of event is one that the condition may hold for, by its action and type. */
function mayHold({ actions, types, without }: StepRequirements, event: SuppliedEvent): boolean {
  return (
    (actions === null || actions.includes(event.action)) &&
    (types === null || event.types.some((type) => types.includes(type))) &&
    !without.actions.includes(event.action) &&
    !event.types.some((type) => without.types.includes(type))
  );
}

/** The fields that none of these events carries. */
function absent(names: readonly string[], events: readonly SuppliedEvent[]): string[] {
  return names.filter((name) => !name.includes('*') && !events.some((event) => event.carries(name)));
}

function described(name: string): string {
  return lookupField(name) === undefined ? `${name} (not a known field)` : name;
}

const onlyInHomes =
  'looks for files by the end of their path alone: they are seen in homes, their folders of settings, and where something can persist';

function pathReasons(step: StepRequirements, tier: Tier): string[] {
  const { paths } = step;
  const watched = tier.paths;
  if (watched === 'all') return [];
  if (isOfItems(step))
    return tier.mechanisms === false
      ? ['looks at persistent items, whose places are not watched (`[watch] mechanisms`)']
      : [];
  if (paths === null && step.names !== null) return [onlyInHomes];
  if (paths === null) return ['looks at files anywhere; only some folders are watched'];
  const open = paths.filter((pattern) => !watched.some((other) => covers(other, pattern)));
  const elsewhere = open.filter((pattern) => anywhere(pattern) === undefined);
  return [
    ...(open.length > elsewhere.length ? [onlyInHomes] : []),
    ...(elsewhere.length === 0
      ? []
      : [`looks at ${elsewhere.map(({ text }) => text).join(', ')}, which is not watched`]),
  ];
}

/**
 * Whether every path that fits `needed` fits `watched`. Never true when it does not hold; a wildcard of `needed` is only
 * taken to be covered by a wildcard.
 */
export function covers(watched: PathPattern, needed: PathPattern): boolean {
  if (needed.insensitive && !watched.insensitive && /[a-z]/i.test(needed.text)) return false;
  const fold = (text: string) => (watched.insensitive ? text.toLowerCase() : text);
  const outer = [...fold(watched.text)];
  const inner = [...fold(needed.text)];
  const isAny = (pattern: PathPattern, one: string | undefined) => one === '*' && pattern.wildcards !== '';
  const isOne = (pattern: PathPattern, one: string | undefined) => one === '?' && pattern.wildcards === '*?';
  // Row by row: after the outer pattern's first i characters, which lengths of the inner one are used up.
  let used: boolean[] = [true, ...inner.map(() => false)];
  for (const one of outer) {
    const next = inner.map(() => false);
    next.push(false);
    for (let length = 0; length <= inner.length; length++) {
      const last = inner[length - 1];
      if (isAny(watched, one)) {
        next[length] = used[length] === true || (length > 0 && next[length - 1] === true);
      } else if (length > 0 && used[length - 1] === true && !isAny(needed, last)) {
        next[length] = isOne(watched, one) || (one === last && !isOne(needed, last));
      }
    }
    used = next;
  }
  return used[inner.length] === true;
}
