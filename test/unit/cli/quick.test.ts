import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedAlerts } from './alert-fixture.js';

// `alerts list` and `run` as they are started: each from one file with a code cache, beside the modules that it was made of.
const built = existsSync('dist/quick/alerts-list.js');
const folder = mkdtempSync(path.join(os.tmpdir(), 'lw-quick-'));
/** Two installations: one of them without the one file. */
const [home, modules] = ['quick', 'modules'].map((name) => path.join(folder, name)) as [string, string];
const quick = path.join(home, 'dist/quick');
const { requireLate } = (await import(path.resolve('scripts/quick.mjs'))) as {
  requireLate: (code: string) => string;
};

beforeAll(() => {
  if (!built) return;
  for (const place of [home, modules]) {
    for (const one of ['bin', 'dist']) cpSync(one, path.join(place, one), { recursive: true });
    for (const one of ['package.json', 'node_modules']) symlinkSync(path.resolve(one), path.join(place, one));
  }
  rmSync(path.join(modules, 'dist/quick'), { recursive: true });
  writeFileSync(path.join(folder, 'bad.toml'), 'tier = [\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How a command line ends. */
function run(args: readonly string[], { env = {}, from = home }: { env?: object; from?: string } = {}) {
  const program = path.join(from, 'bin/launchwarden.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, stdout, stderr };
}

describe.skipIf(!built)('what starts from one file', () => {
  test.for([
    ['a listing', ['list', '--status', 'all']],
    ['documents', ['list', '--json']],
    ['one line an alert', ['list', '--flat', '--sort', 'priority']],
    ['stories as documents', ['list', '--json', '--stories']],
    ['the help of alerts list', ['list', '--help']],
    ['an option that is none', ['list', '--jsn']],
    ['a value that is none', ['list', '--limit', 'x']],
    ['a rule that is none', ['list', '--rule', 'nothing-of-that-name', '--json']],
    ['a data folder that is none', ['list', '--data-dir', '/nowhere/data']],
    ['a configuration that is none', ['list', '--config', 'bad.toml']],
    ['the help of run', ['run', '--help']],
    ['an option of run that is none', ['run', '--rot', '.']],
    ['a scope without a tree', ['run', '--root-scope', '1']],
    ['sensors that do not go together', ['run', '--sensors', 'scan', '--sensors', 'file-watch']],
    ['an agent with a configuration that is none', ['run', '--root', '.', '--config', 'bad.toml']],
    ['an agent with a data folder that is a file', ['run', '--root', '.', '--data-dir', 'bad.toml']],
  ] as const)('says what the modules say: %s', ([, [command, ...args]]) => {
    const words = command === 'list' ? ['alerts', 'list', '--data-dir', storedAlerts()] : ['run'];
    const argv = [...words, ...args];
    const said = run(argv);
    expect(said).toEqual(run(argv, { from: modules }));
    expect(said.stderr).not.toContain('please report it');
  });

  test('loads nothing of the modules of Node.js that a listing does without', () => {
    const hook = path.join(folder, 'loaded.cjs');
    writeFileSync(hook, "process.on('exit', () => console.error(JSON.stringify(process.moduleLoadList)));\n");
    const { status, stderr } = run(['alerts', 'list', '--data-dir', storedAlerts()], {
      env: { NODE_OPTIONS: `--require ${hook}` },
    });
    expect(status).toBe(0);
    const loaded = JSON.parse(stderr) as string[];
    for (const name of ['child_process', 'crypto', 'zlib', 'module'])
      expect(loaded).not.toContain(`NativeModule ${name}`);
  });

  test('the code caches serve this Node.js; a damaged one, or one of another program, changes nothing', () => {
    const dataDir = storedAlerts();
    const file = path.join(quick, 'alerts-list.js');
    const name = `alerts-list.${process.version}-${process.platform}-${process.arch}.cache`;
    const kept = readFileSync(path.join(quick, name));
    const caches = [name, name.replace('alerts-list', 'run')];
    expect(readdirSync(quick).sort()).toEqual(['alerts-list.js', 'run.js', ...caches].sort());
    const check = `const { Script } = require('node:vm'); const fs = require('node:fs');
      const [, file, cache] = process.argv;
      const cachedData = fs.readFileSync(cache).subarray(32);
      const script = new Script(fs.readFileSync(file, 'latin1'), { filename: file, cachedData });
      console.log(script.cachedDataRejected);`;
    const rejected = (one = 'alerts-list') =>
      spawnSync(
        process.execPath,
        ['-e', check, ...[file, path.join(quick, name)].map((text) => text.replace('alerts-list', one))],
        { encoding: 'utf8' },
      ).stdout;
    expect([rejected(), rejected('run')]).toEqual(['false\n', 'false\n']);
    const listed = run(['alerts', 'list', '--data-dir', dataDir]);
    expect(listed.stdout).toContain('com.evil.plist');
    for (const bytes of [kept.subarray(0, 1000), Buffer.from('nothing'), Buffer.alloc(kept.length)]) {
      writeFileSync(path.join(quick, name), bytes);
      expect(rejected()).toBe('true\n');
      expect(run(['alerts', 'list', '--data-dir', dataDir])).toEqual(listed);
    }
    writeFileSync(path.join(quick, name), kept);
  });
});

describe('requireLate', () => {
  const late = (code: string) => new Function('require', requireLate(code))(() => ({ a: 1, b: () => 2 }));

  test('loads a module when something of it is used', () => {
    const code =
      'let node_net = require("node:net");\nlet x = { node_net: 5, y: 1 };\nreturn [x.y, node_net.a];';
    expect(requireLate(code.replace('node_net: 5, ', ''))).toContain('node_net().a');
    expect(late(code.replace('node_net: 5, ', ''))).toEqual([1, 1]);
  });

  test('makes one of its classes, not of what loads it', () => {
    const code =
      'let node_net = require("node:net");\nreturn new node_net.Set([node_net.a, new node_net.Set().size]).size;';
    expect(requireLate(code)).toContain('new (node_net()).Set(');
    expect(new Function('require', requireLate(code))(() => ({ a: 1, Set }))).toBe(2);
  });

  test('leaves a module alone that is handed around, or that it does not know', () => {
    for (const code of [
      'let node_net = require("node:net");\nreturn [node_net, node_net.a].length;',
      'let node_fs = require("node:fs");\nreturn node_fs.b();',
    ])
      expect(requireLate(code)).toBe(code);
  });
});
