import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { sha256Hex } from '../../src/base/digest.js';
import { manifestOf, openStore, type Store, type Version } from '../../src/store/index.js';
import {
  AgentProcess,
  cli,
  control,
  launchAgentPlist,
  SimulatedMac,
  standInLaunchctl,
  waitFor as waitAtMost,
} from '../simulation/mac.js';

vi.setConfig({ testTimeout: 180_000 });

const compiler = standInLaunchctl() !== undefined;
const label = 'com.example.evidence';
const list = `/Users/alice/Library/LaunchAgents/${label}.plist`;
const program = '/Users/alice/.tool/run';
/** A machine may be busy: nothing here is about how soon. */
function waitFor<T>(what: string, look: () => T | undefined): Promise<T> {
  return waitAtMost(what, look, 60_000);
}

const bundle = '/Library/DirectoryServices/PlugIns/Evil.dsplug';

let mac: SimulatedMac;
let agent: AgentProcess;

/** What the running agent has stored. */
function stored<T>(use: (store: Store) => T): T {
  const store = openStore({ dataDir: mac.dataDir, readOnly: true, clock: systemClock });
  try {
    return use(store);
  } finally {
    store.close();
  }
}

/** The versions of a path, newest first, once there are so many. */
function versions(of: string, count: number): Promise<Version[]> {
  return waitFor(`${count} versions of ${of}`, () => {
    const found = stored((store) => store.versions.ofPath(of));
    return found.length >= count ? found : undefined;
  });
}

beforeAll(async () => {
  if (!compiler) return;
  mac = new SimulatedMac();
  agent = await AgentProcess.start({ mac, arguments: ['--sensors', 'file-watch'] });
  await control(mac.dataDir, 'inventory.refresh');
});

afterAll(async () => {
  await agent?.stop('SIGKILL');
  mac?.remove();
});

test.skipIf(!compiler)('every version of an item and of what it runs is kept, as it was', async () => {
  const first = '#!/bin/sh\necho one\n';
  mac.write(program, first);
  chmodSync(mac.host(program), 0o755);
  utimesSync(mac.host(program), 1_600_000_000, 1_600_000_000);
  mac.write(list, launchAgentPlist(label, [program]));
  const [script] = await versions(program, 1);
  expect(script).toMatchObject({
    kind: 'script',
    mode: 0o755,
    mtime: 1_600_000_000_000_000_000n,
    kept: 'whole',
  });
  expect(script?.sha256).toBe(sha256Hex(first));

  // Another program is put in its place, the list stays; it is too large for the database.
  const large = Buffer.alloc(3 * 1024 * 1024, 7);
  Buffer.from('cffaedfe0c000001', 'hex').copy(large);
  writeFileSync(`${mac.host(program)}.new`, large);
  renameSync(`${mac.host(program)}.new`, mac.host(program));
  mac.write(list, launchAgentPlist(label, [program, '--again']));
  const [binary] = await versions(program, 2);
  expect(binary).toMatchObject({
    kind: 'program',
    size: large.length,
    kept: 'whole',
    architectures: ['arm64'],
  });
  const [after, before] = await versions(list, 2);
  expect([after?.kind, before?.kind]).toEqual(['list', 'list']);
  const object = path.join(mac.dataDir, 'evidence', binary?.sha256 ?? '');
  expect(statSync(object).mode & 0o777).toBe(0o600);
  expect(readFileSync(object).equals(large)).toBe(true);
  const item = stored((store) => store.versions.itemsOf(list)[0]?.itemId ?? '');
  expect(new Set(stored((store) => store.versions.ofItem(item)).map((one) => one.path))).toEqual(
    new Set([list, program]),
  );

  // A label is known once the inventory has read the item.
  await waitFor('the label', () =>
    stored((store) => store.inventory.list().find(({ entry }) => entry.label === label)),
  );
  const listed = cli(mac, 'evidence', 'list', label, '--json').trim().split('\n');
  expect(listed.map((line) => (JSON.parse(line) as { path: string }).path)).toContain(program);
  const difference = cli(mac, 'evidence', 'diff', list);
  expect(difference).toMatch(/ProgramArguments\n.*"\/Users\/alice\/.tool\/run"\]\n.*"--again"\]/);
  expect(cli(mac, 'evidence', 'diff', program)).toContain('architectures');
  expect(cli(mac, 'evidence', 'show', `#${script?.id}`)).toContain('echo one');
  const folder = path.join(mac.base, 'case');
  cli(mac, 'evidence', 'export', program, '--output', folder);
  expect(readFileSync(path.join(folder, 'run')).equals(large)).toBe(true);
  expect(statSync(path.join(folder, 'metadata.json')).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path.join(folder, 'metadata.json'), 'utf8'))).toMatchObject({
    schema: 'launchwarden.evidence/1',
    sha256: binary?.sha256,
  });

  // What somebody wrote over is reported, and never handed out.
  writeFileSync(object, Buffer.alloc(large.length, 8));
  expect(stored((store) => store.evidence.read(binary?.sha256 ?? '')).state).toBe('corrupt');
  expect(() => cli(mac, 'evidence', 'export', program, '--output', `${folder}-2`)).toThrow(
    /evidence\/corrupt/,
  );
});

test.skipIf(!compiler)('a plug-in bundle is kept with all of its files', async () => {
  mkdirSync(mac.host(`${bundle}/Contents/MacOS`), { recursive: true });
  mac.write(
    `${bundle}/Contents/Info.plist`,
    '<plist><dict><key>CFBundleExecutable</key><string>Evil</string></dict></plist>',
  );
  mac.write(`${bundle}/Contents/MacOS/Evil`, 'not yet a program');
  const files = await waitFor('all files of the bundle', () =>
    stored((store) => {
      const read = store.evidence.read(store.versions.newest(bundle)?.sha256 ?? '');
      const found = read.state === 'kept' ? manifestOf(read.content.bytes)?.files : undefined;
      return found?.length === 4 ? found : undefined;
    }),
  );
  expect(files?.map(({ path: inside, type }) => `${type} ${inside}`)).toEqual([
    'dir Contents',
    'file Contents/Info.plist',
    'dir Contents/MacOS',
    'file Contents/MacOS/Evil',
  ]);
  expect(files?.at(-1)?.sha256).toBe(sha256Hex('not yet a program'));
  const [part] = await versions(`${bundle}/Contents/MacOS/Evil`, 1);
  expect(part).toMatchObject({ kind: 'bundle-file', kept: 'whole' });
  const folder = path.join(mac.base, 'bundle');
  cli(mac, 'evidence', 'export', bundle, '--output', folder);
  expect(readFileSync(path.join(folder, 'Evil.dsplug/Contents/MacOS/Evil'), 'utf8')).toBe(
    'not yet a program',
  );
});

test.skipIf(!compiler)(
  'the state of now is called known good, and what comes after is compared with it',
  async () => {
    const root = ['--root', mac.root] as const;
    cli(mac, 'baseline', 'save', 'clean', '--reason', 'fresh', ...root);
    expect(cli(mac, 'baseline', 'diff', ...root)).toContain('Everything is as "clean" knows it');
    mac.write(
      '/Users/alice/Library/LaunchAgents/com.example.later.plist',
      launchAgentPlist('com.example.later'),
    );
    mac.write(list, launchAgentPlist(label, ['/private/tmp/other']));
    await waitFor('the inventory to have both', () =>
      stored((store) => {
        const labels = store.inventory.list().filter(({ entry }) => entry.runs[0] !== program);
        return labels.length >= 2 ? labels : undefined;
      }),
    );
    let text = '';
    try {
      cli(mac, 'baseline', 'diff', '--refresh', '--json', ...root);
    } catch (error) {
      text = (error as { stdout: string }).stdout;
      expect((error as { status: number }).status).toBe(1);
    }
    const states = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { state: string; label?: string });
    expect(states.map(({ state, label: of }) => `${state} ${of}`)).toEqual(
      expect.arrayContaining(['new com.example.later', `changed ${label}`]),
    );
    cli(mac, 'baseline', 'approve', 'com.example.later', label, '--reason', 'ours', ...root);
    expect(cli(mac, 'baseline', 'diff', ...root)).toContain('Everything is as "clean" knows it');
  },
);

test.skipIf(!compiler)(
  'who has an item open for writing when it changes is its likely writer, never the certain one',
  async () => {
    const item = '/Users/bob/Library/LaunchAgents/com.example.held.plist';
    const file = mac.write(item, '');
    const script = `const f = require('fs').openSync(${JSON.stringify(file)}, 'w');
    setInterval(() => require('fs').writeSync(f, ${JSON.stringify(launchAgentPlist('com.example.held'))}), 200)`;
    const child = spawn(process.execPath, ['-e', script], { cwd: '/', stdio: 'ignore' });
    try {
      const doc = await waitFor('its likely writer', () =>
        stored((store) => {
          const events = [...store.events.between(0, Number.MAX_SAFE_INTEGER)].map((event) => event.doc);
          return events.find(
            (one) => one.file?.path === item && one.launchwarden?.likely_writers !== undefined,
          );
        }),
      );
      expect(doc.process).toBeUndefined();
      expect(doc.launchwarden?.likely_writers).toEqual([
        expect.objectContaining({
          pid: child.pid,
          how: 'open-for-writing',
          name: path.basename(process.execPath),
        }),
      ]);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
