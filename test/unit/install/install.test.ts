import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { jobProgram, places, renderJob, type System, thisSystem } from '../../../src/install/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { type FakeSystem, fakeSystem } from './fake-system.js';

/** A program and a tree that stands for a Mac, in one temporary folder. */
function surroundings() {
  const base = tempFolder();
  const home = path.join(base, 'program');
  for (const folder of ['bin', 'dist/cli', 'node_modules/dep'])
    mkdirSync(path.join(home, folder), { recursive: true });
  writeFileSync(
    path.join(home, 'package.json'),
    '{"name":"launchwarden","version":"1.2.3","dependencies":{"dep":"1.0.0"}}',
  );
  writeFileSync(path.join(home, 'node_modules/dep/package.json'), '{}');
  writeFileSync(path.join(home, 'dist/cli/main.js'), '');
  const script = path.join(home, 'bin', 'launchwarden.js');
  writeFileSync(script, '');
  const node = path.join(base, 'node');
  writeFileSync(node, '');
  const root = path.join(base, 'mac');
  mkdirSync(root);
  return { base, home, root, program: { node, script } };
}

type Surroundings = ReturnType<typeof surroundings>;

function run(at: Surroundings, argv: readonly string[], system: System = fakeSystem({ platform: 'linux' })) {
  return cli([...argv, '--root', at.root], { system, program: at.program, platform: 'linux' });
}

const placed = (at: Surroundings, macPath: string) => path.join(at.root, macPath);

describe('the job', () => {
  test('is exactly this', () => {
    const text = renderJob({ node: '/opt/node', script: '/opt/lw/bin/launchwarden.js' });
    expect(text).toBe(readFileSync('test/fixtures/launchd/com.launchwarden.agent.plist', 'utf8'));
  });

  test('escapes paths, and names configuration and data only when asked', () => {
    const text = renderJob({ node: '/a&b', script: '/<x>$&', config: "/c 'd'.toml", dataDir: '/d' });
    expect(text).toContain('<string>/a&amp;b</string>\n\t\t<string>/&lt;x&gt;$&amp;</string>');
    expect(text).toContain("<string>--config</string>\n\t\t<string>/c 'd'.toml</string>");
    expect(text).toContain('<string>--data-dir</string>\n\t\t<string>/d</string>');
  });

  test('refuses a path that XML cannot hold', () => {
    expect(() => renderJob({ node: '/a\u0001', script: '/b' })).toThrow(
      expect.objectContaining({ code: 'install/bad-path' }),
    );
  });

  test('every property list in launchd/ is read by another reader', ({ skip }) => {
    const files = readdirSync('launchd', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(plist|mobileconfig)(\.in)?$/.test(name),
    );
    expect(files.length).toBeGreaterThanOrEqual(4);
    const code = 'import plistlib,sys\nfor f in sys.argv[1:]: plistlib.load(open(f,"rb"))';
    const done = spawnSync('python3', ['-c', code, ...files.map((name) => path.join('launchd', name))], {
      encoding: 'utf8',
    });
    if (done.error !== undefined) {
      process.stdout.write('skipped: python3 is not there to read the property lists\n');
      skip();
    }
    expect({ status: done.status, stderr: done.stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('install --root', () => {
  test('writes the files, says what it leaves out and why, and again changes nothing', async () => {
    const at = surroundings();
    const { code, stdout, stderr } = await run(at, ['install']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^done +write .*com\.launchwarden\.agent\.plist \(0644, (not )?root:wheel.*\)$/m);
    expect(stdout).toMatch(
      /^skipped +run .*\/bin\/launchctl bootstrap system .*: the tree has no \/bin\/launchctl/m,
    );
    expect(stdout).toMatch(/^Installed 1\.2\.3-[0-9a-f]{12}\.$/m);
    const job = placed(at, places.job);
    expect(readFileSync(job, 'utf8')).toBe(renderJob(jobProgram));
    expect(readFileSync(placed(at, jobProgram.script), 'utf8')).toBe('');
    expect(lstatSync(placed(at, jobProgram.node)).mode & 0o777).toBe(0o644);
    expect(lstatSync(job).mode & 0o7777).toBe(0o644);
    expect(readFileSync(placed(at, places.logRotation), 'utf8')).toContain(
      `\n${places.log}\troot:wheel\t640\t`,
    );
    expect(readdirSync(path.dirname(job))).toEqual([path.basename(job)]);
    const again = await run(at, ['install']);
    expect(again.stdout).not.toMatch(/^done/m);
    expect(again.stdout).toMatch(/^unchanged +write .*agent\.plist/m);
    expect(again.stdout).toMatch(/^Nothing to do: 1\.2\.3-/m);
  });

  test('takes what npm has put above the program, and nothing that only compiles', async () => {
    const at = surroundings();
    spawnSync('mv', [path.join(at.home, 'node_modules'), path.join(at.base, 'node_modules')]);
    for (const file of ['src/main.ts', 'node_modules/other/index.js', 'dist/cli/main.d.ts']) {
      mkdirSync(path.dirname(path.join(at.home, file)), { recursive: true });
      writeFileSync(path.join(at.home, file), '');
    }
    expect((await run(at, ['install'])).code).toBe(0);
    const app = path.dirname(path.dirname(placed(at, jobProgram.script)));
    expect(readdirSync(app, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'bin',
      'bin/launchwarden.js',
      'dist',
      'dist/cli',
      'dist/cli/main.js',
      'node_modules',
      'node_modules/dep',
      'node_modules/dep/package.json',
      'package.json',
    ]);
  });

  test('--dry-run prints every file and writes nothing', async () => {
    const at = surroundings();
    const { code, stdout } = await run(at, ['install', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^(done|unchanged)/m);
    expect(stdout).toContain('| \t<string>com.launchwarden.agent</string>');
    expect(readdirSync(at.root)).toEqual([]);
    const json = documents((await run(at, ['install', '--dry-run', '--json'])).stdout);
    expect(json.find((one) => String(one['step']).includes('agent.plist (0644'))).toMatchObject({
      schema: 'launchwarden.step/1',
      state: 'planned',
      detail: renderJob(jobProgram),
    });
  });

  test('a link on the way to our places is refused and named with its cure', async () => {
    const at = surroundings();
    const outside = path.join(at.base, 'outside');
    mkdirSync(outside);
    mkdirSync(path.join(at.root, 'Library'));
    const link = path.join(at.root, 'Library/LaunchDaemons');
    symlinkSync(outside, link);
    const { code, stderr } = await run(at, ['install']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${link} is a link [install/link-in-path]`);
    expect(stderr).toContain(`rm "${link}"`);
    expect(readdirSync(outside)).toEqual([]);
    writeFileSync(path.join(outside, path.basename(places.job)), 'mine');
    expect((await run(at, ['uninstall'])).code).toBe(2);
    expect(readFileSync(path.join(outside, path.basename(places.job)), 'utf8')).toBe('mine');
  });

  test('a link in the place of the job is no job of ours', async () => {
    const at = surroundings();
    const victim = path.join(at.base, 'victim');
    writeFileSync(victim, 'mine');
    mkdirSync(path.dirname(placed(at, places.job)), { recursive: true });
    symlinkSync(victim, placed(at, places.job));
    const { code, stderr } = await run(at, ['install']);
    expect(code).toBe(2);
    expect(stderr).toContain('[install/foreign-job]');
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    expect(lstatSync(placed(at, places.job)).isSymbolicLink()).toBe(true);
  });

  test('uninstall takes away what install brought and names what it leaves', async () => {
    const at = surroundings();
    await run(at, ['install']);
    const data = placed(at, places.data);
    mkdirSync(data);
    writeFileSync(path.join(data, 'kept'), '');
    const dry = await run(at, ['uninstall', '--dry-run']);
    expect(dry.stdout).toMatch(/^planned +remove .*agent\.plist$/m);
    expect(existsSync(placed(at, places.job))).toBe(true);
    const { code, stdout } = await run(at, ['uninstall']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^done +remove .*agent\.plist$/m);
    expect(stdout).toContain(`remove ${placed(at, places.home)}: it is yours`);
    expect(existsSync(placed(at, places.job))).toBe(false);
    expect(existsSync(placed(at, places.logRotation))).toBe(false);
    expect(existsSync(data)).toBe(true);
    expect((await run(at, ['uninstall'])).stdout).toMatch(/^unchanged +remove .*agent\.plist$/m);
  });
});

test('a configuration that cannot be read keeps an install from beginning, and no uninstall', async () => {
  const at = surroundings();
  await run(at, ['install']);
  const config = placed(at, places.config);
  writeFileSync(config, 'log = = 1\n');
  const refused = await run(at, ['install']);
  expect(refused.stderr).toContain('[config/syntax]');
  const { code, stderr } = await run(at, ['uninstall']);
  expect(code).toBe(0);
  expect(stderr).toContain('the configuration is passed over');
  expect(existsSync(placed(at, places.job))).toBe(false);
  expect(readFileSync(config, 'utf8')).toBe('log = = 1\n');
});

describe('what install refuses', () => {
  const refused = async (at: Surroundings, system: FakeSystem) => {
    const { code, stderr } = await run(at, ['install'], system);
    expect(readdirSync(at.root)).toEqual([]);
    return { code, stderr };
  };

  test.each([
    ['the script', 'program/bin/launchwarden.js', { uid: 501 }, 'belongs to user 501, not to root'],
    ['Node.js', 'node', { mode: 0o100777 }, 'can be written by others than its owner (user 0, mode 0777)'],
    [
      'a folder above',
      'program',
      { mode: 0o040777 },
      'can be written by others than its owner (user 0, mode 0777)',
    ],
    ['a module deep below', 'program/dist/cli/main.js', { mode: 0o100666 }, 'can be written by others'],
    ['a dependency', 'program/node_modules/dep/package.json', { uid: 1000 }, 'belongs to user 1000'],
  ])('%s that somebody else could change', async (_what, file, owner, reason) => {
    const at = surroundings();
    const system = fakeSystem({ platform: 'linux' });
    system.owners.set(path.join(at.base, file), owner);
    const { code, stderr } = await refused(at, system);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path.join(at.base, file)} ${reason}`);
    expect(stderr).toContain('[install/unsafe-path]');
    expect(stderr).toContain('Root will run a copy of it');
  });

  test('libraries that Node.js has loaded from a folder that a user owns, as with Homebrew', async () => {
    const at = surroundings();
    const libraries = path.join(at.base, 'opt/homebrew/lib');
    mkdirSync(libraries, { recursive: true });
    const libuv = path.join(libraries, 'libuv.1.dylib');
    writeFileSync(libuv, '');
    const system = fakeSystem({ platform: 'linux' });
    system.libraries.push('/usr/lib/libc++.1.dylib', '/System/Library/Frameworks/X.framework/X', libuv);
    expect((await run(at, ['install', '--dry-run'], system)).code).toBe(0);
    system.owners.set(libuv, { uid: 501 });
    const { code, stderr } = await refused(at, system);
    expect(code).toBe(2);
    expect(stderr).toContain(`${libuv} belongs to user 501`);
    expect(stderr).toContain('nodejs.org');
    system.owners.clear();
    system.owners.set(libraries, { mode: 0o040775 });
    expect((await refused(at, system)).stderr).toContain(`${libraries} can be written by others`);
  });

  test('the libraries of the Node.js that runs are known', () => {
    const loaded = thisSystem().sharedObjects();
    expect(loaded.length).toBeGreaterThan(0);
    expect(loaded.filter((one) => !one.startsWith('/'))).toEqual([]);
  });

  test('a program in /Applications, at its start', async () => {
    const { node } = surroundings().program;
    const program = {
      node,
      script: '/Applications/launchwarden.app/Contents/Resources/app/bin/launchwarden.js',
    };
    for (const argv of [['run']]) {
      const { code, stderr } = await cli(argv, { system: fakeSystem(), program, platform: 'darwin' });
      expect(code).toBe(2);
      expect(stderr).toContain('is in /Applications, where every administrator can write');
      expect(stderr).toContain('[install/unsafe-path]');
    }
  });

  test('a link on the way is followed, and what it leads through counts', async () => {
    const at = surroundings();
    const link = path.join(at.base, 'link');
    symlinkSync('program', link);
    const program = { ...at.program, script: path.join(link, 'bin/launchwarden.js') };
    const system = fakeSystem({ platform: 'linux' });
    expect((await run({ ...at, program }, ['install', '--dry-run'], system)).code).toBe(0);
    system.owners.set(at.home, { uid: 501 });
    expect((await refused({ ...at, program }, system)).stderr).toContain(`${at.home} belongs to user 501`);
    system.owners.clear();
    system.owners.set(link, { uid: 502 });
    expect((await refused({ ...at, program }, system)).stderr).toContain(`${link} belongs to user 502`);
  });

  test('dependencies above the program, as npm -g lays them out', async () => {
    const at = surroundings();
    const hoisted = path.join(at.base, 'node_modules');
    spawnSync('mv', [path.join(at.home, 'node_modules'), hoisted]);
    const system = fakeSystem({ platform: 'linux' });
    system.owners.set(path.join(hoisted, 'dep'), { uid: 501 });
    expect((await refused(at, system)).stderr).toContain(`${path.join(hoisted, 'dep')} belongs to user 501`);
  });

  test('a loop of links', async () => {
    const at = surroundings();
    rmSync(at.program.node);
    symlinkSync('node', at.program.node);
    expect((await refused(at, fakeSystem({ platform: 'linux' }))).stderr).toContain(
      'goes through too many links',
    );
  });

  test('a configuration that others can write, which the agent would not start with', async () => {
    const at = surroundings();
    const config = path.join(at.base, 'config.toml');
    writeFileSync(config, '');
    const system = fakeSystem();
    const argv = ['install', '--dry-run', '--config', config];
    const how = { system, program: at.program, platform: 'darwin' as const };
    expect((await cli(argv, how)).code).toBe(0);
    system.owners.set(config, { mode: 0o100646 });
    const { code, stderr } = await cli(argv, how);
    expect(code).toBe(2);
    expect(stderr).toContain(`${config} can be written by others than its owner (user 0, mode 0646)`);
    expect(stderr).toContain('[config/unsafe-path]');
  });

  test('who called sudo may own what is copied, and nobody else', async () => {
    const at = surroundings();
    const system = { ...fakeSystem({ platform: 'linux' }), invoker: 501 };
    system.owners.set(at.home, { uid: 501 });
    expect((await run(at, ['install', '--dry-run'], system)).code).toBe(0);
    system.owners.set(at.home, { uid: 502 });
    expect((await refused(at, system)).stderr).toContain(`${at.home} belongs to user 502`);
  });

  test('the real owner and mode are looked at', async () => {
    const at = surroundings();
    chmodSync(at.home, 0o777);
    const { code, stderr } = await cli(['install', '--root', at.root], { program: at.program });
    expect(code).toBe(2);
    expect(stderr).toContain('install/unsafe-path');
  });

  test('the machine itself as a root that stands for it', async () => {
    const at = surroundings();
    for (const verb of ['install', 'uninstall']) {
      const system = fakeSystem();
      const { code, stdout, stderr } = await cli([verb, '--root', '/'], { system, program: at.program });
      expect({ code, stdout, ran: system.ran }).toEqual({ code: 2, stdout: '', ran: [] });
      expect(stderr).toContain('the root / is this machine itself [config/bad-root]');
    }
  });

  test('another system than a Mac without --root, and a user who is not root', async () => {
    const at = surroundings();
    const linux = await cli(['install'], { system: fakeSystem({ platform: 'linux' }), program: at.program });
    expect(linux.code).toBe(2);
    expect(linux.stderr).toContain('install/not-a-mac');
    const user = await cli(['uninstall'], { system: fakeSystem({ uid: 501 }), program: at.program });
    expect(user.stderr).toContain('install/needs-root');
  });
});
