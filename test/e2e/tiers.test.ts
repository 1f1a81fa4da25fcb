import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execLine, fakeEslogger, processObject } from '../helpers/eslogger-lines.js';
import {
  AgentProcess,
  alertsAbout,
  cli,
  launchAgentPlist,
  listAlerts,
  randomLabel,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { launchAttack, launchctl } from '../simulation/scenarios.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler) process.stderr.write('skipped: test/e2e/tiers.test.ts needs a C compiler for its launchctl\n');

let mac: SimulatedMac;
let agent: AgentProcess | undefined;

beforeEach(() => {
  if (compiler) mac = new SimulatedMac();
});

afterEach(async () => {
  await agent?.stop('SIGKILL');
  agent = undefined;
  if (compiler) mac.remove();
});

const inferred = 'Launch item written and its job found loaded (inferred)';
const seen = 'Launch agent written and loaded within a minute';

/** A launchctl that answers `print` (shape of reference/macos.md 6.2, UNPROVEN); who is loaded stands in a file. */
class AnsweringLaunchctl {
  readonly #state: string;
  readonly #paths: string;

  constructor() {
    this.#state = mac.write('/private/loaded', '');
    this.#paths = mac.write('/private/paths', '');
    const text = `#!/bin/sh
case "$2" in
  system/*|gui/*/*|user/*/*)
    grep -qxF -- "$2" '${this.#state}' || exit 113
    path=$(grep -F -- "$2 " '${this.#paths}')
    printf '%s = {\\n\\tpath = %s\\n\\tstate = running\\n\\tprogram = /private/tmp/evil\\n\\tpid = 4711\\n}\\n' "$2" "\${path#"$2 "}";;
  *)
    printf '%s = {\\n\\tservices = {\\n' "$2"
    while read -r target; do
      case "$target" in "$2"/*) printf '\\t\\t     0      - \\t%s\\n' "\${target#"$2"/}";; esac
    done < '${this.#state}'
    printf '\\t}\\n}\\n';;
esac
`;
    writeFileSync(mac.launchctl, text);
    chmodSync(mac.launchctl, 0o755);
  }

  /** As a program does that talks to launchd itself: nothing to be seen but launchd's answer. */
  load(target: string, from = '(unknown)'): void {
    appendFileSync(this.#paths, `${target} ${from}\n`);
    appendFileSync(this.#state, `${target}\n`);
  }
}

/** `gui/UID` of alice, whose folder belongs to the user who runs the test. */
const session = `gui/${process.getuid?.() ?? 0}`;

function gaps(): { sensor: string; reason: string; detail: string }[] {
  const db = new Database(path.join(mac.dataDir, 'launchwarden.db'), { readonly: true });
  try {
    return db.prepare('SELECT sensor, reason, detail FROM gaps ORDER BY rowid').all() as ReturnType<
      typeof gaps
    >;
  } finally {
    db.close();
  }
}

const tierOf = async () => ((await agent?.status())?.['tier'] ?? {}) as { running?: string; reason?: string };

describe.skipIf(!compiler)('launchd is asked', () => {
  test('a load that no process showed is one alert that says that it is inferred', async () => {
    const launchd = new AnsweringLaunchctl();
    agent = await AgentProcess.start({ mac });
    const label = randomLabel();
    const macPath = `/Users/alice/Library/LaunchAgents/${label}.plist`;
    mac.write(macPath, launchAgentPlist(label));
    launchd.load(`${session}/${label}`);
    const alerts = await waitFor('the alert', () => {
      const found = alertsAbout(listAlerts(mac), macPath);
      return found.length > 0 ? found : undefined;
    });
    expect(alerts).toMatchObject([{ rule_name: inferred, severity: 'low', risk_score: 21 }]);
    const shown = cli(mac, 'alerts', 'show', alerts[0]?.id ?? '');
    expect(shown).toContain(`${session}/${label}`);
    expect(shown).toContain('seen by launchd-state');
    expect(shown).toContain('inferred');
    const { Events } = (alerts[0]?.doc ?? {}) as { Events?: { event: { category: string[] } }[] };
    expect(Events?.map(({ event }) => event.category)).toEqual([['file'], ['configuration']]);
  });

  test('a load by launchctl is alerted once, by the rule that saw it', async () => {
    const launchd = new AnsweringLaunchctl();
    const real = mac.host('/usr/local/launchctl');
    mkdirSync(path.dirname(real), { recursive: true });
    copyFileSync(standInLaunchctl() ?? '', real);
    agent = await AgentProcess.start({ mac });
    const label = randomLabel();
    const macPath = `/Users/alice/Library/LaunchAgents/${label}.plist`;
    const file = mac.write(macPath, launchAgentPlist(label));
    const asIf = { ...agent, mac: { ...mac, launchctl: real } } as unknown as AgentProcess;
    await launchctl(asIf, 50, 'load', file);
    launchd.load(`${session}/${label}`);
    const current = agent;
    await waitFor('launchd to be asked', async () => {
      const { sensors } = (await current.status()) as unknown as {
        sensors: { kind: string; counters: Record<string, number> }[];
      };
      return sensors.find(({ kind }) => kind === 'launchd-state')?.counters['observed'] === 1 || undefined;
    });
    await agent.settled();
    expect(alertsAbout(listAlerts(mac), macPath)).toMatchObject([{ rule_name: seen }]);
  });

  test('what was written before a restart and is loaded while no agent runs is an alert', async () => {
    const launchd = new AnsweringLaunchctl();
    const name = 'launch-item-loaded-later.toml';
    const folder = path.join(mac.base, 'rules');
    mkdirSync(folder);
    const text = readFileSync(path.join(repository, 'src/rules/builtin', name), 'utf8');
    // Nobody waits for a minute here.
    writeFileSync(path.join(folder, name), text.replace('deferred_after = "1m"', 'deferred_after = "0s"'));
    const config = `[rules]\nbuiltin = false\nfolders = [${JSON.stringify(folder)}]\n`;
    agent = await AgentProcess.start({ mac, config });
    const label = randomLabel();
    const macPath = `/Library/LaunchDaemons/${label}.plist`;
    mac.write(macPath, launchAgentPlist(label));
    await agent.settled();
    await agent.stop();
    // So that nothing is found in what is judged again: only what was kept knows of the write.
    const db = new Database(path.join(mac.dataDir, 'events.db'));
    db.exec('DELETE FROM events');
    db.close();
    launchd.load(`system/${label}`, macPath);
    agent = await AgentProcess.start({ mac, config });
    const [alert] = await waitFor('the alert', () => {
      const found = alertsAbout(listAlerts(mac), macPath);
      return found.length > 0 ? found : undefined;
    });
    const { Events } = (alert?.doc ?? {}) as { Events?: { event: { action: string } }[] };
    expect(Events?.map(({ event }) => event.action)).toEqual([expect.any(String), 'loaded']);
    await agent.stop();
    agent = await AgentProcess.start({ mac, config });
    await agent.settled();
    expect(listAlerts(mac)).toHaveLength(1);
  }, 60_000);

  test('a job that had been loaded before the change is no alert', async () => {
    const launchd = new AnsweringLaunchctl();
    launchd.load('system/com.example.old');
    agent = await AgentProcess.start({ mac });
    mac.write('/Library/LaunchDaemons/com.example.old.plist', launchAgentPlist('com.example.old'));
    mac.write('/Library/LaunchDaemons/com.example.new.plist', launchAgentPlist('com.example.new'));
    launchd.load('system/com.example.new');
    await waitFor('the other alert', () => (listAlerts(mac).length > 0 ? true : undefined));
    await agent.settled();
    expect(listAlerts(mac).map(({ doc }) => doc.file?.path)).toEqual([
      '/Library/LaunchDaemons/com.example.new.plist',
    ]);
  });

  test('without launchctl in the tree nothing is run, and coverage says what is blind', async () => {
    rmSync(mac.launchctl);
    agent = await AgentProcess.start({ mac });
    const documents = cli(mac, 'coverage', '--json')
      .trim()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { from: string; tier: string; rule: { name: string }; steps: object[] },
      );
    expect(documents.length).toBeGreaterThanOrEqual(3);
    expect(documents.find(({ rule }) => rule.name === seen)).toMatchObject({
      from: 'agent',
      tier: 'scan',
      degraded: false,
      steps: [
        { name: 'step 1', sight: 'full', seen_by: ['file-watch'] },
        { name: 'step 2', sight: 'partial', seen_by: ['process-scan'] },
      ],
    });
    expect(documents.find(({ rule }) => rule.name === inferred)).toMatchObject({
      degraded: true,
      steps: [{ sight: 'full' }, { role: 'missing' }, { sight: 'none', seen_by: [] }],
    });
    expect(cli(mac, 'coverage')).toMatch(/launchd-state: cannot work here: there is no .*\/bin\/launchctl/);
  });
});

describe.skipIf(!compiler)('the tier', () => {
  test('goes down when eslogger loses its right, and up again when it gets it back; each time a gap is stored', async () => {
    const folder = path.dirname(mac.write('/usr/bin/x', ''));
    const { feed } = fakeEslogger(folder);
    const fail = path.join(folder, 'error');
    const current = await AgentProcess.start({ mac });
    agent = current;
    expect(await tierOf()).toMatchObject({ running: 'eslogger', reason: 'the best that is allowed here' });

    // eslogger tells of the load, the watcher of the file.
    const label = randomLabel();
    const macPath = `/Users/alice/Library/LaunchAgents/${label}.plist`;
    const file = mac.write(macPath, launchAgentPlist(label));
    await current.settled();
    const target = processObject({ pid: 501, pidversion: 52 }, mac.launchctl);
    const time = new Date().toISOString().replace('Z', '000000Z');
    appendFileSync(feed, `${execLine(['launchctl', 'load', file], { target, time })}\n`);
    await waitFor('the alert', () => (alertsAbout(listAlerts(mac), macPath).length > 0 ? true : undefined));
    expect(alertsAbout(listAlerts(mac), macPath)).toMatchObject([
      {
        rule_name: seen,
        doc: { launchwarden: { alert: { sensors: expect.arrayContaining(['eslogger']) } } },
      },
    ]);

    writeFileSync(fail, 'ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED\n');
    const [pid = ''] = readFileSync(path.join(folder, 'runs'), 'utf8').trim().split('\n').slice(-1);
    process.kill(Number(pid), 'SIGKILL');
    await waitFor('the scan', async () => ((await tierOf()).running === 'scan' ? true : undefined));
    expect((await tierOf()).reason).toContain('Full Disk Access');
    const attack = await launchAttack(current, 50);
    await current.settled();
    expect(alertsAbout(listAlerts(mac), attack.path)).toHaveLength(1);

    rmSync(fail);
    await waitFor(
      'eslogger to come back',
      async () => ((await tierOf()).running === 'eslogger' ? true : undefined),
      60_000,
    );
    expect(gaps().filter(({ reason }) => reason === 'tier-switch')).toMatchObject([
      { sensor: 'process-scan', detail: expect.stringMatching(/^from eslogger to scan: .*Full Disk Access/) },
      { sensor: 'eslogger', detail: 'from scan to eslogger, which can be used now' },
    ]);
  }, 120_000);

  test('that sees processes sees them before the rules are compiled, whichever it is', async () => {
    const earliest = async (kind: string) => {
      const busy = spawn('/bin/sh', ['-c', 'while :; do /bin/sleep 0.02; done'], {
        stdio: 'ignore',
        detached: true,
      });
      try {
        agent = await AgentProcess.start({ mac });
        expect(await tierOf()).toMatchObject({ running: kind });
        await agent.settled();
      } finally {
        process.kill(-(busy.pid as number), 'SIGKILL');
      }
      const { log } = agent;
      await agent.stop();
      // Said when the sensors are put together, with the rules at hand.
      const [line = '{}'] = log.split('\n').filter((one) => one.includes('tier left out'));
      const db = new Database(path.join(mac.dataDir, 'events.db'), { readonly: true });
      const { first } = db.prepare('SELECT min(time) AS first FROM events').get() as { first: number };
      db.close();
      expect(first).toBeGreaterThan(0);
      return first / 1000 - Date.parse((JSON.parse(line) as { time: string }).time);
    };
    expect(await earliest('scan')).toBeLessThan(0);
    mac.remove();
    mac = new SimulatedMac();
    fakeEslogger(path.dirname(mac.write('/usr/bin/x', '')));
    expect(await earliest('eslogger')).toBeLessThan(0);
  });

  test('that is asked for and cannot be had ends the start with a message', async () => {
    await expect(AgentProcess.start({ mac, arguments: ['--sensors', 'eslogger'] })).rejects.toThrow(
      /eslogger cannot be used: .*does not exist/,
    );
  });

  test('scan is what it is when it is asked for', async () => {
    fakeEslogger(path.dirname(mac.write('/usr/bin/x', '')));
    agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'scan'] });
    expect(await tierOf()).toMatchObject({ running: 'scan', reason: 'asked for', refused: {} });
  });
});
