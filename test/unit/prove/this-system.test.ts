import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { Journal } from '../../../src/prove/journal.js';
import { openSystem } from '../../../src/prove/this-system.js';
import { tempFolder } from '../../helpers/run-cli.js';

function rig() {
  const base = tempFolder();
  const root = path.join(base, 'root');
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  for (const name of ['sh', 'sleep']) symlinkSync(`/bin/${name}`, path.join(root, 'bin', name));
  const journal = new Journal(path.join(base, 'data', 'prove'));
  const controller = new AbortController();
  const opened = openSystem(
    {
      root: new RootMap(root),
      platform: 'linux',
      uid: 0,
      person: undefined,
      node: process.execPath,
      journal,
      agent: { status: async () => undefined, gaps: async () => undefined },
    },
    controller.signal,
  );
  return { base, root, journal, ...opened, end: () => controller.abort() };
}

test('a folder is private, stands in the tree, and goes with what is in it', async () => {
  const { base, root, system, undo, journal } = rig();
  const folder = system.folder();
  expect(path.dirname(folder)).toBe(path.join(root, 'private', 'tmp'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  mkdirSync(path.join(folder, 'deep'));
  writeFileSync(path.join(folder, 'deep', 'x'), '');
  expect(await undo()).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  journal.close();
  expect(readdirSync(base)).toEqual(['root']);
});

describe('programs', () => {
  test('are run by their macOS paths, bounded', async () => {
    const { system } = rig();
    expect(await system.run('/bin/sh', ['-c', 'echo a; echo b >&2; exit 3'])).toEqual({
      status: 3,
      stdout: 'a\n',
      stderr: 'b\n',
    });
    expect((await system.run('/bin/sh', ['-c', 'echo aaaa'], { mostBytes: 2 })).status).toBeNull();
    expect((await system.run('/bin/sleep', ['30'], { timeoutMs: 20 })).status).toBeNull();
    expect((await system.run('/bin/none', [])).status).toBeNull();
  });

  test('that run beside are ended when everything is undone', async () => {
    const { system, undo } = rig();
    const child = system.start('/bin/sleep', ['60']);
    expect(child.ended()).toBe(false);
    expect(await undo()).toEqual([]);
    expect(child.ended()).toBe(true);
    expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
  });

  test('that are not there end at once', async () => {
    const { system, undo } = rig();
    const child = system.start('/bin/none', []);
    await undo();
    expect(child.ended()).toBe(true);
    expect(child.errorText()).toContain('ENOENT');
  });
});

test('behind the end of a question nothing is done any more', async () => {
  const { base, system, undo, end } = rig();
  const running = system.run('/bin/sleep', ['60']);
  const waiting = system.wait(60_000);
  end();
  await expect(running).rejects.toThrow();
  await expect(waiting).rejects.toThrow();
  expect(() => system.folder()).toThrow();
  expect(() => system.start('/bin/sleep', ['60'])).toThrow();
  expect(await undo()).toEqual([]);
  expect(readdirSync(path.join(base, 'root', 'private', 'tmp'))).toEqual([]);
});
