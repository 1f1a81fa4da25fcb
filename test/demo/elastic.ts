import { existsSync } from 'node:fs';
import { attacks } from '../elastic/attacks.js';
import { playRules, type RuleRow } from '../elastic/campaign.js';
import { type ForeignRule, persistenceRules } from '../elastic/checkout.js';
import { type TierName, tiers } from '../evasions/evasion.js';

const words: Readonly<Record<RuleRow['verdicts']['scan'], string>> = {
  fired: 'fires',
  partly: 'fires when switched on by name',
  silent: 'DOES NOT FIRE',
  blind: 'this tier cannot see it',
  unplayed: 'NOT PLAYED',
  refused: 'no rule for an endpoint',
  elsewhere: 'not about macOS',
};

/**
 * `npm run demo -- --elastic DIR`: takes a checkout of Elastic's rules, plays an attack of its kind for each one about
 * persistence on macOS, and says which fired. Resolves with true when each that a tier can see has fired in it.
 */
export async function playElastic(argv: readonly string[]): Promise<boolean> {
  const folders = argv.flatMap((one, index) => (argv[index - 1] === '--elastic' ? [one] : []));
  const missing = folders.find((folder) => !existsSync(folder));
  const rules = missing === undefined ? chosen(folders.flatMap(persistenceRules), argv) : [];
  if (rules.length === 0) {
    console.error(
      missing === undefined
        ? 'demo: no rule about persistence on macOS is there; name a checkout of elastic/detection-rules or elastic/protections-artifacts'
        : `demo: there is no folder ${missing}`,
    );
    return false;
  }
  const json = argv.includes('--json');
  const at = argv.indexOf('--tier');
  const chosenTiers = at === -1 ? tiers : tiers.filter((tier) => tier === argv[at + 1]);
  const rows = await playRules(rules, { attacks, tiers: chosenTiers });
  for (const row of rows)
    if (json) console.log(JSON.stringify({ schema: 'launchwarden.elastic-rule/1', ...row }));
    else for (const line of linesOf(row, chosenTiers)) console.log(line);
  const wrong = rows.filter(({ verdicts }) =>
    chosenTiers.some((tier) => verdicts[tier] === 'silent' || verdicts[tier] === 'unplayed'),
  );
  if (!json) for (const tier of chosenTiers) console.log(summary(tier, rows));
  for (const { name, id } of wrong) console.error(`demo: ${name} (${id}) is not answered for`);
  return wrong.length === 0;
}

function chosen(rules: readonly ForeignRule[], argv: readonly string[]): ForeignRule[] {
  const only = argv.flatMap((one, index) => (argv[index - 1] === '--only' ? one.split(',') : []));
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  return [...byId.values()].filter(({ id }) => only.length === 0 || only.some((one) => id.startsWith(one)));
}

function linesOf({ id, name, attack, verdicts, why }: RuleRow, of: readonly TierName[]): string[] {
  return [
    `${name}  (${id})`,
    `    attack: ${attack ?? 'none'}`,
    ...of.map((tier) => {
      const reason = verdicts[tier] === 'fired' ? undefined : why[tier];
      return `    ${tier}: ${words[verdicts[tier]]}${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}`;
    }),
  ];
}

function summary(tier: TierName, rows: readonly RuleRow[]): string {
  const count = (...verdicts: readonly RuleRow['verdicts']['scan'][]) =>
    rows.filter((row) => verdicts.includes(row.verdicts[tier])).length;
  return `${tier}: ${count('fired')} of ${rows.length} fire, ${count('partly')} when switched on by name, ${count('blind')} ask for what this tier cannot see, ${count('silent', 'unplayed')} do not`;
}
