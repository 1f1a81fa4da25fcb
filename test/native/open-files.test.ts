import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadAddon } from '../../src/sensors/addon/index.js';

const loaded = loadAddon();
const find = loaded.state === 'loaded' ? loaded.addon.findHolders : undefined;
if (find === undefined) process.stderr.write('skipped: test/native/open-files.test.ts needs the addon\n');

/** A process that says when it is ready and then waits; ended after the test. */
async function holder(script: string, cwd: string): Promise<number> {
  const child = spawn(
    process.execPath,
    ['-e', `${script}; console.log('ready'); setInterval(() => {}, 1000)`],
    {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child.pid as number;
}

test.skipIf(find === undefined)('who has a file or its folder open is found, and how', async () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'launchwarden-open-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'a b\n.plist');
  writeFileSync(file, 'x');
  const opened = (flags: string) => `require('fs').openSync(${JSON.stringify(file)}, '${flags}')`;
  const writes = await holder(opened('a'), '/');
  const reads = await holder(opened('r'), '/');
  const works = await holder('0', folder);
  // The budget is long: this is about what is found, not how soon.
  const result = await find?.([file, path.join(folder, 'none')], 10_000_000);
  const of = (index: number) =>
    new Map(result?.holders.filter((one) => one.path === index).map(({ pid, how }) => [pid, how]));
  expect(of(0)).toEqual(
    new Map([
      [writes, 'write'],
      [reads, 'read'],
      [works, 'folder'],
    ]),
  );
  expect(of(1)).toEqual(new Map([[works, 'folder']]));
  expect(result?.cut).toBe(false);
  expect(result?.holders[0]).toMatchObject({
    executable: realpathSync(process.execPath),
    uid: process.getuid?.(),
  });
  expect((await find?.([file], 0))?.cut).toBe(true);
});
