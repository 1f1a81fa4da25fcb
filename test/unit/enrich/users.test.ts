import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { UserNames } from '../../../src/enrich/users.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tree(): { root: RootMap; etc: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-users-'));
  folders.push(folder);
  const etc = path.join(folder, 'etc');
  mkdirSync(etc);
  return { root: new RootMap(folder), etc };
}

test('takes names from the accounts of the mapped tree', async () => {
  const { root, etc } = tree();
  writeFileSync(
    path.join(etc, 'passwd'),
    '# c\nalice:x:501:20::/Users/alice:/bin/zsh\nbroken\ntwin:x:501:1:::\n',
  );
  writeFileSync(path.join(etc, 'group'), 'staff:*:20:root\n');
  const users = new UserNames({ root, clock: new ManualClock() });
  await users.refresh();
  expect([users.user(501), users.user(502), users.group(20)]).toEqual(['alice', undefined, 'staff']);
});

test('falls back to the accounts of this machine, and does not wait at a FIFO', async () => {
  const { root, etc } = tree();
  execFileSync('mkfifo', [path.join(etc, 'passwd')]);
  const users = new UserNames({ root, clock: new ManualClock(), platform: 'linux' });
  await users.refresh();
  expect(users.user(0)).toBe('root');
});

test('an unknown id has the accounts read again, at most every ten seconds', async () => {
  const { root, etc } = tree();
  const clock = new ManualClock();
  writeFileSync(path.join(etc, 'passwd'), 'root:x:0:0:::\n');
  const users = new UserNames({ root, clock });
  await users.refresh();
  writeFileSync(path.join(etc, 'passwd'), 'root:x:0:0:::\nbob:x:502:20:::\n');
  clock.pass(9_000);
  expect(users.user(502)).toBeUndefined();
  await Promise.resolve();
  expect(users.user(502)).toBeUndefined();
  clock.pass(1_000);
  expect(users.user(502)).toBeUndefined();
  await users.refresh();
  expect(users.user(502)).toBe('bob');
});

test("reads macOS's directory service once for all", async () => {
  const calls: string[][] = [];
  const run = async (program: string, args: readonly string[]) => {
    calls.push([program, ...args]);
    return args[1] === 'user'
      ? 'name: nobody\npassword: *\nuid: -2\ngid: -2\n\nname: alice\npassword: ********\nuid: 501\ngid: 20\ndir: /Users/alice\n'
      : 'name: staff\npassword: *\ngid: 20\nusers: root \n';
  };
  const users = new UserNames({ root: new RootMap(), clock: new ManualClock(), platform: 'darwin', run });
  await users.refresh();
  expect([users.user(501), users.user(4294967294), users.group(20)]).toEqual(['alice', 'nobody', 'staff']);
  expect(calls).toEqual([
    ['/usr/bin/dscacheutil', '-q', 'user'],
    ['/usr/bin/dscacheutil', '-q', 'group'],
  ]);
});
