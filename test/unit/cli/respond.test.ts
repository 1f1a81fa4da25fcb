import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { sha256Hex } from '../../../src/base/digest.js';
import { openStore, type SeenState } from '../../../src/store/index.js';
import { noAddon } from '../../helpers/respond-place.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

// Real processes and a real disk, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const list = '/Library/LaunchDaemons/com.example.x.plist';
let root = '';
let dataDir = '';

beforeEach(() => {
  const base = tempFolder();
  root = path.join(base, 'root');
  dataDir = path.join(base, 'data');
  mkdirSync(path.dirname(path.join(root, list)), { recursive: true });
});

const file = () => path.join(root, list);
const respond = (...args: string[]) => cli(['respond', ...args, '--root', root, '--data-dir', dataDir]);
const idIn = (text: string) => /respond undo ([0-9a-f]{12})/.exec(text)?.[1] ?? 'none';

/** Versions of the list as they were seen one after the other. */
function versions(...texts: readonly string[]): void {
  const store = openStore({ dataDir, clock: systemClock });
  for (const [index, text] of texts.entries()) {
    const sha256 = sha256Hex(text);
    store.evidence.put(sha256, { bytes: Buffer.from(text), size: text.length, truncated: false });
    const state: SeenState = {
      ...{ path: list, kind: 'list', type: 'file', sha256, size: text.length, mode: 0o644 },
      ...{ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtime: BigInt(index), ctime: 1n },
    };
    store.versions.record([{ state, of: [] }], (index + 1) * 1e9);
  }
  store.close();
}

describe.skipIf(noAddon !== undefined)('respond restore', () => {
  test('a second time says that it is so already, and brings nothing of the attacker back', async () => {
    versions('good', 'evil');
    writeFileSync(file(), 'evil');
    const first = await respond('restore', list);
    expect(first.code).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe('good');
    const again = await respond('restore', list);
    expect([again.code, readFileSync(file(), 'utf8')]).toEqual([0, 'good']);
    expect(again.stdout).toContain(
      `version #1 stands at ${list} already; response ${idIn(first.stdout)} put it there`,
    );
    expect((await respond('restore', list, '--dry-run')).stdout).toContain('There is nothing to do.');
    expect((await respond('restore', list, '--version', '1')).stdout).toContain('already');
    // What is changed after it is not so any more, and a version that is named is put there.
    expect((await respond('restore', list, '--version', '2')).code).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe('evil');
  });

  test('--version and --known-good together are refused', async () => {
    versions('good');
    writeFileSync(file(), 'evil');
    const run = await respond('restore', list, '--version', '1', '--known-good');
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('cli/conflicting-options');
    expect(readFileSync(file(), 'utf8')).toBe('evil');
  });
});

describe.skipIf(noAddon !== undefined)('respond undo', () => {
  test('--dry-run tells what would be put back, and what stands in the way', async () => {
    versions('evil');
    writeFileSync(file(), 'evil');
    const { stdout: done } = await respond('quarantine', list);
    const id = idIn(done);
    // It can be pasted: with the options that lead to the same data.
    expect(done).toContain(
      `"launchwarden respond undo ${id} --data-dir ${dataDir} --root ${root}" takes it back`,
    );
    const plan = await respond('undo', id, '--dry-run');
    expect(plan.stdout).toMatch(
      new RegExp(`To undo response ${id} .*nothing is done:\\n1\\. would .*put ${list} back`),
    );
    expect([plan.code, existsSync(file())]).toEqual([0, false]);
    writeFileSync(file(), 'planted again');
    const taken = await respond('undo', id, '--dry-run', '--json');
    expect(taken.code).toBe(1);
    expect(documents(taken.stdout)).toMatchObject([{ undo: true, dry_run: true, state: 'refused' }]);
    rmSync(file());
    expect((await respond('undo', id)).stdout).toContain(`response ${id} is undone`);
    expect(readFileSync(file(), 'utf8')).toBe('evil');
  });

  test('what did nothing is not called undone, nor what is undone already undone again', async () => {
    versions('evil');
    writeFileSync(file(), 'evil');
    const id = idIn((await respond('quarantine', list)).stdout);
    await respond('undo', id);
    const again = await respond('undo', id);
    expect([again.code, again.stdout]).toEqual([0, `response ${id} is undone already: nothing was done\n`]);
    rmSync(file());
    await respond('quarantine', list);
    const [idle] = documents((await respond('list', '--json')).stdout);
    const nothing = await respond('undo', String(idle?.['id']));
    expect(nothing.stdout).toBe(
      `response ${String(idle?.['id'])} has done nothing that could be undone: nothing was done\n`,
    );
    expect((await respond('undo', String(idle?.['id']), '--dry-run')).stdout).toContain('nothing was done');
  });
});

test('without a data folder nothing is claimed about responses', async () => {
  for (const words of [['list'], ['status'], ['show', '7be1a05d']]) {
    const { code, stdout, stderr } = await respond(...words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('there is no data directory');
  }
});

describe('evidence export', () => {
  test('what is kept in part is called so, by its name, in words and by the exit code', async () => {
    const store = openStore({ dataDir, clock: systemClock });
    const sha256 = sha256Hex('the whole of it');
    store.evidence.put(sha256, { bytes: Buffer.from('the '), size: 15, truncated: true });
    const state: SeenState = {
      ...{ path: '/usr/local/bin/big', kind: 'program', type: 'file', sha256, size: 15, mode: 0o755 },
      ...{ uid: 0, gid: 0, mtime: 1n, ctime: 1n },
    };
    store.versions.record([{ state, of: [] }], 1);
    store.close();
    const output = path.join(tempFolder(), 'case');
    const run = await cli(['evidence', 'export', '#1', '--output', output, '--data-dir', dataDir]);
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('Partly: 1 file and metadata.json written');
    expect(run.stdout).toContain('only its first 4 of 15 bytes are kept');
    expect(readdirSync(output).sort()).toEqual(['big.head', 'metadata.json']);
    expect(JSON.parse(readFileSync(path.join(output, 'metadata.json'), 'utf8'))).toMatchObject({
      files: ['big.head'],
      missing: [expect.stringContaining('first 4 of 15')],
    });
  });
});
