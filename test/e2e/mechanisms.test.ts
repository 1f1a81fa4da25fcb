import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EcsDocument } from '../../src/event/document.js';
import { openStore, type Store } from '../../src/store/index.js';
import { AgentProcess, SimulatedMac, standInLaunchctl, waitFor } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/mechanisms.test.ts needs a C compiler for its launchctl\n');

const infoPlist = `<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>com.example.look</string>
<key>CFBundleExecutable</key><string>look</string></dict></plist>`;

describe.skipIf(!compiler)('what persists, on a simulated Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;

  beforeAll(async () => {
    mac = new SimulatedMac();
    mac.write('/Users/alice/.zshrc', 'export EDITOR=vi\n');
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  function stored<T>(use: (store: Store) => T): T {
    const store = openStore({ dataDir: mac.dataDir, clock: systemClock, readOnly: true });
    try {
      return use(store);
    } finally {
      store.close();
    }
  }

  function events(mechanism: string): EcsDocument[] {
    return stored((store) => [...store.events.scan({})])
      .map(({ doc }) => doc)
      .filter(({ launchwarden }) => launchwarden?.persistence?.mechanism === mechanism);
  }

  test.each([
    ['cron', '/private/var/at/tabs/alice', '* * * * * /Users/alice/.cache/run\n', '/Users/alice/.cache/run'],
    ['sudoers', '/private/etc/sudoers.d/alice', 'alice ALL=(ALL) NOPASSWD: ALL\n', undefined],
    ['shell-startup', '/Users/alice/.zshrc', 'export EDITOR=vi\n/Users/alice/.x/y &\n', '/Users/alice/.x/y'],
    [
      'ssh-authorized-key',
      '/Users/bob/.ssh/authorized_keys',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA x\n',
      undefined,
    ],
    [
      'launch-agent',
      '/Users/alice/Library/LaunchAgents/x.plist',
      '<plist><dict><key>Label</key><string>x</string><key>Program</key><string>/opt/x</string></dict></plist>',
      '/opt/x',
    ],
  ])('%s: a real write is an event with what the mechanism reads', async (mechanism, path, text, runs) => {
    mac.write(path, text);
    // It may be seen while it is still empty, or as it was: what it holds is told under the same event.
    const { launchwarden } = await waitFor('the event', () =>
      events(mechanism).find(
        ({ file, launchwarden: { persistence } = {} }) =>
          file?.path === path && (runs === undefined || persistence?.runs?.includes(runs) === true),
      ),
    );
    expect(launchwarden?.persistence).toMatchObject({ mechanism, path, item_id: expect.any(String) });
    if (runs !== undefined) expect(launchwarden?.persistence?.runs).toContain(runs);
  });

  test('a bundle that is moved in is one item: the folder, its description and its program', async () => {
    const folder = '/Library/QuickLook/Look.qlgenerator';
    mac.write('/private/tmp/L/Contents/Info.plist', infoPlist);
    mac.write('/private/tmp/L/Contents/MacOS/look', 'x');
    mkdirSync(mac.host('/Library/QuickLook'), { recursive: true });
    renameSync(mac.host('/private/tmp/L'), mac.host(folder));
    await agent.settled();
    const found = events('quick-look-generator');
    const paths = found.map(({ file }) => file?.path);
    expect(paths).toEqual(
      expect.arrayContaining([folder, `${folder}/Contents/Info.plist`, `${folder}/Contents/MacOS/look`]),
    );
    expect(new Set(found.map(({ launchwarden }) => launchwarden?.persistence?.item_id)).size).toBe(1);
    const described = found.find(({ file }) => file?.name === 'Info.plist')?.launchwarden?.persistence;
    expect(described?.runs).toEqual([`${folder}/Contents/MacOS/look`]);
  });

  test('what goes away is an event of the same item', async () => {
    rmSync(mac.host('/private/var/at/tabs/alice'));
    await agent.settled();
    const found = events('cron');
    expect(found.map(({ event }) => event?.action)).toContain('deletion');
    expect(new Set(found.map(({ launchwarden }) => launchwarden?.persistence?.item_id)).size).toBe(1);
  });

  test('no copy is kept of a file that may hold secrets', async () => {
    const path = '/Users/bob/.ssh/authorized_keys';
    mac.write(path, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB y\n');
    await agent.settled();
    const last = events('ssh-authorized-key').at(-1)?.file?.hash?.sha256 ?? '';
    expect(last).toMatch(/^[0-9a-f]{64}$/);
    expect(stored((store) => store.evidence.get(last))).toBeUndefined();
    const cron =
      events('cron').find(({ event }) => event?.action === 'modification')?.file?.hash?.sha256 ?? '';
    expect(stored((store) => store.evidence.get(cron))).toBeDefined();
  });
});
