import { expect, test } from 'vitest';
import { dropLists } from '../simulation/drop.js';
import { AgentProcess, SimulatedMac, standInLaunchctl } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler) process.stderr.write('skipped: test/e2e/drop.test.ts needs a C compiler for its launchctl\n');

// `npm run acceptance -- --only drops` drops 10,000 and 50,000, and says how long it takes.
test.skipIf(!compiler)(
  'of many lists that are dropped at once none is missed, and a severe one has its own alert',
  async () => {
    const mac = new SimulatedMac();
    const agent = await AgentProcess.start({ mac });
    try {
      const { lists, seen, told, severe } = await dropLists(agent, 400, 100_000);
      expect(seen).toBe(lists);
      // More than that are held back: a summary counts them.
      expect(told).toBeGreaterThanOrEqual(lists);
      for (const { path, alerts } of severe) expect([path, alerts > 0]).toEqual([path, true]);
    } finally {
      await agent.stop('SIGKILL');
      mac.remove();
    }
  },
  240_000,
);
