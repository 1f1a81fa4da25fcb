import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  agentOf,
  currentFolder,
  difference,
  installedData,
  installKillRounds,
  label,
  makePayload,
  onTree,
  treeText,
  twoPayloads,
} from '../simulation/installs.js';
import { StandInLaunchd } from '../simulation/launchd.js';
import {
  control,
  launchAgentPlist,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
const native = existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!compiler || !native)
  process.stderr.write('skipped: test/e2e/install.test.ts needs a C compiler and the native addon\n');

describe.skipIf(!compiler || !native)('from a clone to nothing left', () => {
  let mac: SimulatedMac;
  let launchd: StandInLaunchd;
  let payloads: string;

  beforeAll(async () => {
    mac = new SimulatedMac();
    for (const folder of [
      'Library/Application Support',
      'Library/Logs',
      'private/etc/newsyslog.d',
      'usr/bin',
    ])
      mkdirSync(path.join(mac.root, folder), { recursive: true });
    copyFileSync(mac.launchctl, mac.host('/usr/bin/launchctl'));
    rmSync(mac.launchctl);
    payloads = path.join(mac.base, 'payloads');
    launchd = await StandInLaunchd.start(mac.root);
  });

  afterAll(async () => {
    await launchd.stop();
    mac.remove();
  });

  const run = (...argv: readonly string[]) => onTree(mac.root, argv);
  const payload = (version: string, change?: (app: string) => void) =>
    makePayload(currentFolder(mac.root) ?? '', path.join(payloads, version), version, change);

  test('install, attack, alert, status, upgrades that fail and one that does not, uninstall', async () => {
    const before = treeText(mac.root);
    const installed = await run('install');
    expect(installed.stderr).toBe('');
    expect(installed.code).toBe(0);
    expect(installed.stdout).toMatch(/^done +wait until the agent 0\.1\.0 is ready$/m);
    expect(installed.stdout).toMatch(/^done +have the agent prove itself by its canary$/m);
    expect(installed.stdout).toMatch(/^Installed 0\.1\.0-[0-9a-f]{12}\.$/m);
    const first = launchd.pid(label);
    expect((await agentOf(mac.root))?.pid).toBe(first);
    expect((await run('install')).stdout).toMatch(/^Nothing to do: 0\.1\.0-/m);
    expect(launchd.pid(label)).toBe(first);

    const attack = mac.host('/Users/alice/Library/LaunchAgents/com.example.evil.plist');
    mkdirSync(path.dirname(attack), { recursive: true });
    writeFileSync(attack, launchAgentPlist('com.example.evil'));
    spawnSync(mac.host('/usr/bin/launchctl'), ['load', attack]);
    await settled();
    const alerts = async () =>
      (await run('alerts', 'list', '--json', '--status', 'all')).stdout.split('com.example.evil').length > 1;
    expect(await alerts()).toBe(true);
    const status = await run('status');
    expect(status.stdout).toContain('0.1.0');

    // It starts, and its agent does not.
    const broken = payload('0.2.0', (app) => {
      const agent = path.join(app, 'dist/quick/run.js');
      const text = readFileSync(agent, 'latin1');
      rmSync(agent);
      const begin = /async function runAgent\(\w+\) *\{/;
      writeFileSync(agent, text.replace(begin, '$&throw new Error("this agent is broken");'));
    });
    const back = await run('upgrade', '--from', broken);
    expect(back.code).toBe(1);
    expect(back.stderr).toMatch(
      /0\.2\.0-\w+ was taken back: .* 0\.1\.0-\w+ runs again \[install\/rolled-back\]/s,
    );
    expect(back.stderr).toContain('this agent is broken');
    expect((await agentOf(mac.root))?.version).toBe('0.1.0');
    const second = launchd.pid(label);

    // It does not start at all: nothing is touched.
    const dead = payload('0.2.1', (app) => {
      rmSync(path.join(app, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'));
    });
    const refused = await run('upgrade', '--from', dead);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('[install/broken-version]');
    expect(launchd.pid(label)).toBe(second);

    const good = payload('0.3.0');
    const upgraded = await run('upgrade', '--from', good);
    expect(upgraded.stderr).toBe('');
    expect(upgraded.stdout).toMatch(/^Upgraded to 0\.3\.0-\w+; before: 0\.1\.0-\w+\.$/m);
    expect((await agentOf(mac.root))?.version).toBe('0.3.0');
    expect(await alerts()).toBe(true);

    // What was taken away is offered back before it is gone for good.
    expect(
      (await run('respond', 'quarantine', '/Users/alice/Library/LaunchAgents/com.example.evil.plist')).code,
    ).toBe(0);
    expect(existsSync(attack)).toBe(false);
    const installedProgram = (...argv: readonly string[]) =>
      onTree(mac.root, argv, { version: currentFolder(mac.root) });
    const asked = await installedProgram('uninstall', '--purge');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('[install/quarantine-not-empty]');
    expect(launchd.pid(label)).toBeDefined();
    const removed = await installedProgram('uninstall', '--purge', '--restore');
    expect(removed.stderr).toBe('');
    expect(removed.code).toBe(0);
    expect(existsSync(attack)).toBe(true);
    rmSync(path.dirname(attack), { recursive: true });
    expect(launchd.pid(label)).toBeUndefined();
    expect(difference(before, treeText(mac.root))).toBe('');
  }, 240_000);

  async function settled(): Promise<void> {
    const now = Date.now() * 1000;
    await waitFor('the agent to judge what happened', async () => {
      const status = (await control(mac.host(installedData), 'status')) as { complete_through: number };
      return status.complete_through > now ? true : undefined;
    });
  }
});

describe.skipIf(!compiler || !native)('kill -9 at random moments', () => {
  test('leaves one whole version and an agent that starts, or nothing', async () => {
    const mac = new SimulatedMac();
    try {
      const payloads = await twoPayloads(mac);
      let cutOff = 0;
      // A moment may be later than the end of its command, and then all four may.
      for (let tries = 0; cutOff === 0 && tries < 6; tries++) {
        const rounds = await installKillRounds(mac, payloads, 4);
        expect(rounds.problems).toEqual([]);
        cutOff += rounds.cutOff;
      }
      expect(cutOff).toBeGreaterThan(0);
    } finally {
      mac.remove();
    }
  }, 240_000);
});
