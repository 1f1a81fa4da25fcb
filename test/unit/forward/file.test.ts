import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Destination } from '../../../src/forward/index.js';
import { open } from '../../contract/destinations.js';
import { alertItem, eventItem } from '../../contract/receivers/items.js';
import { temporaryFolder } from './fakes.js';

const never = new AbortController().signal;

async function make(options: Record<string, unknown>): Promise<Destination> {
  const made = await open({ type: 'file', ...options });
  onTestFinished(() => made.close());
  return made;
}

const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const idsIn = (file: string) =>
  lines(file)
    .slice(1)
    .map((doc) => doc.event.id);

test('each file begins with a header that no other has, longer than what Filebeat compares', async () => {
  const folder = temporaryFolder();
  const [a, b] = [`${folder}/a.ndjson`, `${folder}/b.ndjson`];
  for (const file of [a, b]) await (await make({ path: file })).send([alertItem('x')], never);
  const first = (file: string) => readFileSync(file, 'utf8').split('\n')[0] ?? '';
  expect(first(a).length).toBeGreaterThan(1024);
  expect(first(a)).not.toBe(first(b));
  expect(JSON.parse(first(a)).event.action).toBe('file-opened');
  expect(statSync(a).mode & 0o777).toBe(0o640);
});

test('a folder as path gets alerts.ndjson, and raw events a file of their own', async () => {
  const folder = temporaryFolder();
  const file = await make({ path: folder });
  const items = [alertItem('a'), eventItem('e'), alertItem('b')];
  expect(await file.send(items, never)).toEqual(items.map(() => ({ kind: 'delivered' })));
  expect(idsIn(path.join(folder, 'alerts.ndjson'))).toEqual([items[0]!.id, items[2]!.id]);
  expect(idsIn(path.join(folder, 'events.ndjson'))).toEqual(['e']);
});

test('it rotates by rename into archive/, keeps some, and every document is in exactly one file', async () => {
  const folder = temporaryFolder();
  const live = path.join(folder, 'alerts.ndjson');
  const file = await make({ path: live, rotate_bytes: 20_000, keep: 3 });
  const sent: string[] = [];
  for (let n = 0; n < 60; n++) {
    const item = alertItem(`n${n}`);
    sent.push(item.id);
    await file.send([item], never);
  }
  const archive = readdirSync(path.join(folder, 'archive')).sort();
  expect(archive).toHaveLength(3);
  expect(archive.every((name) => /^alerts-.*\.ndjson$/.test(name))).toBe(true);
  const kept = [...archive.map((name) => path.join(folder, 'archive', name)), live].filter((name) =>
    statSync(name, { throwIfNoEntry: false }),
  );
  const stored = kept.flatMap(idsIn);
  expect(stored).toEqual(sent.slice(-stored.length));
  expect(stored.length).toBeGreaterThan(12);
});

test('when somebody else moves the file away, the next lines stand under its name again', async () => {
  const folder = temporaryFolder();
  const live = path.join(folder, 'alerts.ndjson');
  const file = await make({ path: live });
  const [a, b] = [alertItem('a'), alertItem('b')];
  await file.send([a], never);
  renameSync(live, `${live}.1`);
  await file.send([b], never);
  expect([idsIn(`${live}.1`), idsIn(live)]).toEqual([[a.id], [b.id]]);
});

test('a line that a crash cut off is closed before the next one', async () => {
  const folder = temporaryFolder();
  const live = path.join(folder, 'alerts.ndjson');
  const first = await make({ path: live });
  await first.send([alertItem('a')], never);
  await first.close();
  appendFileSync(live, '{"half":');
  const second = await make({ path: live });
  const b = alertItem('b');
  await second.send([b], never);
  const text = readFileSync(live, 'utf8').split('\n');
  expect(text.at(-3)).toBe('{"half":');
  expect(JSON.parse(text.at(-2)!).event.id).toBe(b.id);
});

test('long documents are cut to the line length that readers take', async () => {
  const folder = temporaryFolder();
  const file = await make({ path: folder, max_line_bytes: '8 KiB' });
  const item = alertItem('a', { text: 'x'.repeat(100_000) });
  await file.send([item], never);
  const live = path.join(folder, 'alerts.ndjson');
  expect(
    Math.max(
      ...readFileSync(live, 'utf8')
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(8192);
  expect(idsIn(live)).toEqual([item.id]);
});

test('it writes through no link, into no FIFO and into no folder that others may write to', async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'victim'), '');
  symlinkSync(path.join(folder, 'victim'), path.join(folder, 'link.ndjson'));
  expect((await (await make({ path: `${folder}/link.ndjson` })).send([alertItem('a')], never))[0]?.kind).toBe(
    'pause',
  );
  expect(readFileSync(path.join(folder, 'victim'), 'utf8')).toBe('');
  execFileSync('mkfifo', [path.join(folder, 'fifo.ndjson')]);
  expect((await (await make({ path: `${folder}/fifo.ndjson` })).send([alertItem('a')], never))[0]?.kind).toBe(
    'retry',
  );
  const shared = path.join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  if (process.geteuid?.() === 0)
    await expect(make({ path: `${shared}/a.ndjson` })).rejects.toMatchObject({ code: 'forward/open-folder' });
});

test('it writes into no file that somebody else may know by another name', async () => {
  const folder = temporaryFolder();
  const victim = path.join(folder, 'victim');
  writeFileSync(victim, 'x');
  linkSync(victim, path.join(folder, 'a.ndjson'));
  const [verdict] = await (await make({ path: `${folder}/a.ndjson` })).send([alertItem('a')], never);
  expect(verdict).toMatchObject({ kind: 'retry', reason: expect.stringContaining('hard link') });
  expect(readFileSync(victim, 'utf8')).toBe('x');
});

test("as root: nothing is made, written or archived below what is a user's", async (context) => {
  if (process.geteuid?.() !== 0) context.skip('only root can make files of other users');
  const user = 41_001;
  const home = path.join(temporaryFolder(), 'home');
  mkdirSync(home);
  chownSync(home, user, user);
  await expect(make({ path: `${home}/deep/er/a.ndjson` })).rejects.toMatchObject({
    code: 'forward/open-folder',
    message: expect.stringContaining(`belongs to user ${user}`),
  });
  expect(readdirSync(home)).toEqual([]);

  const shared = temporaryFolder();
  chmodSync(shared, 0o1777);
  mkdirSync(path.join(shared, 'archive'));
  chownSync(path.join(shared, 'archive'), user, user);
  writeFileSync(path.join(shared, 'theirs.ndjson'), '');
  chownSync(path.join(shared, 'theirs.ndjson'), user, user);
  const theirs = await make({ path: `${shared}/theirs.ndjson` });
  expect((await theirs.send([alertItem('a')], never))[0]).toMatchObject({ kind: 'retry' });
  expect(readFileSync(path.join(shared, 'theirs.ndjson'), 'utf8')).toBe('');
  const ours = await make({ path: `${shared}/ours.ndjson`, rotate_bytes: 4_096 });
  for (let n = 0; n < 5; n++) await ours.send([alertItem(`n${n}`)], never);
  expect(readdirSync(path.join(shared, 'archive'))).toEqual([]);
});

test('a folder that is opened to all while it runs pauses the destination', async (context) => {
  if (process.geteuid?.() !== 0) context.skip('another user risks his own alone');
  const folder = temporaryFolder();
  const live = path.join(folder, 'a.ndjson');
  const file = await make({ path: live });
  await file.send([alertItem('a')], never);
  chmodSync(folder, 0o777);
  renameSync(live, `${live}.1`);
  expect((await file.send([alertItem('b')], never))[0]).toMatchObject({ kind: 'pause', cause: 'config' });
});

test('what could act on a terminal is escaped in the file, and reads back as the same text', async () => {
  const folder = temporaryFolder();
  const file = await make({ path: folder, max_line_bytes: '4 KiB' });
  const text = 'a\u202eb\u009b2J\u{e0041}\u0600ü';
  const items = [alertItem('a', { text }), alertItem('b', { text: '\u202e'.repeat(3_000) })];
  await file.send(items, never);
  const [, first, second] = readFileSync(path.join(folder, 'alerts.ndjson'), 'utf8').split('\n');
  expect(first).not.toMatch(/[\u202e\u009b\u0600\u{e0041}]/u);
  expect(first).toContain('ü');
  expect(JSON.stringify(JSON.parse(first!))).toContain(text);
  // Escapes count for the length of the line too.
  expect(Buffer.byteLength(second!)).toBeLessThanOrEqual(4096);
});
