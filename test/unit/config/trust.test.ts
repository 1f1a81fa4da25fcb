import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { loadSettings, requireTrust } from '../../../src/config/index.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { type FakeSystem, fakeSystem } from '../install/fake-system.js';

/** A configuration with a folder of rules and a module; all of it is root's, unless `owners` of the system says otherwise. */
function surroundings(root?: 'root') {
  const base = tempFolder();
  const at = (...parts: string[]) => path.join(base, ...parts);
  for (const folder of ['etc/rules/deep', 'lib']) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at('etc/rules/deep/one.toml'), '');
  writeFileSync(at('lib/mine.mjs'), '');
  symlinkSync('../lib/mine.mjs', at('etc/link.mjs'));
  writeFileSync(
    at('etc/config.toml'),
    `[rules]\nfolders = ["rules"]\n[[destination]]\ntype = "module"\npath = "${at('etc/link.mjs')}"\n`,
  );
  const settings = loadSettings({
    flags: { config: at('etc/config.toml'), ...(root === undefined ? {} : { root: base }) },
    cwd: base,
    platform: 'linux',
  });
  return { base, at, settings };
}

function refusal(run: () => void): UserError | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return undefined;
}

test("what is root's alone passes", () => {
  const { settings } = surroundings();
  expect(refusal(() => requireTrust(settings, fakeSystem()))).toBeUndefined();
});

const open = { mode: 0o100664 };
const foreign = { uid: 501 };
test.each<[string, { uid?: number; mode?: number }, string, string]>([
  ['etc/config.toml', foreign, 'belongs to user 501, not to root (mode 0644)', 'the configuration file'],
  [
    'etc/config.toml',
    open,
    'can be written by others than its owner (user 0, mode 0664)',
    'the configuration',
  ],
  [
    'etc',
    { mode: 0o040775 },
    'can be written by others than its owner (user 0, mode 0775)',
    'the configuration',
  ],
  [
    '.',
    { mode: 0o041777 },
    'can be written by others than its owner (user 0, mode 1777)',
    'the configuration',
  ],
  ['etc/rules', { uid: 501, mode: 0o040755 }, 'belongs to user 501, not to root (mode 0755)', 'the rules of'],
  ['etc/rules/deep', { mode: 0o041777 }, 'can be written by others', 'the rules of'],
  ['etc/rules/deep/one.toml', open, 'can be written by others', 'the rules of'],
  ['etc/link.mjs', { uid: 502 }, 'belongs to user 502', 'the module of destination "module"'],
  ['lib', { mode: 0o040777 }, 'can be written by others', 'the module of destination "module"'],
  ['lib/mine.mjs', { mode: 0o100646 }, 'can be written by others', 'the module of destination "module"'],
])('%s %j is refused', (name, owner, reason, what) => {
  const { at, settings } = surroundings();
  const system: FakeSystem = fakeSystem();
  const place = name === '.' ? at() : at(name);
  system.owners.set(place, owner);
  const error = refusal(() => requireTrust(settings, system));
  expect(error).toMatchObject({ code: 'config/unsafe-path', exitCode: 2 });
  expect(error?.message).toContain(`${place} ${reason}`);
  expect(error?.message).toContain(`; ${what}`);
  expect(error?.hint).toMatch(/sudo chown -R root.*sudo chmod -R go-w/);
});

test.each(['data', 'data/launchwarden', 'data/not/made/yet'])(
  'the data folder %s is looked at',
  (dataDir) => {
    const { at } = surroundings();
    mkdirSync(at('data/launchwarden'), { recursive: true });
    const flags = { config: at('etc/config.toml'), dataDir: at(dataDir) };
    const settings = loadSettings({ flags, cwd: at(), platform: 'linux' });
    const system = fakeSystem();
    system.owners.set(at('data'), foreign);
    const error = refusal(() => requireTrust(settings, system));
    expect(error?.message).toContain(`${at('data')} belongs to user 501`);
    expect(error?.message).toContain('; the data folder must be');
  },
);

test('only root on the machine itself is that careful', () => {
  const { at, settings } = surroundings();
  const user = fakeSystem({ uid: 501 });
  const root = fakeSystem();
  for (const system of [user, root]) system.owners.set(at('etc/config.toml'), foreign);
  expect(refusal(() => requireTrust(settings, user))).toBeUndefined();
  expect(refusal(() => requireTrust(settings, root))?.code).toBe('config/unsafe-path');
  expect(refusal(() => requireTrust(surroundings('root').settings, root))).toBeUndefined();
});

test.each([
  ['the agent', ['run']],
  ['a destination that is tried', ['forward', 'test', 'module']],
  ['a destination that gets assets', ['siem', 'elastic-assets', '--install', 'module']],
])('%s does not start with what others can write', async (_what, argv) => {
  const { at } = surroundings();
  const system = fakeSystem();
  system.owners.set(at('lib'), { mode: 0o040777 });
  const how = { system, cwd: at() };
  const data = at('data');
  const { code, stderr } = await cli([...argv, '--config', 'etc/config.toml', '--data-dir', data], how);
  expect({ code, refused: stderr.includes('[config/unsafe-path]') }).toEqual({ code: 2, refused: true });
});
