import { spawnSync } from 'node:child_process';
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
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlistValue, readPlist } from '../../src/base/plist/index.js';
import { packageId, places } from '../../src/install/index.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'lw-packaging-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const folder = path.join(base, 'out', 'packaging');
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
let said = '';

beforeAll(() => {
  const done = spawnSync(
    process.execPath,
    [
      ...['scripts/release.mjs', '--packaging-only', '--out', path.join(base, 'out')],
      ...['--base-url', 'https://downloads.example/launchwarden', '--homepage', 'https://example.com/'],
      ...['--team-id', 'TEAM123456', '--team-name', 'Example'],
    ],
    { encoding: 'utf8' },
  );
  expect(done.stderr).toBe('');
  said = done.stdout;
});

type Keys = ReadonlyMap<string, PlistValue>;

function keysOf(name: string, text = read(name)): Keys {
  const result = readPlist(Buffer.from(text));
  if (!result.ok || !(result.value instanceof Map)) throw new Error(`${name} is no dictionary`);
  expect(result.findings).toEqual([]);
  return result.value;
}

const textAt = (value: Keys, key: string) => String(value.get(key));
const dictionary = (value: PlistValue | undefined) => value as Keys;

/** Whether a program runs here; what needs it is skipped otherwise, and its name says why. */
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

test('nothing is made up: what only a release knows stays a placeholder and is named', () => {
  expect(said).toContain('to be filled in by hand: @SHA256@, @SHA256_ARM64@, @SHA256_X64@, @SIZE_KIB@');
  const templates = readdirSync('packaging', { recursive: true, encoding: 'utf8' });
  for (const name of templates.filter((one) => /\.(?:in|sh)$/.test(one))) {
    const text = readFileSync(path.join('packaging', name), 'utf8');
    expect(text.match(/https?:\/\/(?!www\.apple\.com\/DTDs)\S+/g) ?? [], name).toEqual([]);
    expect(text.includes(version), `${name} names a version by itself`).toBe(false);
  }
});

describe('Homebrew', () => {
  // Stanzas that the Cask Cookbook requires, those that a pkg needs, and keys that Homebrew's uninstall takes.
  test('the cask has every stanza it needs, with the version of this program', () => {
    const cask = read('homebrew/launchwarden.rb');
    for (const stanza of ['version', 'sha256', 'url', 'name', 'desc', 'homepage', 'pkg', 'uninstall'])
      expect(cask).toMatch(new RegExp(`^  ${stanza} `, 'm'));
    expect(cask).toContain(`version "${version}"`);
    const desc = /desc "(.*)"/.exec(cask)?.[1] ?? '';
    expect(desc).toMatch(/^[A-Z].{1,78}[^.]$/);
    expect(desc.toLowerCase()).not.toMatch(/launchwarden|macos|^(?:a|the) /);
    const uninstall = /uninstall ([\s\S]*?)\n\n/.exec(cask)?.[1] ?? '';
    const keys = [...uninstall.matchAll(/^(?: {12})?([a-z_]+):/gm)].map(([, key]) => key);
    expect(keys).toEqual(['script', 'pkgutil']);
  });

  test.skipIf(!has('ruby'))('Ruby reads the cask (skipped: there is no ruby)', () => {
    const done = spawnSync('ruby', ['-c', path.join(folder, 'homebrew/launchwarden.rb')], {
      encoding: 'utf8',
    });
    expect(done.stdout).toContain('Syntax OK');
  });
});

describe('Installomator', () => {
  const label = () => read('installomator/launchwarden.sh');

  test('the label has the variables that Installomator cannot do without', () => {
    const [first = ''] = label().split('\n');
    // Its list of labels is made with this pattern.
    expect(first).toMatch(/^[a-z0-9_-]*\)$/);
    for (const name of ['name', 'type', 'downloadURL', 'expectedTeamID'])
      expect(label()).toMatch(new RegExp(`^ +${name}="[^"]+"$`, 'm'));
    expect(label()).toContain('type="pkg"');
    expect(label()).toContain(`appNewVersion="${version}"`);
    expect(label()).toContain('packageID="com.launchwarden.agent.pkg"');
    expect(label().trimEnd().endsWith(';;')).toBe(true);
  });

  test.each(['arm64', 'i386'])('sets an address for a Mac of %s', (arch) => {
    const script = `arch() { echo ${arch}; }\ncase launchwarden in\n${label()}\nesac\necho "$downloadURL"`;
    const done = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(done.stderr).toBe('');
    const name = `launchwarden-${version}-darwin-${arch === 'arm64' ? 'arm64' : 'x64'}.pkg`;
    expect(done.stdout.trim()).toBe(`https://downloads.example/launchwarden/${name}`);
  });
});

describe('AutoPkg', () => {
  const names = ['download', 'pkg', 'munki'] as const;
  const recipe = (name: string) => keysOf(`autopkg/launchwarden.${name}.recipe`);

  // Processors with the arguments that their input_variables require, and what they set (AutoPkg's own processors).
  const processors: Record<
    string,
    { readonly needs: string[]; readonly takes: string[]; readonly sets: string[] }
  > = {
    URLDownloader: { needs: ['url'], takes: ['filename'], sets: ['pathname'] },
    EndOfCheckPhase: { needs: [], takes: [], sets: [] },
    CodeSignatureVerifier: { needs: ['input_path'], takes: ['expected_authority_names'], sets: [] },
    PkgCopier: { needs: ['source_pkg'], takes: ['pkg_path'], sets: ['pkg_path'] },
    MunkiImporter: { needs: ['pkg_path'], takes: ['repo_subdirectory'], sets: [] },
  };

  test('each recipe has the keys of one, and its parent is the one before', () => {
    const identifiers = names.map((name) => textAt(recipe(name), 'Identifier'));
    expect(new Set(identifiers).size).toBe(3);
    names.forEach((name, index) => {
      expect([...recipe(name).keys()]).toEqual(expect.arrayContaining(['Identifier', 'Input', 'Process']));
      expect(recipe(name).get('ParentRecipe')).toBe(index === 0 ? undefined : identifiers[index - 1]);
    });
    expect(textAt(dictionary(recipe('download').get('Input')), 'VERSION')).toBe(version);
  });

  test('every step is a processor of AutoPkg with what it needs, and every variable is set before', () => {
    const known = new Set(['RECIPE_CACHE_DIR', 'MUNKI_REPO']);
    for (const name of names) {
      for (const key of dictionary(recipe(name).get('Input')).keys()) known.add(key);
      for (const step of recipe(name).get('Process') as Keys[]) {
        const processor = processors[textAt(step, 'Processor')];
        expect(processor, textAt(step, 'Processor')).toBeDefined();
        const given = step.has('Arguments')
          ? dictionary(step.get('Arguments'))
          : new Map<string, PlistValue>();
        const { needs = [], takes = [], sets = [] } = processor ?? {};
        expect([...given.keys()]).toEqual(expect.arrayContaining(needs));
        for (const key of given.keys()) expect([...needs, ...takes]).toContain(key);
        for (const value of given.values())
          for (const [, variable] of String(value).matchAll(/%(\w+)%/g)) expect(known).toContain(variable);
        for (const variable of sets) known.add(variable);
      }
    }
  });

  test('who signed a download is verified before anything is made of it', () => {
    const steps = (recipe('download').get('Process') as Keys[]).map((step) => textAt(step, 'Processor'));
    expect(steps).toEqual(['URLDownloader', 'EndOfCheckPhase', 'CodeSignatureVerifier']);
    expect(read('autopkg/launchwarden.download.recipe')).toContain(
      '<string>Developer ID Installer: Example (TEAM123456)</string>',
    );
  });
});

// Keys that Munki reads of a pkginfo (its client and makepkginfo), as far as ours have them.
const munkiKeys = [
  ...['name', 'display_name', 'description', 'category', 'version', 'catalogs', 'receipts'],
  ...['installer_item_location', 'installer_item_hash', 'installer_item_size', 'minimum_os_version'],
  ...['supported_architectures', 'unattended_install', 'unattended_uninstall', 'uninstallable'],
  ...['uninstall_method', 'uninstall_script'],
];

describe('Munki', () => {
  const filled = (arch: string) =>
    keysOf(arch, read(`munki/launchwarden-${version}-${arch}.plist`).replace('@SIZE_KIB@', '30000'));

  test.each([
    ['arm64', 'arm64'],
    ['x64', 'x86_64'],
  ])('the pkginfo for %s has keys that Munki knows, and all that it needs', (arch, named) => {
    const pkginfo = filled(arch);
    for (const key of pkginfo.keys()) expect(munkiKeys).toContain(key);
    for (const key of ['name', 'version', 'catalogs', 'installer_item_location'])
      expect([...pkginfo.keys()]).toContain(key);
    expect(pkginfo.get('version')).toBe(version);
    expect(pkginfo.get('supported_architectures')).toEqual([named]);
    const [receipt] = pkginfo.get('receipts') as Keys[];
    expect(receipt && textAt(receipt, 'packageid')).toBe('com.launchwarden.agent.pkg');
    expect(receipt && textAt(receipt, 'version')).toBe(version);
  });

  test('the recipe imports with the same keys', () => {
    const input = dictionary(keysOf('autopkg/launchwarden.munki.recipe').get('Input'));
    const pkginfo = dictionary(input.get('pkginfo'));
    for (const key of pkginfo.keys()) expect(munkiKeys).toContain(key);
    expect(pkginfo.get('uninstall_script')).toEqual(filled('arm64').get('uninstall_script'));
  });

  test('the script that removes it is sound shell', () => {
    const script = textAt(filled('arm64'), 'uninstall_script');
    expect(spawnSync('sh', ['-n'], { input: script }).status).toBe(0);
    // The program takes the package's files and its receipt along, and must know where they are.
    expect(script).toContain(
      `"${places.package}/launchwarden.app/Contents/Resources/bin/launchwarden" uninstall`,
    );
    const plan = readFileSync(path.join('scripts', 'package', 'release-plan.mjs'), 'utf8');
    expect(plan).toContain(`packageId = '${packageId}'`);
    expect(plan).toContain(`packagePlace = '${places.package}'`);
  });
});

describe('Jamf', () => {
  /** A Mac on which the command prints this and ends so; without `code` nothing is installed. */
  function mac(name: string, printed = '', code?: number): string {
    const home = path.join(base, name);
    if (code === undefined) return home;
    const app = path.join(home, 'current', 'app', 'bin');
    mkdirSync(app, { recursive: true });
    symlinkSync(process.execPath, path.join(home, 'current', 'node'));
    writeFileSync(
      path.join(app, 'launchwarden.js'),
      `const asked = process.argv.slice(2).join(' ') === 'status --json';
      if (asked) console.log(${JSON.stringify(printed)});
      process.exitCode = asked ? ${code} : 2;`,
    );
    return home;
  }

  function ask(attribute: string, home: string): string {
    const script = read(`jamf/${attribute}.sh`).replace('/Library/Application Support/launchwarden', home);
    const done = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(done.stderr).toBe('');
    return /^<result>(.*)<\/result>\n$/.exec(done.stdout)?.[1] ?? `no result: ${done.stdout}`;
  }

  const attributes = ['version', 'health', 'full-disk-access', 'last-alert'];
  const status = {
    schema: 'launchwarden.status/1',
    version: '9.8.7',
    verdict: 'degraded',
    reasons: ['no <Full> Disk & Access'],
    disk_access: { state: 'denied' },
    last_alert: { at: '2026-11-29T12:34:56.789Z', rule: 'x', severity: 'low' },
  };

  test('each answers from the status of the agent, an unwell one too', () => {
    const home = mac('unwell', JSON.stringify(status), 1);
    expect(attributes.map((one) => ask(one, home))).toEqual([
      '9.8.7',
      'degraded: no &lt;Full&gt; Disk &amp; Access',
      'denied',
      '2026-11-29 12:34:56',
    ]);
  });

  test('an agent that tells less than these ask gives no error', () => {
    const home = mac('older', JSON.stringify({ version: '0.0.1', last_alert: null }), 0);
    expect(attributes.map((one) => ask(one, home))).toEqual(['0.0.1', 'unknown', 'unknown', '']);
  });

  test('no agent, and no launchwarden, are said; a date stays empty', () => {
    const silent = mac('silent', '', 3);
    expect(attributes.map((one) => ask(one, silent))).toEqual([
      ...['not running', 'not running', 'not running', ''],
    ]);
    const none = mac('none');
    expect(attributes.map((one) => ask(one, none))).toEqual([
      ...['not installed', 'not installed', 'not installed', ''],
    ]);
  });
});

test.skipIf(!has('shellcheck'))('shellcheck finds nothing in the scripts (skipped: there is none)', () => {
  const ours = ['packaging/pkg/preinstall', 'packaging/pkg/postinstall', 'packaging/munki/uninstall.sh'];
  const made = readdirSync(path.join(folder, 'jamf')).map((name) => path.join(folder, 'jamf', name));
  const done = spawnSync('shellcheck', [...ours, 'launchd/app/launchwarden', ...made], { encoding: 'utf8' });
  expect(done.stdout).toBe('');
});
