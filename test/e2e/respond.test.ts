import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { noAddon } from '../helpers/respond-place.js';
import {
  AgentProcess,
  cli,
  launchAgentPlist,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { bundleAttack, launchctl } from '../simulation/scenarios.js';

const ready = noAddon === undefined && standInLaunchctl() !== undefined;
const label = 'com.example.evil';
const list = `/Users/alice/Library/LaunchAgents/${label}.plist`;
const tool = '/Users/alice/.local/bin/evil';

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly rule_name: string;
  readonly doc: { readonly file?: { readonly path?: string } };
  readonly notes: readonly { readonly kind: string; readonly text: string; readonly author: string }[];
}

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly automatic: boolean;
}

describe.skipIf(!ready)('responses on a simulated Mac', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  const config = `
[[respond.automatic]]
rule = "DirectoryService plug-in created or changed"
action = "quarantine"
shadow = true

[[destination]]
type = "file"
path = "alerts.ndjson"
`;

  beforeAll(async () => {
    mac = new SimulatedMac();
    mkdirSync(mac.host('/private/var/db/launchd.stand-in'), { recursive: true });
    mkdirSync(mac.host('/Users/alice/.local/bin'), { recursive: true });
    agent = await AgentProcess.start({ mac, config });
  });

  afterAll(async () => {
    await agent?.stop('SIGKILL');
    mac?.remove();
  });

  const run = (...argv: readonly string[]) => cli(mac, ...argv, '--root', mac.root);
  const documents = <T>(...argv: readonly string[]): T[] =>
    run(...argv, '--json')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  const alerts = () =>
    documents<Shown>('alerts', 'list', '--status', 'open,acknowledged,closed', '--limit', '1000');
  const shown = (id: string) => alerts().find((one) => one.id === id)!;
  const newest = () => documents<Listed>('respond', 'list')[0]!;

  test('found, quarantined, undone, quarantined again, planted again: the first alert is opened again with the link', async () => {
    copyFileSync('/bin/sleep', mac.host(tool));
    const file = mac.write(list, launchAgentPlist(label, [tool]));
    const evil = spawn(mac.host(tool), ['1000'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => evil.once('exit', (_, signal) => resolve(signal)));
    onTestFinished(() => void evil.kill('SIGKILL'));
    await launchctl(agent, 50, 'load', file);
    await agent.settled();
    const first = await waitFor('the alert', () =>
      alerts().find(({ doc, rule_name }) => doc.file?.path === list && /loaded/.test(rule_name)),
    );
    const facts = lstatSync(file, { bigint: true });

    // A dry run tells, and does nothing.
    const plan = run('respond', 'all', first.id, '--dry-run');
    expect(plan).toMatch(/boot .* out of/);
    expect(plan).toContain(`end process ${evil.pid}`);
    expect(existsSync(file)).toBe(true);

    expect(run('respond', 'all', first.id)).toMatch(/respond undo [0-9a-f]{12}/);
    expect(await ended).toBe('SIGKILL');
    expect(existsSync(file)).toBe(false);
    expect(existsSync(mac.host(tool))).toBe(false);
    expect(readFileSync(mac.host('/private/var/db/launchd.stand-in/jobs'), 'utf8')).not.toContain(label);
    const kinds = shown(first.id).notes.filter(({ kind }) => kind === 'response');
    expect(kinds.map(({ text }) => /, (boot-out|stop|quarantine): done/.exec(text)?.[1])).toEqual([
      'boot-out',
      'stop',
      'quarantine',
      'quarantine',
    ]);

    const response = newest();
    expect(run('respond', 'undo', response.id)).toContain('is back at its place');
    expect(newest().state).toBe('partly undone');
    const back = lstatSync(file, { bigint: true });
    expect([back.ino, back.mtimeNs, back.mode, back.uid]).toEqual([
      facts.ino,
      facts.mtimeNs,
      facts.mode,
      facts.uid,
    ]);
    expect(readFileSync(mac.host('/private/var/db/launchd.stand-in/jobs'), 'utf8')).toContain(label);
    await agent.settled();
    // Our own file counts for nothing.
    expect(shown(first.id).notes.filter(({ text }) => text.startsWith('it came back'))).toEqual([]);

    run('respond', 'quarantine', first.id);
    expect(existsSync(file)).toBe(false);
    run('alerts', 'close', first.id, '--reason', 'true_positive', '--yes');
    await agent.settled();
    expect(shown(first.id).status).toBe('closed');

    mac.write(list, launchAgentPlist(label, [tool]));
    await launchctl(agent, 50, 'load', file);
    const opened = await waitFor('the first alert to be opened again', () => {
      const now = shown(first.id);
      return now.status === 'open' ? now : undefined;
    });
    expect(
      opened.notes.find(({ kind, author }) => kind === 'open' && author === 'launchwarden')?.text,
    ).toMatch(/it came back: .*(event|alert) [0-9a-f]{32}/);
    const linked = await waitFor('the link of the new alert', () =>
      alerts().find(
        (one) => one.id !== first.id && one.notes.some(({ text }) => text.includes(`alert ${first.id}`)),
      ),
    );
    expect(linked.doc.file?.path).toBe(list);
    const told = await waitFor('the destination', () => {
      const text = readFileSync(path.join(mac.base, 'alerts.ndjson'), 'utf8');
      return text.includes('it came back') ? text : undefined;
    });
    expect(told).toContain('is in the quarantine');
  }, 180_000);

  test('shadow mode tells what it would have done, and does nothing', async () => {
    const macPath = await bundleAttack(agent, 'cp -R');
    const alert = await waitFor('the note', () =>
      alerts().find(
        (one) => one.doc.file?.path === macPath && one.notes.some(({ text }) => text.includes('shadow mode')),
      ),
    );
    expect(shown(alert.id).notes.find(({ text }) => text.includes('shadow mode'))?.text).toContain(
      `would move ${macPath} into the quarantine`,
    );
    expect(existsSync(mac.host(macPath))).toBe(true);
    run('respond', 'quarantine', alert.id);
    expect(existsSync(mac.host(macPath))).toBe(false);
    // Asked for in public, and offered back at the end.
    const offer = run('uninstall', '--dry-run');
    expect(offer).toContain(macPath);
    expect(offer).toContain('--restore');
    // Of the other test something stays: its place is taken. Exit code 1 says so.
    expect(() => run('uninstall', '--restore')).toThrow(/Command failed/);
    expect(readdirSync(path.dirname(mac.host(macPath)))).toContain(path.basename(macPath));
  }, 180_000);

  test('a response that was cut off is finished by the next start of the agent', async () => {
    const macPath = '/Library/LaunchDaemons/com.example.cut.plist';
    mac.write(macPath, launchAgentPlist('com.example.cut'));
    run('respond', 'quarantine', macPath);
    const journal = path.join(mac.dataDir, 'respond', `${newest().id}.ndjson`);
    await agent.stop('SIGKILL');
    // As a crash leaves it: begun, and perhaps done.
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, `${lines.slice(0, 2).join('\n')}\n{"half`, { mode: 0o600 });
    expect(newest().state).toBe('running');
    agent = await AgentProcess.start({ mac, config });
    await waitFor('the response to be finished', () => (newest().state === 'done' ? true : undefined));
    expect(existsSync(mac.host(macPath))).toBe(false);
  }, 180_000);
});
