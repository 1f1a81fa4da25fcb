import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { integrity, killRounds } from '../simulation/kill.js';
import {
  AgentProcess,
  alertsAbout,
  cli,
  control,
  launchAgentPlist,
  listAlerts,
  program,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import {
  bundleAttack,
  bundleWays,
  launchAttack,
  launchctl,
  unlimitedRules,
  vanishingAttack,
} from '../simulation/scenarios.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler) process.stderr.write('skipped: test/e2e/agent.test.ts needs a C compiler for its launchctl\n');
const native = existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!native)
  process.stderr.write('skipped: tests of short-lived processes need the native addon, which is not built\n');

describe.skipIf(!compiler || !native)('the agent on a simulated Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;

  beforeAll(async () => {
    mac = new SimulatedMac();
    mac.write('/Users/alice/Library/LaunchAgents/com.example.old.plist', launchAgentPlist('com.example.old'));
    agent = await AgentProcess.start({ mac });
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  test('what existed before the start is no event', async () => {
    await launchctl(agent, 20, 'load', '/Users/alice/Library/LaunchAgents/com.example.old.plist');
    await agent.settled();
    expect(listAlerts(mac)).toEqual([]);
  });

  test.each([10, 20, 50])(
    'write and load by a launchctl that lives %i ms gives one low alert each',
    async (lifetime) => {
      const attacks = [];
      for (let round = 0; round < 8; round++) attacks.push(await launchAttack(agent, lifetime));
      await agent.settled();
      const alerts = listAlerts(mac);
      for (const attack of attacks) {
        expect(alertsAbout(alerts, attack.path)).toMatchObject([
          { severity: 'low', risk_score: 21, status: 'open' },
        ]);
      }
    },
  );

  test('an unrelated load afterwards gives no second alert for the same write', async () => {
    const attack = await launchAttack(agent, 20);
    await agent.settled();
    const before = listAlerts(mac).length;
    await launchctl(agent, 20, 'load', '/Library/LaunchDaemons/unrelated.plist');
    await agent.settled();
    expect(listAlerts(mac)).toHaveLength(before);
    expect(alertsAbout(listAlerts(mac), attack.path)).toHaveLength(1);
  });

  test('a plist that is deleted at once is kept in the alert', async () => {
    const attack = await vanishingAttack(agent, 20);
    await agent.settled();
    const [alert] = alertsAbout(listAlerts(mac), attack.path);
    expect(alert).toBeDefined();
    const shown = cli(mac, 'alerts', 'show', alert?.id ?? '', '--full');
    expect(shown).toContain(attack.label);
    expect(shown).toContain('/usr/bin/true');
    expect(shown).toMatch(/[0-9a-f]{64}/);
  });

  test('the load names the real plist, however many decoys were written after it', async () => {
    const real = mac.write(
      '/Users/bob/Library/LaunchAgents/com.example.real.plist',
      launchAgentPlist('com.example.real'),
    );
    mac.write(
      '/Users/bob/Library/LaunchAgents/com.google.keystone.plist',
      launchAgentPlist('com.google.keystone'),
    );
    await launchctl(agent, 20, 'load', real);
    await agent.settled();
    expect(
      alertsAbout(listAlerts(mac), '/Users/bob/Library/LaunchAgents/com.example.real.plist'),
    ).toHaveLength(1);
    // The decoy was alerted about under no name of its own.
    expect(alertsAbout(listAlerts(mac), '/Users/bob/Library/LaunchAgents/com.google.keystone.plist')).toEqual(
      [],
    );
  });

  test('also when there are so many decoys that the watcher falls behind', async () => {
    const path = '/Users/bob/Library/LaunchAgents/com.example.hidden.plist';
    const decoy = (index: number) => mac.write(`/Users/bob/Library/LaunchAgents/d${index}.plist`, 'x');
    for (let index = 0; index < 750; index++) decoy(index);
    const real = mac.write(path, launchAgentPlist('com.example.hidden'));
    for (let index = 750; index < 1_500; index++) decoy(index);
    await launchctl(agent, 20, 'load', real);
    // The watcher may say that it is behind; the alert names the real file once that was seen.
    await waitFor('an alert about the real file', () => alertsAbout(listAlerts(mac), path)[0], 150_000);
    await agent.settled();
    expect(alertsAbout(listAlerts(mac), path)).toHaveLength(1);
    rmSync(mac.host('/Users/bob/Library/LaunchAgents'), { recursive: true });
    await agent.settled();
  }, 240_000);

  test.each(Object.keys(bundleWays))(
    'a .dsplug by %s gives one medium alert, and none when it goes',
    async (way) => {
      const macPath = await bundleAttack(agent, way);
      await agent.settled();
      expect(alertsAbout(listAlerts(mac), macPath)).toMatchObject([{ severity: 'medium', risk_score: 47 }]);
      const before = listAlerts(mac).length;
      rmSync(mac.host(macPath), { recursive: true });
      await agent.settled();
      expect(listAlerts(mac)).toHaveLength(before);
    },
  );

  test('hostile names reach the terminal escaped', async () => {
    const name = 'com.\u001b[31mred\u202e.plist';
    const file = mac.write(`/Users/alice/Library/LaunchAgents/${name}`, launchAgentPlist('evil\u0007'));
    await launchctl(agent, 20, 'load', file);
    await agent.settled();
    const alert = listAlerts(mac).find((one) => one.doc.file?.path?.endsWith(name));
    expect(alert).toBeDefined();
    for (const text of [cli(mac, 'alerts', 'list'), cli(mac, 'alerts', 'show', alert?.id ?? '')]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });

  test.each([
    ['garbage', Buffer.from([0, 255, 254, 1])],
    ['empty', Buffer.alloc(0)],
    ['huge', Buffer.alloc(20 * 1024 * 1024, 97)],
    ['deep', Buffer.from(`<plist>${'<array>'.repeat(100_000)}`)],
    [
      'self-referring',
      Buffer.from(
        '62706c6973743030a10008000000000000010100000000000000010000000000000000000000000000000a',
        'hex',
      ),
    ],
  ])('a %s plist is an alert with a finding, not a crash', async (kind, content) => {
    const macPath = `/Users/alice/Library/LaunchAgents/com.example.${kind}.plist`;
    const file = mac.write(macPath, content);
    await launchctl(agent, 20, 'load', file);
    await agent.settled();
    const [alert] = alertsAbout(listAlerts(mac), macPath);
    expect(JSON.stringify(alert?.doc['launchwarden'])).toMatch(/"findings":\["/);
  });

  test('a FIFO and a symbolic link are alerts with a finding, and nothing waits for them', async () => {
    const folder = mac.host('/Users/alice/Library/LaunchAgents');
    spawnSync('mkfifo', [path.join(folder, 'fifo.plist')]);
    spawnSync('ln', ['-s', '/etc/passwd', path.join(folder, 'link.plist')]);
    for (const name of ['fifo', 'link']) {
      await launchctl(agent, 20, 'load', path.join(folder, `${name}.plist`));
    }
    await agent.settled();
    const alerts = listAlerts(mac).filter(({ doc }) => /\/(fifo|link)\.plist$/.test(doc.file?.path ?? ''));
    expect(alerts.length).toBeGreaterThan(0);
    for (const alert of alerts) expect(JSON.stringify(alert.doc['launchwarden'])).toMatch(/"findings":\["/);
  });

  test('a second agent on the same data is refused and says who holds it', () => {
    const second = spawnSync(
      process.execPath,
      [program, 'run', '--root', mac.root, '--data-dir', mac.dataDir],
      {
        encoding: 'utf8',
      },
    );
    expect(second.status).toBe(2);
    expect(second.stderr).toContain(String(agent.child.pid));
  });

  test('triage goes through the running agent and is there afterwards', async () => {
    const [alert] = listAlerts(mac);
    const id = alert?.id ?? '';
    cli(mac, 'alerts', 'ack', id);
    cli(mac, 'alerts', 'note', id, 'seen');
    cli(mac, 'alerts', 'close', id);
    const after = listAlerts(mac).find((one) => one.id === id);
    expect(after?.status).toBe('closed');
  });
});

describe.skipIf(!compiler || !native)('life and death of the agent', () => {
  let mac: SimulatedMac;

  beforeEach(() => {
    mac = new SimulatedMac();
  });

  afterEach(() => mac.remove());

  test('SIGTERM drains and ends with 0; the next run raises nothing again and sees what happened in between', async () => {
    let agent = await AgentProcess.start({ mac });
    const attack = await launchAttack(agent, 20);
    expect(await agent.stop()).toBe(0);
    const before = listAlerts(mac);
    expect(alertsAbout(before, attack.path)).toHaveLength(1);
    const planted = '/Library/DirectoryServices/PlugIns/Between.dsplug';
    mkdirSync(mac.host(planted), { recursive: true });
    agent = await AgentProcess.start({ mac });
    await agent.settled();
    expect(await agent.stop()).toBe(0);
    const after = listAlerts(mac);
    expect(after).toHaveLength(before.length + 1);
    expect(alertsAbout(after, planted)).toHaveLength(1);
  });

  test('killed in the middle of attacks, it has exactly one alert for each', async () => {
    const config = unlimitedRules(mac);
    const report = await killRounds(mac, () => AgentProcess.start({ mac, config }), 8);
    expect(report.problems).toEqual([]);
    expect(report.alerted).toBe(report.rounds);
    expect(integrity(mac)).toEqual([]);
  }, 120_000);

  test.skipIf(!existsSync('/dev/full'))('a full disk under its log does not end it', async () => {
    const child = spawn(
      process.execPath,
      [program, 'run', '--root', mac.root, '--data-dir', mac.dataDir, '--root-scope', String(process.pid)],
      { stdio: ['ignore', 'ignore', openSync('/dev/full', 'w')] },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await waitFor('the agent to answer', () => {
      expect(child.exitCode).toBeNull();
      return control(mac.dataDir, 'status').catch(() => undefined);
    });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('its data folder taken away: it says so to the receiver and ends, so that the next one begins anew', async () => {
    const out = path.join(mac.base, 'out.ndjson');
    const agent = await AgentProcess.start({
      mac,
      config: `[[destination]]\nname = "out"\ntype = "file"\npath = "${out}"\n`,
    });
    rmSync(mac.dataDir, { recursive: true });
    expect(await agent.exited).toBe(2);
    expect(agent.log).toContain('agent/data-lost');
    expect(readFileSync(out, 'utf8')).toContain('data-lost');
    const next = await AgentProcess.start({ mac });
    expect(await next.stop()).toBe(0);
  });

  test('a malformed rule is parked and said, and the others go on', async () => {
    const rules = path.join(repository, 'src/rules/builtin');
    const rule = readFileSync(path.join(rules, 'launch-agent-loaded-after-change.toml'), 'utf8');
    writeFileSync(path.join(mac.base, 'bad-rule.toml'), rule.replace('maxspan', 'maxspam'));
    const agent = await AgentProcess.start({ mac, config: '[rules]\nfolders = ["bad-rule.toml"]\n' });
    expect(agent.log).toMatch(/bad-rule\.toml:\d+: expected `maxspan`/);
    const attack = await launchAttack(agent, 50);
    await agent.settled();
    expect(alertsAbout(listAlerts(mac), attack.path)).toHaveLength(1);
    expect(await agent.stop()).toBe(0);
  });

  test('SIGKILL leaves nothing that keeps the next agent from starting', async () => {
    const agent = await AgentProcess.start({ mac });
    await agent.stop('SIGKILL');
    const next = await AgentProcess.start({ mac });
    expect(await next.stop()).toBe(0);
  });
});

describe('bad input to run', () => {
  let mac: SimulatedMac;

  beforeEach(() => {
    mac = new SimulatedMac();
  });

  afterEach(() => mac.remove());

  const run = (...argv: string[]) => {
    const done = spawnSync(process.execPath, [program, 'run', ...argv], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status: done.status, stderr: done.stderr };
  };

  test.skipIf(!compiler).each<[string, (mac: SimulatedMac) => string[], RegExp]>([
    ['a missing config', ({ base }) => ['--config', path.join(base, 'none.toml')], /none\.toml/],
    [
      'a malformed config',
      ({ base }) => {
        writeFileSync(path.join(base, 'bad.toml'), '[log]\nlevel = \n');
        return ['--config', path.join(base, 'bad.toml')];
      },
      /bad\.toml:2:/,
    ],
    [
      'an unknown key',
      ({ base }) => {
        writeFileSync(path.join(base, 'bad.toml'), '[log]\nlevle = "info"\n');
        return ['--config', path.join(base, 'bad.toml')];
      },
      /bad\.toml:2:1.*levle[\s\S]*level/,
    ],
    ['a missing root', ({ base }) => ['--root', path.join(base, 'none')], /none/],
    ['a root that is a file', ({ launchctl: file }) => ['--root', file], /directory/],
    ['an unknown option', () => ['--rooot', '/x'], /--root/],
  ])('%s: one message, exit code 2, nothing written', (_name, make, message) => {
    const argv = make(mac);
    const withRoot = argv.includes('--root') ? argv : [...argv, '--root', mac.root];
    const { status, stderr } = run(...withRoot, '--data-dir', mac.dataDir);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
    expect(existsSync(mac.dataDir)).toBe(false);
  });

  test.skipIf(!compiler)('a data directory that is a file', () => {
    writeFileSync(mac.dataDir, 'x');
    const { status, stderr } = run('--root', mac.root, '--data-dir', mac.dataDir);
    expect(status).toBe(2);
    expect(stderr).toContain(mac.dataDir);
    expect(readFileSync(mac.dataDir, 'utf8')).toBe('x');
  });
});
