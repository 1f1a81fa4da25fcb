import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fillUp, readOnlyView, smallVolume } from '../helpers/volumes.js';
import { installedData, treeText } from '../simulation/installs.js';
import {
  AgentProcess,
  launchAgentPlist,
  program,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

// Volumes that are really full, or really mounted read-only.

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/volumes.test.ts needs a C compiler for its launchctl\n');

let mac: SimulatedMac;

beforeEach(() => {
  if (compiler) mac = new SimulatedMac();
});
afterEach(() => {
  if (compiler) mac.remove();
});

interface Ran {
  readonly code: number;
  readonly text: string;
}

function run(...argv: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    execFile(process.execPath, [program, ...argv], { env, cwd: mac.base }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` }),
    );
  });
}

describe.skipIf(!compiler)('a volume', () => {
  const plant = (name: string) =>
    mac.write(`/Library/LaunchDaemons/com.example.${name}.plist`, launchAgentPlist(`com.example.${name}`));

  test('that is full under the data of an agent: alerts are delivered all the same, and status says so', async ({
    skip,
  }) => {
    const volume = smallVolume(48 * 1024);
    if ('reason' in volume) return skip(volume.reason);
    const dataDir = path.join(volume.folder, 'data');
    const there = { ...mac, dataDir } as unknown as SimulatedMac;
    const siem = path.join(mac.base, 'siem.ndjson');
    const config = `[[destination]]\nname = "siem"\ntype = "file"\npath = ${JSON.stringify(siem)}\n`;
    const agent = await AgentProcess.start({ mac: there, config });
    onTestFinished(async () => void (await agent.stop('SIGKILL')));
    const told = (text: string) =>
      waitFor(`${text} at the destination`, () =>
        existsSync(siem) && readFileSync(siem, 'utf8').includes(text) ? true : undefined,
      );
    const status = (pattern: RegExp) =>
      waitFor(`the status ${pattern}`, async () => {
        const ran = await run('status', '--data-dir', dataDir);
        return pattern.test(ran.text) ? ran : undefined;
      });
    plant('before');
    await told('com.example.before');

    const frees = [fillUp(volume.folder)];
    plant('while-full');
    await told('com.example.while-full');
    const full = await waitFor('the status to say so', async () => {
      // What it had put by for this case is used up, too.
      frees.push(fillUp(path.join(volume.folder, `more${frees.length}`)));
      plant(`flood-${frees.length}`);
      const ran = await run('status', '--data-dir', dataDir);
      return /^DEGRADED: .*the store is full/.test(ran.text) ? ran : undefined;
    });
    expect(full).toMatchObject({ code: 1, text: expect.stringContaining('the disk is full') });
    plant('still-full');
    await told('com.example.still-full');
    expect(agent.child.exitCode).toBeNull();

    for (const free of frees) free();
    await status(/^(?!.*the store is )(?:HEALTHY|DEGRADED)/);
    plant('after');
    await told('com.example.after');
    expect(await agent.stop()).toBe(0);
    const listed = await run('alerts', 'list', '--status', 'all', '--json', '--data-dir', dataDir);
    for (const name of ['before', 'while-full', 'still-full', 'after'])
      expect(listed.text).toContain(`com.example.${name}`);
  });

  test('that has no room for an installation: it is refused, and nothing is left', async ({ skip }) => {
    const volume = smallVolume(2 * 1024);
    if ('reason' in volume) return skip(volume.reason);
    const root = path.join(volume.folder, 'root');
    for (const folder of ['Library/Application Support', 'Library/LaunchDaemons', 'private/etc/newsyslog.d'])
      mkdirSync(path.join(root, folder), { recursive: true });
    fillUp(volume.folder);
    const before = treeText(root);
    const { code, text } = await run('install', '--root', root);
    expect(code).toBe(2);
    expect(text).toMatch(/the disk is full \[store\/disk-full\]/);
    expect(text).toContain('Free some space');
    expect(treeText(root)).toBe(before);
  });

  test('that fills up while a version is placed: it is taken back', async ({ skip }) => {
    // Room enough, and too few inodes.
    const volume = smallVolume(1024 * 1024, ',nr_inodes=400');
    if ('reason' in volume) return skip(volume.reason);
    const root = path.join(volume.folder, 'root');
    for (const folder of [
      'Library/Application Support',
      'Library/LaunchDaemons',
      'Library/Logs',
      'private/etc/newsyslog.d',
    ])
      mkdirSync(path.join(root, folder), { recursive: true });
    const before = treeText(root);
    const { code, text } = await run('install', '--root', root);
    expect(code).not.toBe(0);
    expect(text).toMatch(/the disk is full|ENOSPC/);
    expect(text).not.toContain('bug');
    expect(treeText(root)).toBe(before);
    expect(existsSync(path.join(root, installedData))).toBe(false);
  });

  test('that is read-only: what reads works as before, and what writes says why it cannot', async ({
    skip,
  }) => {
    const agent = await AgentProcess.start({ mac });
    plant('kept');
    const alert = await waitFor('the alert', async () => {
      const { text } = await run('alerts', 'list', '--json', '--data-dir', mac.dataDir);
      return text.startsWith('{') ? (JSON.parse(text.split('\n')[0] ?? '') as { id: string }) : undefined;
    });
    // As after a power cut: nothing was written back.
    await agent.stop('SIGKILL');
    const view = readOnlyView(mac.dataDir);
    if ('reason' in view) return skip(view.reason);
    const on = ['--data-dir', view.folder];
    for (const argv of [
      ['alerts', 'list'],
      ['alerts', 'show', alert.id],
      ['events', 'list'],
      ['inventory', 'list', '--all'],
      ['evidence', 'list'],
    ]) {
      const { code, text } = await run(...argv, ...on);
      expect([argv.join(' '), code]).toEqual([argv.join(' '), 0]);
      expect(text).toContain('com.example.kept');
    }
    const archive = await run('collect', alert.id, '--output', path.join(mac.base, 'case.tar.gz'), ...on);
    expect(archive.code).toBe(0);
    expect(execFileSync('tar', ['-tzf', path.join(mac.base, 'case.tar.gz')], { encoding: 'utf8' })).toContain(
      'alert',
    );
    const held = readdirSync(mac.dataDir);
    for (const [argv, code, what] of [
      [['alerts', 'ack', alert.id], 2, 'store/no-access'],
      [['alerts', 'note', alert.id, 'x'], 2, 'store/no-access'],
      [
        ['respond', 'quarantine', '/Library/LaunchDaemons/com.example.kept.plist', '--root', mac.root],
        2,
        'respond/no-journal',
      ],
      [['run', '--root', mac.root], 2, 'store/no-access'],
      [['status'], 3, 'control/not-running'],
    ] as const) {
      const ran = await run(...argv, ...on);
      expect(ran).toMatchObject({ code, text: expect.stringContaining(`[${what}]`) });
      if (what === 'store/no-access') expect(ran.text).toContain('mounted read-only');
    }
    expect(readdirSync(mac.dataDir)).toEqual(held);
    expect(existsSync(mac.host('/Library/LaunchDaemons/com.example.kept.plist'))).toBe(true);
  });
});
