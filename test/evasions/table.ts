import { type Evasion, type Outcome, type TierName, tiers, type Verdict } from './evasion.js';

export interface Row {
  readonly number: number;
  readonly name: string;
  readonly verdicts: Readonly<Partial<Record<TierName, Verdict>>>;
  readonly rules: readonly string[];
  readonly why?: string;
}

/** One row an evasion, over the tiers that were played. */
export function rowsOf(
  evasions: readonly Evasion[],
  outcomes: ReadonlyMap<TierName, readonly Outcome[]>,
): Row[] {
  return evasions.map((evasion) => {
    const found = tiers.flatMap((tier) => {
      const outcome = outcomes.get(tier)?.find((one) => one.evasion.number === evasion.number);
      return outcome === undefined ? [] : [{ tier, outcome }];
    });
    return {
      number: evasion.number,
      name: evasion.name,
      verdicts: Object.fromEntries(found.map(({ tier, outcome }) => [tier, outcome.verdict])),
      rules: [...new Set(found.flatMap(({ outcome }) => outcome.rules))],
      ...(evasion.why === undefined ? {} : { why: evasion.why }),
    };
  });
}

/** How many of the evasions a tier detects, and how many the best one of all. */
export function detected(rows: readonly Row[], tier: TierName | 'best'): number {
  return rows.filter(({ verdicts }) =>
    tier === 'best' ? tiers.some((one) => verdicts[one] === 'detected') : verdicts[tier] === 'detected',
  ).length;
}

/** The table as text, for a terminal. */
export function tableText(rows: readonly Row[]): string {
  const widest = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ number, name, verdicts, rules }) =>
    [
      String(number).padStart(2),
      name.padEnd(widest),
      ...tiers.map((tier) => (verdicts[tier] ?? '-').padEnd(9)),
      rules.join('; '),
    ].join('  '),
  );
  const sums = (['best', ...tiers] as const).map((tier) => `${tier} ${detected(rows, tier)}`);
  return [...lines, '', `detected of ${rows.length}: ${sums.join(', ')}`].join('\n');
}

/** The same for docs/evasions.md. */
export function tableMarkdown(rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['', 'evasion', ...tiers, 'found by']),
    line(['---', '---', ...tiers.map(() => '---'), '---']),
    ...rows.map(({ number, name, verdicts, rules, why }) =>
      line([
        String(number),
        name,
        ...tiers.map((tier) => verdicts[tier] ?? ''),
        [...rules, ...(why === undefined ? [] : [why])].join('; '),
      ]),
    ),
  ].join('\n');
}
