import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Attacker } from '../evasions/attacker.js';
import { Campaign } from '../evasions/campaign.js';
import type { Evasion, Evidence, TierName } from '../evasions/evasion.js';
import { program } from '../simulation/mac.js';
import { elsewhere, type RuleAttack } from './attacks.js';
import { copied, type ForeignRule } from './checkout.js';
import { Theatre } from './theatre.js';

/**
 * `fired`: an alert of the rule is about the attack. `silent`: there is none. `partly`: it fired once it was switched on by
 * name, since the tier sees only some of what it is for. `blind`: the tier cannot see what the rule asks for. `unplayed`: no
 * attack of ours has the rule's id. `refused`: it is no rule that runs on an endpoint. `elsewhere`: it is not about macOS.
 */
export type RuleVerdict = 'fired' | 'silent' | 'partly' | 'blind' | 'unplayed' | 'refused' | 'elsewhere';

export interface RuleRow {
  readonly id: string;
  readonly name: string;
  readonly attack: string | undefined;
  readonly verdicts: Readonly<Record<TierName, RuleVerdict>>;
  /** Why it did not fire as it is, one line a tier. */
  readonly why: Readonly<Partial<Record<TierName, string>>>;
}

interface Sight {
  readonly ok: boolean;
  readonly errors: readonly { readonly message: string }[];
  readonly tiers: Readonly<
    Record<TierName, { readonly degraded: boolean; readonly reasons: readonly string[] }>
  >;
}

/** A rule that never matches, whatever is switched on. */
const never = /never matches|no running sensor delivers/;

/** Plays the attack of each rule against the agent with these rules alone, in each tier, unchanged. */
export async function playRules(
  rules: readonly ForeignRule[],
  {
    attacks,
    tiers,
    patienceMs = 15_000,
  }: {
    readonly attacks: Readonly<Record<string, RuleAttack>>;
    readonly tiers: readonly TierName[];
    /** How long is waited for alerts that are not there yet, milliseconds. */
    readonly patienceMs?: number;
  },
): Promise<RuleRow[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-elastic-'));
  try {
    copied(rules, folder);
    const sights = sightsOf(folder);
    const fired = new Map<TierName, ReadonlySet<string>>();
    for (const tier of tiers) {
      const played = rules.filter(
        ({ id }) =>
          attacks[id] !== undefined && standOf(sights.get(id), tier) !== 'blind' && sights.get(id)?.ok,
      );
      const how = { attacks, folder, sights, patienceMs };
      const first = await firedIn(tier, played, how);
      // On a busy machine a program may end before it is looked at.
      const again = played.filter(({ id }) => !first.has(id));
      const second = again.length === 0 ? [] : await firedIn(tier, again, how);
      fired.set(tier, new Set([...first, ...second]));
    }
    return rules.map((rule) => rowOf(rule, { attack: attacks[rule.id], sight: sights.get(rule.id), fired }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What each tier supplies for each rule, as `rules check` says it. */
function sightsOf(folder: string): ReadonlyMap<string, Sight> {
  const done = spawnSync(process.execPath, [program, 'rules', 'check', folder, '--json'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = done.stdout.split('\n').filter((line) => line !== '');
  const all = lines.map((line) => JSON.parse(line) as Sight & { readonly file?: string });
  return new Map(all.map((one) => [path.basename(one.file ?? '', '.toml'), one]));
}

function standOf(sight: Sight | undefined, tier: TierName): 'full' | 'partial' | 'blind' {
  const { degraded = false, reasons = [] } = sight?.tiers[tier] ?? {};
  if (!degraded) return 'full';
  return reasons.some((reason) => never.test(reason)) ? 'blind' : 'partial';
}

async function firedIn(
  tier: TierName,
  rules: readonly ForeignRule[],
  given: {
    readonly attacks: Readonly<Record<string, RuleAttack>>;
    readonly folder: string;
    readonly sights: ReadonlyMap<string, Sight>;
    readonly patienceMs: number;
  },
): Promise<ReadonlySet<string>> {
  const { attacks, folder, sights, patienceMs } = given;
  const partial = rules.filter(({ id }) => standOf(sights.get(id), tier) === 'partial').map(({ id }) => id);
  const config = [
    '[rules]',
    'builtin = false',
    `folders = [${JSON.stringify(folder)}]`,
    `enabled = ${JSON.stringify(partial)}`,
    '',
  ].join('\n');
  const evasions = rules.map((rule, index): Evasion => {
    const attack = attacks[rule.id] as RuleAttack;
    return {
      number: 100 + index,
      name: rule.name,
      play: async (attacker) => attack.play(new Theatre(attacker)),
      fired: (evidence, attacker) => hasFired(rule, evidence, attacker, folder),
      expected: { scan: 'detected', eslogger: 'detected' },
    };
  });
  const outcomes = await new Campaign({ tier, evasions, config, patienceMs }).run();
  const found = rules.filter((_, index) => outcomes[index]?.verdict === 'detected');
  return new Set(found.map(({ id }) => id));
}

function hasFired(rule: ForeignRule, evidence: Evidence, attacker: Attacker, folder: string): boolean {
  const isAbout = (text: string) => text.includes(attacker.label) || text.includes(`${attacker.home}/`);
  const { alerts, events } = evidence;
  if (rule.type !== 'new_terms')
    return alerts.some(({ rule_id: id, doc }) => id === rule.id && isAbout(JSON.stringify(doc)));
  // The agent learns for a day what is usual before such a rule speaks; a replay begins with nothing.
  return replayed(events.filter(isAbout), path.join(folder, `${rule.id}.toml`)) > 0;
}

/** How many alerts the events of an attack give. */
function replayed(events: readonly string[], rule: string): number {
  if (events.length === 0) return 0;
  const file = `${rule}.ndjson`;
  writeFileSync(file, events.map((one) => `${one}\n`).join(''));
  const text = execFileSync(
    process.execPath,
    [program, 'replay', '--input', file, '--rules', rule, '--json'],
    {
      encoding: 'utf8',
    },
  );
  return text.split('\n').filter((line) => line !== '').length;
}

function rowOf(
  rule: ForeignRule,
  given: {
    readonly attack: RuleAttack | undefined;
    readonly sight: Sight | undefined;
    readonly fired: ReadonlyMap<TierName, ReadonlySet<string>>;
  },
): RuleRow {
  const { attack, sight, fired } = given;
  const verdictOf = (tier: TierName): RuleVerdict => {
    if (sight?.ok !== true) return 'refused';
    if (elsewhere[rule.id] !== undefined) return 'elsewhere';
    const stand = standOf(sight, tier);
    if (stand === 'blind') return 'blind';
    if (attack === undefined || !fired.has(tier)) return 'unplayed';
    const isPartial = stand === 'partial';
    if (fired.get(tier)?.has(rule.id) !== true) return isPartial ? 'blind' : 'silent';
    return isPartial ? 'partly' : 'fired';
  };
  const whyOf = (tier: TierName) => {
    if (elsewhere[rule.id] !== undefined) return { [tier]: elsewhere[rule.id] };
    const reasons =
      sight?.ok === true ? sight.tiers[tier].reasons : (sight?.errors ?? []).map((one) => one.message);
    return reasons.length === 0 ? {} : { [tier]: reasons.join('; ') };
  };
  return {
    id: rule.id,
    name: rule.name,
    attack: attack?.what,
    verdicts: { scan: verdictOf('scan'), eslogger: verdictOf('eslogger') },
    why: { ...whyOf('scan'), ...whyOf('eslogger') },
  };
}
