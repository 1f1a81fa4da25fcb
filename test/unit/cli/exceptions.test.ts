import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type ControlHandlers, ControlServer } from '../../../src/agent/control.js';
import { reloadExceptionsOp } from '../../../src/agent/exceptions.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import {
  detection,
  event,
  fileEvent,
  plistPath,
  processEvent,
  sha256,
  storedAlerts,
} from './alert-fixture.js';

/** A configuration in a folder of its own, with two alerts about the same file and one about another. */
function setUp() {
  const folder = tempFolder();
  const plain = (id: string, path = plistPath, more = {}) => {
    const one = fileEvent(id, { path, ...more });
    one.doc.launchwarden = { plist: { label: 'org.example' } };
    return detection({
      id: id.repeat(16),
      events: [one, processEvent()],
      candidates: [{ event: one, named: true, link: 'path' }],
    });
  };
  const dataDir = storedAlerts(
    [plain('aa'), plain('bb', plistPath, { hash: { sha256: 'cd'.repeat(32) } }), plain('cc', '/other.plist')],
    path.join(folder, 'data'),
  );
  const config = path.join(folder, 'config.toml');
  writeFileSync(config, '');
  const run = (...argv: string[]) => cli(['exceptions', ...argv, '--config', config, '--data-dir', dataDir]);
  return { folder, config, dataDir, run, local: path.join(folder, 'exceptions', 'local.toml') };
}

test('three proposals, the narrowest first, each with what it would have hidden', async () => {
  const { run } = setUp();
  const { code, stdout } = await run('add', '--from', 'aaaa', '--json');
  expect(code).toBe(0);
  expect(documents(stdout).map(({ scope, hidden, stored }) => [scope, hidden, stored])).toEqual([
    [1, 1, 3],
    [2, 2, 3],
    [3, 2, 3],
  ]);
  const text = (await run('add', '--from', 'aaaa')).stdout;
  expect(text).toContain('this file with exactly this content\n   would have hidden 1 of 3 stored alerts');
  expect(text).toContain('aaaaaaaaaaaa  low');
});

test('one is written, listed, tested, reviewed and removed', async () => {
  const { run, local } = setUp();
  expect((await run('add', '--from', 'aaaa', '--scope', '1')).stderr).toContain('--reason');
  const added = await run(
    'add',
    '--from',
    'aaaa',
    '--scope',
    '1',
    '--reason',
    'our "backup"',
    '--id',
    'ours',
  );
  expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('added  ours') });
  expect(readFileSync(local, 'utf8')).toContain(`sha256 = "${sha256}"`);
  expect(
    (await run('add', '--from', 'aaaa', '--scope', '2', '--reason', 'x', '--id', 'ours')).stderr,
  ).toContain('exceptions/duplicate-id');
  await run('add', '--from', 'cccc', '--scope', '3', '--reason', 'y', '--id', 'wide', '--expires', '20d');
  const list = await run('list', '--json');
  expect(documents(list.stdout)).toMatchObject([
    {
      schema: 'launchwarden.exception/1',
      id: 'ours',
      reason: 'our "backup"',
      author: 'tester',
      hits: 0,
      sha256,
    },
    { id: 'wide', bound: false },
  ]);
  expect(list.stderr).toContain('bound to no signer');
  const tested = documents((await run('test', '--json')).stdout);
  expect(tested.map(({ id, hidden }) => [id, hidden])).toEqual([
    ['ours', 1],
    ['wide', 1],
  ]);
  const review = (await run('review')).stdout;
  expect(review).toContain('it expires in');
  expect(review).toContain('whoever can make such an item');
  expect((await run('remove', 'our')).stderr).toContain('Did you mean "ours"?');
  expect((await run('remove', 'ours')).stdout).toContain('removed  ours');
  expect(readFileSync(local, 'utf8')).not.toContain('"ours"');
  expect((await run('remove', 'wide')).code).toBe(0);
  expect((await run('list')).stdout).toBe('No exceptions.\n');
});

test('a bad file is said with its place, and by the exit code', async () => {
  const { run, local } = setUp();
  mkdirSync(path.dirname(local));
  writeFileSync(local, 'name = "x"\n[[exception]]\nid = "a"\nitem = "file.path: ("\n');
  for (const verb of ['list', 'test', 'review']) {
    const { code, stderr } = await run(verb);
    expect(code).toBe(1);
    expect(stderr).toContain(`${local}:4:`);
  }
  expect(await run('add', '--from', 'aaaa', '--scope', '1', '--reason', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Nothing was written'),
  });
});

test('a running agent reads them again, and its refusal is told', async () => {
  const { run, dataDir } = setUp();
  const asked: unknown[] = [];
  const handlers: ControlHandlers = { [reloadExceptionsOp]: () => asked.push(1) };
  const server = await ControlServer.listen(dataDir, handlers, silentLogger);
  try {
    const { stderr } = await run('add', '--from', 'aaaa', '--scope', '1', '--reason', 'x');
    expect(stderr).toContain('has read its exceptions again');
    expect(asked).toHaveLength(1);
  } finally {
    await server.close();
  }
});

test('packs are listed when they are on, and are not removed', async () => {
  const { run, config } = setUp();
  writeFileSync(config, '[exceptions]\npacks = ["mdm"]\n');
  const ids = documents((await run('list', '--json')).stdout).map(({ id, state }) => [id, state]);
  expect(ids).toContainEqual(['pack-jamf', 'pack']);
  expect((await run('remove', 'pack-jamf')).stderr).toContain('exceptions/pack');
});

test('hits are shown', async () => {
  const { run, dataDir } = setUp();
  await run('add', '--from', 'aaaa', '--scope', '1', '--reason', 'x', '--id', 'ours');
  const store = openStore({ dataDir, clock: systemClock });
  const { time } = event('x', '2026-11-22T05:40:13Z', {});
  store.exceptionHits.add({ id: 'ours', hits: 3, first: time, last: time });
  store.exceptionHits.add({ id: 'ours', hits: 2, first: time + 1, last: time + 9 });
  store.close();
  expect(documents((await run('list', '--json')).stdout)[0]).toMatchObject({
    hits: 5,
    first_hit: '2026-11-22T05:40:13.000000Z',
    last_hit: '2026-11-22T05:40:13.000009Z',
  });
  expect((await run('list')).stdout).toMatch(/^ours +active +5 +\d{4}-/m);
});

test('an alert that stands for many is no place to start from', async () => {
  const summary = detection({
    id: 'dd'.repeat(16),
    kind: 'summary',
    events: [],
    candidates: [],
    suppressed: 3,
  });
  const dataDir = storedAlerts([summary]);
  const { code, stderr } = await cli(['exceptions', 'add', '--from', 'dddd', '--data-dir', dataDir]);
  expect(code).toBe(2);
  expect(stderr).toContain('exceptions/no-scope');
});

/** An alert about a load, with a file of the window that the call does not name. */
async function proposals(more: Partial<Parameters<typeof detection>[0]>, findings: readonly string[] = []) {
  const file = fileEvent('f1', { hash: { sha256 } });
  file.doc.launchwarden = { plist: { label: 'org.example' }, findings: [...findings] };
  const alert = detection({
    id: 'ee'.repeat(16),
    events: [file, processEvent()],
    candidates: [{ event: file, named: false, link: 'matched' }],
    ...more,
  });
  const dataDir = storedAlerts([alert]);
  const { code, stdout, stderr } = await cli([
    ...['exceptions', 'add', '--from', 'eeee', '--json'],
    ...['--data-dir', dataDir],
  ]);
  return { code, stderr, hidden: code === 0 ? documents(stdout).map(({ hidden }) => hidden) : [] };
}

test('what a call does not load is not what must be excused: each proposal hides the alert', async () => {
  const { code, hidden } = await proposals({ unlinked: true }, ['remote-script']);
  expect(code).toBe(0);
  expect(hidden.length).toBeGreaterThan(0);
  expect(hidden.every((count) => count === 1)).toBe(true);
});

test('one of the files that a call may mean', async () => {
  const file = fileEvent('f1', { hash: { sha256 } });
  const other = fileEvent('f2', { path: '/other.plist', hash: { sha256: 'cd'.repeat(32) } });
  const { hidden } = await proposals({
    events: [file, processEvent()],
    candidates: [file, other].map((event) => ({ event, named: false, link: 'possible' as const })),
  });
  expect(hidden).toEqual([1, 1, 1]);
});

test('a proposal that would not hide the alert is none', async () => {
  expect((await proposals({}, ['remote-script'])).hidden).toEqual([1, 1]);
});
