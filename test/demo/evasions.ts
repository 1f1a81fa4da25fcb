import { atomicTests } from '../evasions/atomic.js';
import { Campaign } from '../evasions/campaign.js';
import { evasions } from '../evasions/catalog.js';
import { type Outcome, type TierName, tiers } from '../evasions/evasion.js';
import { loadVariants } from '../evasions/load-variants.js';
import { settings } from '../evasions/settings.js';
import { rowsOf, tableMarkdown, tableText } from '../evasions/table.js';
import { variants } from '../evasions/variants.js';

/**
 * `npm run demo -- --evasions`: plays every evasion against the agent, one after another, and says what was caught.
 * Resolves with true when each has the verdict that is claimed for it.
 */
export async function playEvasions(argv: readonly string[]): Promise<boolean> {
  const [json, markdown] = [argv.includes('--json'), argv.includes('--markdown')];
  const quiet = json || markdown;
  const only = argv.flatMap((one, index) => (argv[index - 1] === '--only' ? one.split(',').map(Number) : []));
  const all = argv.includes('--atomic')
    ? atomicTests
    : argv.includes('--variants')
      ? [...loadVariants, ...variants, ...settings]
      : evasions;
  const chosen = only.length === 0 ? all : all.filter(({ number }) => only.includes(number));
  const outcomes = new Map<TierName, readonly Outcome[]>();
  for (const tier of tiers) {
    if (argv.includes('--tier') && argv[argv.indexOf('--tier') + 1] !== tier) continue;
    if (!quiet) console.log(`\nTier ${tier}:`);
    const onPlayed = ({ evasion, verdict, rules }: Outcome) =>
      console.log(
        `  ${evasion.number}. ${evasion.name}: ${verdict}${rules.map((rule) => `\n       ${rule}`).join('')}`,
      );
    outcomes.set(tier, await new Campaign({ tier, evasions: chosen, ...(quiet ? {} : { onPlayed }) }).run());
  }
  const rows = rowsOf(chosen, outcomes);
  if (json) for (const row of rows) console.log(JSON.stringify({ schema: 'launchwarden.evasion/1', ...row }));
  else console.log(markdown ? tableMarkdown(rows) : `\n${tableText(rows)}`);
  const wrong = [...outcomes].flatMap(([tier, list]) =>
    list
      .filter(({ evasion, verdict }) => evasion.expected[tier] !== verdict)
      .map((one) => ({ tier, ...one })),
  );
  for (const { tier, evasion, verdict } of wrong)
    console.error(
      `demo: ${evasion.number} (${evasion.name}) is ${verdict} in ${tier}, not ${evasion.expected[tier]}`,
    );
  return wrong.length === 0;
}
