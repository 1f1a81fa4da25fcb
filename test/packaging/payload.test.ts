import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/install/manifest.js';
import { cpus, fromMac } from './mac-parts.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'lw-payload-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const target = `${process.platform}-${process.arch}`;

function build(out: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, ['scripts/package.mjs', '--out', path.join(base, out), ...args], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000', ...env },
  });
}

const payload = (out: string, what = target) => path.join(base, out, `launchwarden-${version}-${what}`);
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** As `launchwarden install` reads it. */
function manifestOf(text: string) {
  const manifest = parseManifest(text);
  if (manifest === undefined) throw new Error('install does not take this manifest');
  return manifest;
}

describe('the payload of this system', () => {
  test('is built, and runs', { timeout: 120_000 }, () => {
    const done = build('one', ['--node', process.execPath]);
    expect(done.stderr + done.stdout).toContain(`launchwarden ${version} (Node.js ${process.version}`);
  });

  test('its manifest names every file, as the archive does, and nothing that only compiles', () => {
    const folder = payload('one');
    const manifest = manifestOf(readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ version, platform: process.platform, arch: process.arch });
    const named = manifest.files.map((file) => file.path);
    const present = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .filter((name) => name !== 'manifest.json');
    expect([...present].sort()).toEqual([...named].sort());
    for (const file of manifest.files)
      expect({ ...file, sha256: sha256(readFileSync(path.join(folder, file.path))) }).toEqual(file);
    const listed = execFileSync('tar', ['-tzf', `${folder}.tar.gz`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listed).toEqual(
      [...named, 'manifest.json'].sort().map((name) => `${path.basename(folder)}/${name}`),
    );
    const natives = named.filter((name) => name.endsWith('.node')).map((name) => path.basename(name));
    expect(natives.sort()).toEqual(['better_sqlite3.node', 'launchwarden.node']);
    expect(
      named.filter((name) => /node-addon-api|prebuild-install|\/deps\/|\.exe$|\.d\.ts$/.test(name)),
    ).toEqual([]);
  });

  test('its command runs through a link, with no module from outside', () => {
    const link = path.join(base, 'launchwarden');
    symlinkSync(
      path.join(payload('one'), 'launchwarden.app', 'Contents', 'Resources', 'bin', 'launchwarden'),
      link,
    );
    const said = execFileSync(link, ['version'], {
      cwd: base,
      encoding: 'utf8',
      env: { NODE_OPTIONS: '--require /nonexistent.js', PATH: '/usr/bin:/bin' },
    });
    expect(said).toContain(`launchwarden ${version}`);
  });
});

test('install takes the archive as it is: a whole version, its command in place', {
  timeout: 120_000,
}, () => {
  const root = path.join(base, 'tree');
  mkdirSync(root);
  const launchwarden = (...args: string[]) =>
    execFileSync(process.execPath, ['bin/launchwarden.js', ...args, '--root', root], { encoding: 'utf8' });
  const said = launchwarden('install', '--from', `${payload('one')}.tar.gz`);
  expect(said).toContain(`Installed ${version}-`);
  const home = path.join(root, 'Library', 'Application Support', 'launchwarden');
  const command = 'current/launchwarden.app/Contents/Resources/bin/launchwarden';
  expect(execFileSync(path.join(home, command), ['version'], { encoding: 'utf8' })).toContain(version);
  expect(launchwarden('install', '--from', payload('one'))).not.toMatch(/^done +place version/m);
  launchwarden('uninstall', '--purge');
  expect(readdirSync(root, { recursive: true })).toEqual([]);
});

describe('a payload for a Mac', () => {
  test('is refused where its native parts cannot be compiled, with the cure', () => {
    const done = build('mac', ['--platform', 'darwin', '--arch', 'arm64']);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('[package/needs-a-mac]');
    expect(done.stderr).toContain('npm run package -- --arch arm64');
  });

  test('two builds are byte-equal, whatever the surroundings', () => {
    const args = [
      ...['--platform', 'darwin', '--arch', 'arm64'],
      ...fromMac(path.join(base, 'from-mac'), { node: cpus.arm64, parts: cpus.arm64 }),
    ];
    expect(build('first', args).stderr).toBe('');
    const second = spawnSync(
      'sh',
      [
        ...['-c', 'umask 077; exec "$@"', 'sh', process.execPath, 'scripts/package.mjs'],
        ...['--out', path.join(base, 'second'), ...args],
      ],
      { env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000', TZ: 'Asia/Tokyo', LC_ALL: 'C' } },
    );
    expect(second.status).toBe(0);
    const archives = ['first', 'second'].map((out) =>
      sha256(readFileSync(`${payload(out, 'darwin-arm64')}.tar.gz`)),
    );
    expect(archives[1]).toBe(archives[0]);
    const later = build('later', args, { SOURCE_DATE_EPOCH: '1700000001' });
    expect(later.status).toBe(0);
    expect(sha256(readFileSync(`${payload('later', 'darwin-arm64')}.tar.gz`))).not.toBe(archives[0]);
  });

  test.each(['arm64', 'x64'] as const)('is put together from parts that were compiled on one: %s', (arch) => {
    const done = build('mac', [
      ...['--no-archive', '--platform', 'darwin', '--arch', arch],
      ...fromMac(path.join(base, `from-${arch}`), { node: cpus[arch], parts: cpus[arch] }),
    ]);
    expect(done.stderr).toBe('');
    const manifest = manifestOf(
      readFileSync(path.join(payload('mac', `darwin-${arch}`), 'manifest.json'), 'utf8'),
    );
    expect(manifest).toMatchObject({ platform: 'darwin', arch });
    const info = readFileSync(
      path.join(payload('mac', `darwin-${arch}`), 'launchwarden.app', 'Contents', 'Info.plist'),
      'utf8',
    );
    expect(info).toContain(`<string>${version}</string>`);
    expect(info).not.toMatch(/@[A-Z_]+@/);
  });

  test.each([
    [
      'of another architecture',
      { node: cpus.arm64, parts: cpus.x64 },
      'better_sqlite3.node is for darwin-x64',
    ],
    ['with a Node.js of another one', { node: cpus.x64, parts: cpus.arm64 }, 'node is for darwin-x64'],
    ['with what is no program', { node: cpus.arm64, parts: 7 }, 'for no system that is known'],
  ])('is refused with parts %s', (name, kinds, message) => {
    const done = build('wrong', [
      ...[
        '--platform',
        'darwin',
        '--arch',
        'arm64',
        ...fromMac(path.join(base, name.replaceAll(' ', '-')), kinds),
      ],
    ]);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain(message);
    expect(done.stderr).toContain('[package/foreign-binary]');
  });

  test('is refused when a part was never compiled', () => {
    const [flag = '', node = ''] = fromMac(path.join(base, 'uncompiled'), {
      node: cpus.arm64,
      parts: cpus.arm64,
    });
    const done = build('wrong', [
      ...['--platform', 'darwin', '--arch', 'arm64', flag, node, '--compiled', base],
    ]);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('[package/no-native-part]');
  });
});

test('a Node.js of several parts is refused: it would run nowhere else', () => {
  const node = path.join(base, 'of-parts');
  const libraries = [node, '/usr/lib/libSystem.B.dylib', '/opt/homebrew/opt/libuv/lib/libuv.1.dylib'];
  writeFileSync(
    node,
    `#!/bin/sh\necho '${JSON.stringify({ version: '26.10.0', abi: '147', libraries })}'\n`,
    {
      mode: 0o755,
    },
  );
  const done = build('parts', ['--node', node]);
  expect(done.status).toBe(2);
  expect(done.stderr).toContain(
    'would not have: /opt/homebrew/opt/libuv/lib/libuv.1.dylib [package/not-self-contained]',
  );
});

test('a target that there is none of is named, and so is an option', () => {
  expect(build('none', ['--arch', 'mips']).stderr).toContain('[package/unknown-target]');
  expect(build('none', ['--kompiled', 'x']).stderr).toContain('[package/usage]');
  expect(build('none', [], { SOURCE_DATE_EPOCH: 'yesterday' }).stderr).toContain('[package/usage]');
});
