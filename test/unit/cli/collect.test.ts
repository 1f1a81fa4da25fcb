import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { detection, fileEvent, plistPath, processEvent, storedAlerts } from './alert-fixture.js';

const item = 'item-1';
const list = Buffer.from(
  '<plist><dict><key>Program</key><string>/Users/alice/.x/run</string><key>X</key><string>/Users/carol/y</string></dict></plist>',
);
const program = Buffer.concat([Buffer.from('\xcf\xfa\xed\xfe binary of alice '), Buffer.alloc(64)]);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A store with one alert about an item of which a list and a program are kept, and events around it. */
function stored(): string {
  const file = fileEvent('f1', { hash: { sha256: hashOf(list) } });
  const about = {
    ...file,
    doc: {
      ...file.doc,
      host: { name: 'alices-mac.corp.example', ip: ['10.1.2.3'] },
      launchwarden: { ...file.doc.launchwarden, persistence: { item_id: item, mechanism: 'launch-agent' } },
    },
  };
  const load = processEvent();
  const dataDir = storedAlerts([
    detection({ events: [about, load], candidates: [{ event: about, named: true, link: 'path' }] }),
  ]);
  const store = openStore({ dataDir, clock: systemClock });
  store.events.append([about, load, processEvent('p2', { command_line: 'ssh alice@10.1.2.3', args: [] })]);
  const state = {
    type: 'file' as const,
    mode: 0o644,
    uid: 501,
    gid: 20,
    owner: 'alice',
    mtime: 1n,
    ctime: 2n,
  };
  for (const [at, bytes, kind] of [
    [plistPath, list, 'list'],
    ['/Users/alice/.x/run', program, 'program'],
  ] as const) {
    const content = { bytes, size: bytes.length, truncated: false };
    store.evidence.put(hashOf(bytes), content, { path: at, owner: 'alice' });
    store.versions.record(
      [
        {
          state: { ...state, path: at, kind, sha256: hashOf(bytes), size: bytes.length },
          of: [{ itemId: item, role: kind === 'list' ? 'item' : 'runs' }],
        },
      ],
      about.time,
    );
  }
  store.alerts.addNote('3f9a01aa', { author: 'bobadmin', text: 'asked carol; bobadmin' });
  store.close();
  return dataDir;
}

function unpacked(archive: string): { folder: string; names: string[] } {
  const folder = tempFolder();
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return { folder, names: names.filter((name) => statSync(path.join(folder, name)).isFile()).sort() };
}

test('an archive that any tar reads holds the alert, its events, its files and what is missing', async () => {
  const dataDir = stored();
  const cwd = tempFolder();
  const run = await cli(['collect', '3f9a01aa', '--data-dir', dataDir, '--json'], { cwd });
  expect(run.code).toBe(0);
  const [told] = documents(run.stdout);
  const archive = path.join(cwd, 'launchwarden-3f9a01aa3f9a.tar.gz');
  expect(told).toMatchObject({
    schema: 'launchwarden.collect/1',
    output: archive,
    sha256: hashOf(readFileSync(archive)),
  });
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  const { folder, names } = unpacked(archive);
  expect(names).toEqual(
    [
      'README.txt',
      'alert-events.ndjson',
      'alert.json',
      'events.ndjson',
      `evidence/${hashOf(list)}`,
      `evidence/${hashOf(program)}`,
      'evidence.ndjson',
      'item.json',
      'left-out.json',
      'manifest.json',
      'system.json',
      'timeline.ndjson',
    ].sort(),
  );
  const read = (name: string) => readFileSync(path.join(folder, name));
  expect(read(`evidence/${hashOf(program)}`)).toEqual(program);
  for (const { name, sha256 } of JSON.parse(read('manifest.json').toString()) as {
    name: string;
    sha256: string;
  }[])
    expect(hashOf(read(name))).toBe(sha256);
  expect(documents(read('timeline.ndjson').toString()).map((line) => line['what'])).toEqual([
    'file modification',
    'process exec',
    'process exec',
    'alert',
    'note',
  ]);
  expect(read('left-out.json').toString()).toContain('alerts investigate');
  const again = await cli(['collect', '3f9a01aa', '--data-dir', dataDir], { cwd });
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('collect/exists');
});

test('with --redact nothing of the user, the host or its addresses is left', async () => {
  const cwd = tempFolder();
  const output = path.join(cwd, 'x.tar.gz');
  const run = await cli(['collect', '3f9a', '--data-dir', stored(), '--redact', '--output', output]);
  expect(run.code).toBe(0);
  const { folder, names } = unpacked(output);
  const all = names.map((name) => readFileSync(path.join(folder, name)).toString('latin1')).join('\n');
  expect(all).not.toMatch(/alice|bobadmin|carol|corp\.example|10\.1\.2\.3/i);
  expect(all).toContain('/Users/user-1/Library/LaunchAgents');
  expect(all).toContain('host-1');
  // The list is a text: names are replaced. The program is none, and holds one.
  expect(names.filter((name) => name.startsWith('evidence/'))).toEqual([`evidence/${hashOf(list)}.redacted`]);
  expect(run.stdout).toContain('it holds names');
});

test('an archive that cannot be written leaves nothing behind', async () => {
  const cwd = tempFolder();
  mkdirSync(path.join(cwd, 'there'));
  const run = await cli([
    'collect',
    '3f9a01aa',
    '--data-dir',
    stored(),
    '--output',
    path.join(cwd, 'none/x.tar.gz'),
  ]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('collect/not-written');
  expect(readdirSync(cwd)).toEqual(['there']);
});

test('an alert is escalated through the queue of a destination, with its bundle and a note', async () => {
  const dataDir = stored();
  const folder = tempFolder();
  const config = path.join(folder, 'config.toml');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(
    config,
    `[[destination]]\nname = "soc"\ntype = "file"\npath = "${folder}/out.ndjson"\n` +
      '[[destination]]\nname = "hook"\ntype = "webhook"\nurl = "https://localhost:1/"\n',
  );
  const at = ['--data-dir', dataDir, '--config', config];
  const run = await cli([
    'alerts',
    'escalate',
    '3f9a01aa',
    '--to',
    'soc',
    '--ticket',
    'INC-1',
    '--note',
    'please',
    ...at,
  ]);
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  const store = openStore({ dataDir, clock: systemClock });
  const [row] = store.outbox.take('soc', 'status', { maxItems: 9, maxBytes: 1e9, now: Date.now() });
  const alert = store.alerts.get('3f9a01aa');
  store.close();
  const doc = JSON.parse(row?.body ?? '{}') as { launchwarden: { escalation: Record<string, unknown> } };
  expect(doc).toMatchObject({
    event: { action: 'escalated' },
    rule: { name: 'Launch agent written and loaded within a minute' },
    file: { path: plistPath },
    launchwarden: { escalation: { ticket: 'INC-1', note: 'please', author: 'tester' } },
  });
  const evidence = doc.launchwarden.escalation['evidence'] as { path: string; base64: string }[];
  expect(evidence.map((one) => Buffer.from(one.base64, 'base64'))).toContainEqual(list);
  expect(alert?.notes.at(-1)?.text).toContain('Escalated to soc: ticket INC-1; please');

  for (const [flag, text] of [
    ['--ticket', 'INC-1\x1b[2J'],
    ['--ticket', 'INC\n2'],
    ['--ticket', 'INC-\u202e1'],
    ['--note', 'x\x1b]0;title\x07'],
  ] as const) {
    const odd = await cli(['alerts', 'escalate', '3f9a01aa', '--to', 'soc', flag, text, ...at]);
    expect([odd.code, odd.stdout]).toEqual([2, '']);
    expect(odd.stderr).toContain('without control characters');
    expect(odd.stderr).not.toContain('\x1b');
  }
  const unknown = await cli(['alerts', 'escalate', '3f9a01aa', '--to', 'sco', ...at]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('soc');
  // The alert comes from a --root tree: it stays on this machine.
  const held = await cli(['alerts', 'escalate', '3f9a01aa', '--to', 'hook', ...at]);
  expect(held.stderr).toContain('alerts/held-destination');
});

test.each([
  ['collect', '3f9a'],
  ['evidence', 'export', '#1'],
  ['events', 'export'],
])('%s that is interrupted leaves no file, and ends with 130', async (...argv) => {
  const cwd = tempFolder();
  const all = [...argv, '--data-dir', stored(), '--output', path.join(cwd, 'out')];
  const { code, stderr } = await cli(all, { cwd, signal: AbortSignal.abort() });
  expect([code, readdirSync(cwd)]).toEqual([130, []]);
  expect(stderr).not.toContain('bug');
  expect((await cli(all, { cwd })).code).toBe(0);
});
