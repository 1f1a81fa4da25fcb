import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EcsDocument } from '../../src/event/document.js';
import { mechanisms } from '../../src/mechanisms/index.js';
import { openStore } from '../../src/store/index.js';
import { AgentProcess, allAlerts, SimulatedMac, standInLaunchctl, waitFor } from '../simulation/mac.js';
import { type Sample, samples } from '../unit/mechanisms/samples.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/every-mechanism.test.ts needs a C compiler for its launchctl\n');

/** Places that no file sensor watches (`src/agent/watched.ts`): the inventory alone lists them. */
const inventoryOnly = ['app-extension', 'dock-tile-plug-in'];
/** What says nothing odd, of mechanisms whose files change all the time: no alert on a healthy Mac. */
const quiet = [
  '/private/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v13.btm',
  '/private/var/db/auth.db',
  '/private/var/db/dslocal/nodes/Default/users/root.plist',
  '/Library/Managed Preferences/com.apple.screencapture.plist',
  '/Users/mara/Library/Application Support/Google/Chrome/Default/Extensions/abcdefghijklmnopabcdefghijklmnop/1.2_0',
  '/Users/mara/Library/Application Support/Firefox/Profiles/x.default-release/extensions/a@example.xpi',
  '/Users/mara/Library/Containers/com.apple.Safari/Data/Library/Safari/WebExtensions/Extensions.plist',
];

/** One sample a path, with something in it. */
const written = [
  ...new Map(samples.filter(({ items }) => items.length > 0).map((one) => [one.path, one])).values(),
].filter(({ mechanism }) => !inventoryOnly.includes(mechanism));

function fileOf({ path, inside }: Sample): string {
  return inside === undefined ? path : `${path}/${inside}`;
}

test('every mechanism is written, but for those that only the inventory sees', () => {
  const seen = new Set([...written.map(({ mechanism }) => mechanism), ...inventoryOnly]);
  expect(mechanisms.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
});

describe.skipIf(!compiler)('real writes on a simulated Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  let events: readonly EcsDocument[] = [];
  let alerted: readonly string[] = [];

  beforeAll(async () => {
    mac = new SimulatedMac(['mara']);
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
    for (const sample of written) mac.write(fileOf(sample), sample.content);
    await agent.settled();
    const all = () => {
      events = storedEvents();
      const seen = new Set(events.map(({ file }) => file?.path));
      return written.every((one) => seen.has(fileOf(one))) ? true : undefined;
    };
    // What is missing after that is named test by test.
    await waitFor('an event of each', all, 30_000).catch(() => undefined);
    await agent.settled();
    alerted = allAlerts(mac).map(({ doc }) => doc.file?.path ?? '');
  }, 120_000);

  function storedEvents(): EcsDocument[] {
    const store = openStore({ dataDir: mac.dataDir, clock: systemClock, readOnly: true });
    try {
      return [...store.events.scan({})].map(({ doc }) => doc);
    } finally {
      store.close();
    }
  }

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  describe.each(written.map((one) => [one.mechanism, one.path, one] as const))(
    '%s: %s',
    (id, path, sample) => {
      test('an event says which item it is and what it holds', () => {
        const about = events.filter(({ launchwarden }) => launchwarden?.persistence?.path === path);
        const described = about.filter(({ file }) => file?.path === fileOf(sample));
        expect(described.map(({ launchwarden }) => launchwarden?.persistence)).toContainEqual(
          expect.objectContaining({ mechanism: id, path, entries: sample.items.length }),
        );
        const runs = new Set(described.flatMap(({ launchwarden }) => launchwarden?.persistence?.runs ?? []));
        for (const one of sample.items.flatMap((item) => item.runs ?? [])) expect([...runs]).toContain(one);
      });

      test(quiet.includes(path) ? 'no alert' : 'an alert', () => {
        const about = alerted.filter((one) => one === path || one.startsWith(`${path}/`));
        expect(about.length > 0).toBe(!quiet.includes(path));
      });
    },
  );
});
