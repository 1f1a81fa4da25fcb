import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AgentProcess,
  allAlerts,
  cli,
  control,
  program,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

let mac: SimulatedMac;
let agent: AgentProcess | undefined;
const file = () => path.join(mac.base, 'alerts.ndjson');
const config = `
[[destination]]
type = "file"
name = "siem"
path = "alerts.ndjson"
`;

beforeEach(() => {
  mac = new SimulatedMac();
  mkdirSync(mac.host('/private/var/db/launchd.stand-in'), { recursive: true });
  writeFileSync(mac.host('/private/var/db/launchd.stand-in/jobs'), '');
});

afterEach(async () => {
  await agent?.stop('SIGKILL');
  agent = undefined;
  mac.remove();
});

interface Step {
  readonly link: string;
  readonly ok: boolean;
  readonly destination?: string;
  readonly detail?: string;
  readonly cure?: string;
}

interface Result {
  readonly ok: boolean;
  readonly label: string;
  readonly alert?: string;
  readonly steps: readonly Step[];
}

function canary(
  ...more: readonly string[]
): Promise<{ code: number | null; result: Result | undefined; stderr: string }> {
  const argv = [program, 'canary', '--json', '--root', mac.root, '--data-dir', mac.dataDir, ...more];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) =>
    child.once('close', (code) =>
      resolve({ code, stderr, result: text === '' ? undefined : (JSON.parse(text) as Result) }),
    ),
  );
}

const rows = () =>
  readFileSync(file(), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
const leavings = () =>
  readdirSync(mac.root, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('canary'));
const open = () => allAlerts(mac).filter(({ status }) => status !== 'closed');
const jobs = () => readFileSync(mac.host('/private/var/db/launchd.stand-in/jobs'), 'utf8');

describe.skipIf(standInLaunchctl() === undefined)('canary on a simulated Mac', { timeout: 120_000 }, () => {
  test('goes through the whole chain, is marked everywhere, and leaves nothing', async () => {
    agent = await AgentProcess.start({ mac, config });
    const { code, result, stderr } = await canary();
    expect(stderr).toBe('');
    expect(result?.steps.map(({ link, destination, ok }) => [link, destination, ok])).toEqual([
      ['written', undefined, true],
      ['loaded', undefined, true],
      ['seen', undefined, true],
      ['judged', undefined, true],
      ['stored', undefined, true],
      ['delivered', 'siem', true],
      ['removed', undefined, true],
    ]);
    expect(code).toBe(0);
    await agent.settled();
    expect(open()).toEqual([]);
    const about = rows().filter(({ event }) => event?.['kind'] === 'alert');
    expect(about.length).toBeGreaterThan(0);
    for (const doc of about) {
      expect(doc).toMatchObject({ labels: { launchwarden_canary: true }, event: { severity: 21 } });
      expect(doc).toMatchObject({ launchwarden: { alert: { priority: { score: 0, level: 'low' } } } });
    }
    expect(leavings()).toEqual([]);
    expect(jobs()).toBe('');
    expect(await agent.status()).toMatchObject({ verdict: 'healthy', canary: { last: { ok: true } } });
    // Known after a restart, too: nothing of it opens again.
    await agent.stop();
    const told = (action: string) =>
      rows().flatMap(({ event, launchwarden }) =>
        event?.['action'] === action ? [launchwarden?.['status']] : [],
      );
    expect(told('stopping')).toMatchObject([
      { not_seen: expect.stringContaining('until the agent starts again'), chain: { length: about.length } },
    ]);
    agent = await AgentProcess.start({ mac, config });
    await agent.settled();
    await waitFor('word of the restart', () => (told('gap').length > 0 ? true : undefined));
    expect(told('gap')).toMatchObject([
      { reason: 'restart', not_seen: expect.any(String), since: expect.any(String) },
    ]);
    expect(cli(mac, 'verify', file())).toContain('Nothing is missing');
    expect(open()).toEqual([]);
    expect(await agent.status()).toMatchObject({ canary: { last: { ok: true, alert: result?.alert } } });
  });

  test('nobody hides behind it: another item under its label, or another content of it, is an open alert', async () => {
    agent = await AgentProcess.start({ mac, config });
    const begun = (await control(mac.dataDir, 'canary.begin')) as {
      item: { label: string; path: string; content: string };
    };
    const { label, path: place, content } = begun.item;
    mac.write(place, content.replace('/usr/bin/true', '/private/tmp/evil'));
    const own = mac.write('/Library/LaunchDaemons/com.launchwarden.canary.0123456789abcdef.plist', content);
    await waitFor('both alerts', () => (open().length >= 2 ? true : undefined));
    await agent.settled();
    const found = open().map(({ doc }) => doc as Record<string, Record<string, unknown>>);
    for (const doc of found) {
      expect(doc['labels']?.['launchwarden_canary']).toBeUndefined();
      expect(doc['launchwarden']).toMatchObject({ findings: expect.arrayContaining(['canary-label']) });
    }
    expect([...new Set(found.map(({ file: one }) => one?.['path']))].sort()).toEqual(
      [mac.host(place), own].map((one) => one.slice(mac.root.length)).sort(),
    );
    // It ends as one that failed: an alert and DEGRADED.
    await control(mac.dataDir, 'canary.end', { label, steps: [], aborted: false });
    await waitFor('the alert of the failure', () =>
      open().find(({ rule_name }) => rule_name === 'The canary of launchwarden failed'),
    );
    expect(await agent.status()).toMatchObject({
      verdict: 'degraded',
      reasons: [expect.stringMatching(/^the canary failed at /)],
    });
  });

  test('a destination that takes nothing is named, with what to do', async () => {
    const refused = `${config}
[[destination]]
type = "webhook"
name = "far"
url = "http://127.0.0.1:9"
simulated = true
`;
    agent = await AgentProcess.start({ mac, config: refused });
    const { code, result } = await canary('--timeout', '5s');
    expect(code).toBe(1);
    const broken = result?.steps.filter(({ ok }) => !ok);
    expect(broken).toMatchObject([
      { link: 'delivered', destination: 'far', cure: 'run "launchwarden forward test far"' },
    ]);
    expect(leavings()).toEqual([]);
    const told = await waitFor('the failure at the other destination', () =>
      rows().find(({ launchwarden }) => {
        const status = launchwarden?.['status'] as { reason?: string } | undefined;
        return status?.reason === 'canary-failed';
      }),
    );
    expect(told['message']).toMatch(/canary-failed/);
  });

  test('one that was killed is cleaned up by the next start of the agent', async () => {
    agent = await AgentProcess.start({ mac, config });
    const folder = mac.host('/Library/LaunchDaemons');
    const argv = [program, 'canary', '--root', mac.root, '--data-dir', mac.dataDir];
    const child = spawn(process.execPath, argv, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await waitFor('the item', () => (readdirSync(folder).length > 0 ? true : undefined));
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(folder)).toHaveLength(1);
    await agent.stop();
    agent = await AgentProcess.start({ mac, config });
    await waitFor('the folder to be clean', () => (leavings().length === 0 ? true : undefined));
    expect(jobs()).toBe('');
    // The one after it goes through.
    expect((await canary()).code).toBe(0);
  });
});
