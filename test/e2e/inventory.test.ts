import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AgentProcess,
  cli,
  control,
  launchAgentPlist,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/inventory.test.ts needs a C compiler for its launchctl\n');

interface Row {
  readonly mechanism: string;
  readonly path: string;
  readonly item_id: string;
  readonly baseline: boolean;
  readonly gone: string | null;
  readonly runs: readonly string[];
}

describe.skipIf(!compiler)('the inventory that the agent keeps', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;

  const start = async () => {
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
  };
  const list = (...more: string[]): Row[] =>
    cli(mac, 'inventory', 'list', '--root', mac.root, '--json', ...more)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);

  beforeAll(async () => {
    mac = new SimulatedMac();
    mac.write('/Users/alice/Library/LaunchAgents/com.example.old.plist', launchAgentPlist('com.example.old'));
    await start();
    await control(mac.dataDir, 'inventory.refresh');
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  test('what was there is the baseline; what comes is in it a moment after its event, under the same id', async () => {
    expect(list()).toMatchObject([{ mechanism: 'launch-agent', baseline: true }]);
    mac.write('/private/var/at/tabs/alice', '* * * * * /opt/run\n');
    mac.write('/private/etc/emond.d/rules/x.plist', launchAgentPlist('x'));
    mac.write('/Users/alice/.zshrc', '/opt/shell &\n');
    const row = await waitFor('the inventory to take it in', async () => {
      const found = list().filter(({ mechanism }) => mechanism === 'cron' || mechanism === 'shell-startup');
      return found.length === 2 ? found[0] : undefined;
    });
    expect(row).toMatchObject({ baseline: false, runs: ['/opt/run'] });
    expect(cli(mac, 'inventory', 'show', row.item_id, '--root', mac.root)).toContain(
      '/private/var/at/tabs/alice',
    );
  });

  test("launchd's truth about a job is shown with its item, and asked of launchd", async () => {
    const label = 'com.example.truth';
    const file = `/Users/alice/Library/LaunchAgents/${label}.plist`;
    mac.write(file, launchAgentPlist(label, ['/bin/sh', '/Users/alice/run.sh']));
    const folder = mac.host('/private/var/db/launchd.stand-in');
    const domain = `gui/${process.getuid?.()}`;
    const user = domain.replace('gui', 'user');
    const shown = () => {
      const out = cli(mac, 'inventory', 'show', label, '--root', mac.root, '--live', '--json');
      return (JSON.parse(out) as { launchd_job: object }).launchd_job;
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/jobs`, `${domain}\t${label}\t${mac.host(file)}\n`);
    expect(shown()).toMatchObject({
      kind: 'agent',
      will_load: { answer: 'yes', obstacles: [] },
      disabled: { answer: false, by: null },
      live: { loaded: true, running: false, waits_for: ['demand'] },
      runs: { executes: ['/bin/sh', '/Users/alice/run.sh'] },
    });
    writeFileSync(`${folder}/jobs`, '');
    writeFileSync(`${folder}/disabled`, `${user}\t${label}\tdisabled\n`);
    chmodSync(mac.host(file), 0o664);
    expect(shown()).toMatchObject({
      will_load: {
        answer: 'no',
        obstacles: [{ word: 'writable-by-others' }, { word: 'disabled-by-override' }],
      },
      disabled: { answer: true, by: 'override' },
      live: { loaded: false },
    });
    expect(cli(mac, 'inventory', 'show', label, '--root', mac.root, '--live')).toContain(
      'launchd does not load it: its group or everybody may write the list.',
    );
    rmSync(folder, { recursive: true });
    rmSync(mac.host(file));
  });

  test('what is changed while no agent runs is in it after the next start, and an event marked so', async () => {
    await agent.settled();
    await agent.stop();
    rmSync(mac.host('/private/var/at/tabs/alice'));
    mac.write('/private/etc/sudoers.d/bob', 'bob ALL=(ALL) NOPASSWD: ALL\n');
    // No place of this is watched: the inventory alone finds it.
    mac.write(
      '/Applications/A.app/Contents/PlugIns/B.appex/Contents/Info.plist',
      '<plist><dict><key>CFBundleIdentifier</key><string>b</string><key>CFBundleExecutable</key><string>b</string></dict></plist>',
    );
    await start();
    await control(mac.dataDir, 'inventory.refresh');
    await agent.settled();
    const rows = list('--all');
    expect(rows.find(({ mechanism }) => mechanism === 'cron')?.gone).not.toBeNull();
    expect(rows.find(({ mechanism }) => mechanism === 'sudoers')).toMatchObject({
      baseline: false,
      gone: null,
    });
    expect(rows.find(({ mechanism }) => mechanism === 'app-extension')).toMatchObject({ baseline: false });
    for (const path of [
      '/private/var/at/tabs/alice',
      '/private/etc/sudoers.d/bob',
      '/Applications/A.app/Contents/PlugIns/B.appex',
    ])
      expect(
        cli(
          mac,
          'hunt',
          '--query',
          `file where file.path == "${path}" and launchwarden.findings == "changed-while-away"`,
        ),
      ).not.toContain('No matches');
  });

  test('without the agent the tree itself is read, with the history that was kept', async () => {
    await agent.stop();
    mac.write('/private/etc/sudoers.d/carol', 'carol ALL=(ALL) ALL\n');
    const rows = list();
    expect(rows.filter(({ mechanism }) => mechanism === 'sudoers')).toHaveLength(2);
    expect(rows.find(({ mechanism }) => mechanism === 'launch-agent')).toMatchObject({ baseline: true });
    await start();
  });
});
