import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPlist } from '../../src/base/plist/index.js';
import { differences, parseManifest } from '../../src/install/manifest.js';
import { cpus, fromMac } from './mac-parts.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'lw-release-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const name = `launchwarden-${version}-darwin-arm64`;
const payload = path.join(base, 'payload', name);

interface ReleaseStep {
  readonly id: string;
  readonly run?: readonly string[];
  readonly write?: { readonly file: string; readonly text: string };
  readonly copy?: { readonly from: string; readonly to: string };
}

function release(folder: string, args: readonly string[] = [], tools?: string) {
  return spawnSync(
    process.execPath,
    [
      'scripts/release.mjs',
      ...['--payload', folder, '--identity', 'Developer ID Application: Example (TEAM123456)'],
      ...['--installer-identity', 'Developer ID Installer: Example (TEAM123456)'],
      ...['--keychain-profile', 'notary', ...args],
    ],
    { encoding: 'utf8', env: { ...process.env, ...(tools === undefined ? {} : { PATH: tools }) } },
  );
}

function plan(args: readonly string[] = []): ReleaseStep[] {
  const done = release(payload, [...args, '--dry-run', '--json', '--out', path.join(base, 'dry')]);
  expect(done.stderr).toBe('');
  return done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReleaseStep);
}

/** Elements of an XML text that are never closed, or not in their order. */
function openElements(text: string): string[] {
  const open: string[] = [];
  for (const [, end, element = '', empty] of text.matchAll(/<(\/?)([a-z][\w-]*)[^>]*?(\/?)>/g)) {
    if (end === '') {
      if (empty === '') open.push(element);
    } else if (open.pop() !== element) return [element];
  }
  return open;
}

beforeAll(() => {
  const done = spawnSync(process.execPath, [
    ...['scripts/package.mjs', '--no-archive', '--platform', 'darwin', '--arch', 'arm64'],
    ...['--out', path.dirname(payload)],
    ...fromMac(path.join(base, 'mac'), { node: cpus.arm64, parts: cpus.arm64 }),
  ]);
  expect(done.status).toBe(0);
});

describe('the plan of a release', () => {
  test('signs from the inside out, then packs, then has it notarised; a dry run does none of it', () => {
    const steps = plan();
    expect(steps.map(({ id }) => id)).toEqual([
      'sign-native',
      'sign-native',
      'sign-app',
      'verify-app',
      'manifest',
      'preinstall',
      'postinstall',
      'distribution',
      'pkgbuild',
      'productbuild',
      'notarise',
      'staple',
      'assess',
    ]);
    expect(existsSync(path.join(base, 'dry'))).toBe(false);
  });

  test('every signature has the hardened runtime and a time; only the main executable has entitlements', () => {
    const signatures = plan().flatMap(({ run }) =>
      run?.includes('--sign') && run[0] === 'codesign' ? [run] : [],
    );
    expect(signatures).toHaveLength(3);
    for (const run of signatures) {
      expect(run.join(' ')).toContain('--timestamp --options runtime');
      expect(run).not.toContain('--deep');
      expect(run.includes('--entitlements')).toBe(run.at(-1)?.endsWith('launchwarden.app'));
    }
    const natives = signatures.slice(0, 2).map((run) => path.basename(run.at(-1) ?? ''));
    expect(natives.sort()).toEqual(['better_sqlite3.node', 'launchwarden.node']);
  });

  test.each([
    ['without a provisioning profile', [], false],
    ['with one', ['--provisioning-profile', '/tmp/x.provisionprofile'], true],
  ])('EndpointSecurity is claimed only when a profile allows it: %s', (_, args, claimed) => {
    const steps = plan(args);
    const sign = steps.find(({ id }) => id === 'sign-app')?.run ?? [];
    const entitlements = readPlist(readFileSync(sign[sign.indexOf('--entitlements') + 1] ?? ''));
    const keys = entitlements.ok && entitlements.value instanceof Map ? [...entitlements.value.keys()] : [];
    expect(keys).toContain('com.apple.security.cs.allow-jit');
    expect(keys.includes('com.apple.developer.endpoint-security.client')).toBe(claimed);
    const embed = steps.findIndex(({ id }) => id === 'embed-profile');
    expect(embed !== -1).toBe(claimed);
    if (claimed) expect(embed).toBeLessThan(steps.findIndex(({ id }) => id === 'sign-app'));
  });

  test('the bundle stays where the package puts it, and the distribution admits one architecture', () => {
    const steps = plan();
    const build = steps.find(({ id }) => id === 'pkgbuild')?.run ?? [];
    const components = readPlist(readFileSync(build[build.indexOf('--component-plist') + 1] ?? ''));
    const [bundle] = components.ok && Array.isArray(components.value) ? components.value : [];
    expect(bundle instanceof Map && bundle.get('BundleIsRelocatable')).toBe(false);
    expect(bundle instanceof Map && bundle.get('RootRelativeBundlePath')).toBe('launchwarden.app');
    const distribution = steps.find(({ id }) => id === 'distribution')?.write?.text ?? '';
    expect(distribution).toContain('hostArchitectures="arm64"');
    expect(distribution).toContain('<os-version min="13.0"/>');
    expect(distribution).not.toMatch(/@[A-Z_]+@/);
    expect(openElements(distribution)).toEqual([]);
  });

  test('the scripts of the package are sound shell, and install what the package has placed', () => {
    const steps = plan();
    const place = steps.find(({ id }) => id === 'pkgbuild')?.run ?? [];
    for (const id of ['preinstall', 'postinstall']) {
      const text = steps.find((step) => step.id === id)?.write?.text ?? '';
      expect(spawnSync('sh', ['-n'], { input: text }).status).toBe(0);
      expect(text).toContain(place[place.indexOf('--install-location') + 1]);
    }
    const postinstall = steps.find((step) => step.id === 'postinstall')?.write?.text ?? '';
    const command = /launchwarden\/package\/(\S+)" install\n$/.exec(postinstall)?.[1] ?? 'none';
    expect(existsSync(path.join(payload, command))).toBe(true);
  });
});

/** Tools of Apple's names that write down how they were called, and leave what the real ones would. */
function standInTools(folder: string, fails = ''): string {
  mkdirSync(folder, { recursive: true });
  const log = path.join(folder, 'log');
  const scripts: Record<string, string> = {
    // A signature changes what it signs.
    codesign: 'for last; do :; done; if [ -f "$last" ]; then printf signed >>"$last"; fi',
    pkgbuild: 'for last; do :; done; printf component >"$last"',
    productbuild: 'for last; do :; done; printf product >"$last"',
    xcrun: ':',
    spctl: ':',
  };
  for (const [tool, text] of Object.entries(scripts)) {
    const file = path.join(folder, tool);
    const end = tool === fails ? 'exit 65' : 'exit 0';
    writeFileSync(file, `#!/bin/sh\necho "${tool} $*" >>'${log}'\n${text}\n${end}\n`);
    chmodSync(file, 0o755);
  }
  return `${folder}${path.delimiter}/usr/bin${path.delimiter}/bin`;
}

describe('a release with stand-ins for the tools of Apple', () => {
  test('ends with a package, its hash, a true manifest, and everything that names the release', () => {
    const copy = path.join(base, 'good', name);
    cpSync(payload, copy, { recursive: true });
    const out = path.join(base, 'out');
    const done = release(
      copy,
      [...['--out', out, '--base-url', 'https://downloads.example/launchwarden'], '--team-id', 'TEAM123456'],
      standInTools(path.join(base, 'tools')),
    );
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
    const called = readFileSync(path.join(base, 'tools', 'log'), 'utf8')
      .trim()
      .split('\n');
    expect(called.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      ...Array.from({ length: 3 }, () => 'codesign --force'),
      ...['codesign --verify', 'pkgbuild --root', 'productbuild --distribution'],
      ...['xcrun notarytool', 'xcrun stapler', 'spctl --assess'],
    ]);
    const manifest = parseManifest(readFileSync(path.join(copy, 'manifest.json'), 'utf8'));
    expect(manifest && differences(copy, manifest)).toEqual([]);
    const hash = createHash('sha256').update('product').digest('hex');
    expect(readFileSync(path.join(out, `${name}.pkg.sha256`), 'utf8')).toBe(`${hash}  ${name}.pkg\n`);
    const cask = readFileSync(path.join(out, 'packaging', 'homebrew', 'launchwarden.rb'), 'utf8');
    expect(cask).toContain(hash);
    expect(cask).toContain('https://downloads.example/launchwarden/');
    expect(done.stdout).toMatch(/to be filled in by hand: .*@SHA256_X64@/);
  });

  test('stops at the step that failed, and calls nothing a release', () => {
    const copy = path.join(base, 'bad', name);
    cpSync(payload, copy, { recursive: true });
    const out = path.join(base, 'failed');
    const done = release(copy, ['--out', out], standInTools(path.join(base, 'failing'), 'xcrun'));
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('could not have Apple notarise the package, and wait: xcrun ended with 65');
    expect(readdirSync(out).filter((one) => one.endsWith('.sha256') || one === 'packaging')).toEqual([]);
  });

  test('is refused before anything is signed where there are none', () => {
    const empty = path.join(base, 'empty');
    mkdirSync(empty);
    const before = readFileSync(path.join(payload, 'manifest.json'), 'utf8');
    const done = release(payload, ['--out', path.join(base, 'nowhere')], empty);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('[release/needs-a-mac]');
    expect(done.stderr).toContain('codesign, pkgbuild, productbuild, xcrun, spctl');
    expect(readFileSync(path.join(payload, 'manifest.json'), 'utf8')).toBe(before);
  });

  test('names what is missing', () => {
    const bare = spawnSync(process.execPath, ['scripts/release.mjs', '--payload', payload], {
      encoding: 'utf8',
    });
    expect(bare.stderr).toContain('--identity, --installer-identity, --keychain-profile');
    expect(release(base, ['--dry-run']).stderr).toContain('[release/no-payload]');
  });
});
