import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository, standInLaunchctl } from '../simulation/mac.js';
import { Campaign } from './campaign.js';
import type { Evasion, Outcome, TierName } from './evasion.js';

const canPlay =
  standInLaunchctl() !== undefined &&
  existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!canPlay) process.stderr.write('skipped: evasions need a C compiler and the native addon\n');

/** Plays every attack of a list in one tier; each has the verdict that is claimed for it. */
export function campaignTest(name: string, tier: TierName, evasions: readonly Evasion[]): void {
  describe.skipIf(!canPlay)(`${name} in the tier ${tier}`, () => {
    let outcomes: readonly Outcome[] = [];

    beforeAll(async () => {
      outcomes = await new Campaign({ tier, evasions }).run();
    }, 300_000);

    test.each(evasions.map((one) => [one.number, one.name, one.expected[tier]] as const))(
      '%i, %s: %s',
      (number, _name, expected) => {
        const outcome = outcomes.find(({ evasion }) => evasion.number === number);
        expect(outcome?.verdict).toBe(expected);
      },
    );
  });
}
