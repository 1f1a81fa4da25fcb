import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobList } from '../simulation/healthy.js';
import {
  AgentProcess,
  alertsAbout,
  allAlerts,
  cli,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/settling.test.ts needs a C compiler for its launchctl\n');

const run = promisify(execFile);
const folder = '/Users/alice/Library/LaunchAgents';

describe.skipIf(!compiler)('what the agent itself finds to need nobody', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  const file = (label: string) => `${folder}/${label}.plist`;
  const job = (label: string, program: string, more = '') => jobList({ label, args: [program], more });
  const load = (label: string) => run(mac.launchctl, ['load', '-w', mac.host(file(label))]);
  const statusOf = async (label: string, wanted: string) =>
    waitFor(`the alerts about ${label} to be ${wanted}`, async () => {
      await agent.settled();
      const found = alertsAbout(allAlerts(mac), file(label));
      return found.length > 0 && found.every(({ status }) => status === wanted) ? found : undefined;
    });
  const exceptions = (content: string) => {
    const place = path.join(mac.base, 'exceptions');
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'ours.toml'), content);
  };

  beforeAll(async () => {
    mac = new SimulatedMac();
    mac.write('/opt/vendor/agent', 'the program');
    for (const label of ['com.vendor.same', 'com.vendor.swapped'])
      mac.write(file(label), job(label, '/opt/vendor/agent'));
    agent = await AgentProcess.start({ mac });
    await waitFor('what was there before to be known', () =>
      /items that were there before are known/.test(agent.log) ? true : undefined,
    );
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  test('an update of a known item is closed; one that runs another program is not', async () => {
    mac.write(
      file('com.vendor.same'),
      job('com.vendor.same', '/opt/vendor/agent', '<key>Nice</key><integer>1</integer>'),
    );
    await load('com.vendor.same');
    const closed = await statusOf('com.vendor.same', 'closed');
    expect(closed.every(({ doc }) => JSON.stringify(doc).includes('"reason":"known update"'))).toBe(true);
    mac.write(file('com.vendor.swapped'), job('com.vendor.swapped', '/private/tmp/evil'));
    await load('com.vendor.swapped');
    await statusOf('com.vendor.swapped', 'open');
    const lines = cli(mac, 'alerts', 'list').split('\n');
    expect(lines.filter((line) => line.includes(file('com.vendor.swapped')))).toHaveLength(1);
    expect(lines.some((line) => line.includes(file('com.vendor.same')))).toBe(false);
  });

  test('an exception bound to a content hides that content alone; a bad file changes nothing', async () => {
    const content = job('org.backup.agent', '/opt/backup');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const set = (condition: string) =>
      `name = "Ours"\n[[exception]]\nid = "backup"\nreason = "r"\nauthor = "a"\nexpires = 2099-01-01\n${condition}\n`;
    exceptions(set(`sha256 = "${sha256}"`));
    const reload = () => cli(mac, 'reload');
    expect(reload()).toContain('exceptions in force: 1');
    exceptions(set('item = "file.path: ("'));
    // Exit code 1: they are refused.
    expect(reload).toThrow(/Command failed/);
    mac.write(file('org.backup.agent'), content);
    await load('org.backup.agent');
    await agent.settled();
    // One that was told while the file was still empty is closed when it holds its content.
    await waitFor('no open alert', () => {
      const open = alertsAbout(allAlerts(mac), file('org.backup.agent')).filter(
        ({ status }) => status !== 'closed',
      );
      return open.length === 0 || undefined;
    });
    mac.write(file('org.backup.agent'), job('org.backup.agent', '/private/tmp/evil'));
    await load('org.backup.agent');
    await waitFor('an open alert', () =>
      alertsAbout(allAlerts(mac), file('org.backup.agent')).find(({ status }) => status === 'open'),
    );
    exceptions(set(`sha256 = "${sha256}"`));
    const hits = () =>
      JSON.parse(
        cli(mac, 'exceptions', 'list', '--json', '--config', path.join(mac.base, 'config.toml')),
      ) as { hits: number };
    await waitFor('the hits to be counted', () => (hits().hits > 0 ? true : undefined));
  });
});
