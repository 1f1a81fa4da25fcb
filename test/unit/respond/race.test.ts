import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { quarantined } from '../../../src/respond/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { noAddon, respondPlace } from '../../helpers/respond-place.js';
import { waitFor } from '../../simulation/mac.js';
import { raceName, SwapAttack } from '../../simulation/race.js';

// Real processes and a real disk, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 120_000 });

const folder = '/Users/alice/Library/LaunchAgents';

describe.skipIf(noAddon !== undefined)('an attacker who swaps the file while it is quarantined', () => {
  const volumes: [string, string | undefined][] = [
    ['the same volume', undefined],
    ...(existsSync('/dev/shm') ? [['another volume', '/dev/shm'] as [string, string]] : []),
  ];

  test.each(volumes)(
    'property: with a quarantine on %s leaves the original or the quarantined object, never neither, never a followed link',
    async (_, dataIn) => {
      const place = respondPlace(dataIn === undefined ? {} : { dataIn });
      const victims = path.join(place.base, 'victims');
      mkdirSync(victims);
      const attack = await SwapAttack.start(place.host(folder), victims);
      onTestFinished(() => attack.end());
      const states = new Map<string, number>();
      for (let round = 0; round < fuzzRuns(80); round++) {
        // What the round before took away, the attacker has put there again.
        await waitFor('the attacker', () => (attack.isThere() ? true : undefined));
        const macPath = `${folder}/${raceName}`;
        const step = { kind: 'quarantine', path: macPath, expect: {} } as const;
        const response = await place.engine.run(
          { verb: 'quarantine', about: macPath, steps: [step], watch: [], remarks: [] },
          { author: 'tester' },
        );
        attack.pause();
        const state = response.records[0]?.state ?? '';
        states.set(state, (states.get(state) ?? 0) + 1);
        const inside = path.join(place.dataDir, 'respond/quarantine');
        const boxes = existsSync(inside) ? readdirSync(inside) : [];
        const held = boxes.some(
          (box) =>
            box.startsWith(response.id) &&
            readdirSync(path.join(place.dataDir, 'respond/quarantine', box)).length > 0,
        );
        expect(attack.isThere() || held, `${response.records[0]?.says}`).toBe(true);
        expect(state === 'done').toBe(quarantined(response).length === 1);
        if (state === 'done') expect(held).toBe(true);
        expect(attack.harm()).toBeUndefined();
        // Nothing that was set aside is forgotten.
        expect(attack.names().filter((name) => name.startsWith('.launchwarden'))).toEqual([]);
        attack.proceed();
      }
      // Both outcomes must have been met, or nothing was raced.
      expect(states.get('done') ?? 0).toBeGreaterThan(0);
      expect((states.get('refused') ?? 0) + (states.get('nothing') ?? 0)).toBeGreaterThan(0);
    },
  );
});
