import { expect, test } from 'vitest';
import { healthyDay } from '../demo/healthy-day.js';
import { standInLaunchctl } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler) process.stderr.write('skipped: the healthy day needs a C compiler for its launchctl\n');

test.skipIf(!compiler)(
  'amid 100,000 everyday events nothing has a priority above low, and a person sees at most ten lines',
  async () => {
    const said: string[] = [];
    const wrong = await healthyDay({
      packs: false,
      events: 100_000,
      seed: 20_261_129,
      each: false,
      say: (text) => said.push(text),
    });
    expect(wrong).toEqual([]);
    const [read = 0] = /read (\d+) lines/.exec(said.join('\n'))?.slice(1).map(Number) ?? [];
    expect(read).toBeGreaterThanOrEqual(100_000);
  },
  180_000,
);
