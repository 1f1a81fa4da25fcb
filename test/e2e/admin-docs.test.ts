import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cli } from '../helpers/run-cli.js';
import { waitFor } from '../simulation/mac.js';

// What docs/install.md and docs/deploy.md tell an administrator to do, done as it stands there wherever it runs off a Mac;
// of the rest every command and option must exist.

const pages = ['docs/install.md', 'docs/deploy.md'];
const pageText = (page: string) => readFileSync(page, 'utf8');
const blocks = (text: string) =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');

/** The commands of a block, one line each, without comments. */
function commandLines(text: string): string[] {
  return blocks(text)
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Arguments of each `launchwarden` in a line; what stands in quotes is one. */
function calls(line: string): string[][] {
  return [...line.matchAll(/(?:^|\s)launchwarden ((?:"[^"]*"|[^"|;&>])*)/g)].map(([, rest = '']) =>
    [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
  );
}

async function helpOf(args: readonly string[]): Promise<string> {
  const words = args.filter((word) => /^[a-z][a-z-]*$/.test(word)).slice(0, 2);
  for (const tried of [words, words.slice(0, 1)]) {
    const { code, stdout } = await cli([...tried, '--help']);
    if (code === 0 && stdout.startsWith(`Usage: launchwarden ${tried.join(' ')} `)) return stdout;
  }
  return '';
}

describe.each(pages)('%s', (page) => {
  test('every command that it names exists, with the options that it gives', async () => {
    const inline = [...pageText(page).matchAll(/`(?:sudo )?(launchwarden [^`]+)`/g)].map(
      ([, line]) => line ?? '',
    );
    const all = [...commandLines(pageText(page)), ...inline].flatMap(calls);
    expect(all.length).toBeGreaterThan(5);
    for (const args of all) {
      const help = await helpOf(args);
      expect(help, `launchwarden ${args.join(' ')}`).not.toBe('');
      for (const [index, option] of args.entries()) {
        if (!option.startsWith('--')) continue;
        const value = help.split('\n').find((line) => line.trim().startsWith(`${option} `));
        expect(value, `launchwarden ${args.join(' ')}`).toBeDefined();
        if (value?.includes(`${option} <`)) expect(args[index + 1] ?? '--', option).not.toMatch(/^--/);
      }
    }
  });

  test('every page, script, file and npm script that it names is there', () => {
    const text = pageText(page);
    for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)\)/g))
      expect(existsSync(path.join('docs', link)), link).toBe(true);
    for (const [name] of text.matchAll(/\b(?:docs|launchd|packaging|scripts)\/[\w./-]*\w/g))
      expect(existsSync(name) || name.startsWith('packaging/'), name).toBe(true);
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(name);
    for (const [, title = ''] of text.matchAll(/README, "([^"]+)"/g))
      expect(readFileSync('README.md', 'utf8')).toContain(`\n## ${title}\n`);
    for (const [, name] of text.matchAll(/^\| `([\w-]+)` \|/gm))
      if (name !== undefined && page.endsWith('deploy.md'))
        expect(existsSync(`launchd/profiles/${name}.mobileconfig.in`), name).toBe(true);
  });
});

let base = '';
let child: ChildProcess | undefined;
beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'lw-admin-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(base, { recursive: true, force: true });
});

/** A block with `launchwarden` as this checkout's, run by sh; throws with what it said when it fails. */
function run(block: string, setting: { readonly cwd?: string; readonly path?: string } = {}): string {
  const program = `'${process.execPath}' '${path.resolve('bin/launchwarden.js')}'`;
  const text = block.replaceAll(/^(?:npx )?launchwarden /gm, `${program} `);
  return execFileSync('sh', ['-ec', text], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: setting.cwd ?? '.',
    env: { ...process.env, PATH: `${setting.path ?? ''}${path.delimiter}${process.env['PATH']}` },
  });
}

function section(page: string, title: string): string {
  const text = pageText(page);
  const start = text.indexOf(`\n## ${title}\n`);
  expect(start).toBeGreaterThan(0);
  const end = text.indexOf('\n## ', start + 1);
  return text.slice(start, end === -1 ? undefined : end);
}

/** What Jamf would be told of the agent of this data folder, by the scripts of a release. */
function extensionAttributes(dataDir: string): Record<string, string> {
  execFileSync(process.execPath, ['scripts/release.mjs', '--packaging-only', '--out', base]);
  const home = path.join(base, 'home');
  mkdirSync(path.join(home, 'current'), { recursive: true });
  symlinkSync(process.execPath, path.join(home, 'current', 'node'));
  symlinkSync(path.resolve('.'), path.join(home, 'current', 'app'));
  const names = readdirSync(path.join(base, 'packaging', 'jamf'));
  const told = names.map((name) => {
    const script = readFileSync(path.join(base, 'packaging', 'jamf', name), 'utf8');
    const said = execFileSync(
      'sh',
      ['-c', script.replace('/Library/Application Support/launchwarden', home)],
      {
        encoding: 'utf8',
        env: { ...process.env, LAUNCHWARDEN_DATA_DIR: dataDir },
      },
    );
    return [name.replace('.sh', ''), /^<result>(.*)<\/result>\n$/.exec(said)?.[1] ?? said] as const;
  });
  return Object.fromEntries(told);
}

test('install.md, "Try it without a Mac", as it stands', { timeout: 120_000 }, async () => {
  const [start = '', look = ''] = blocks(section('docs/install.md', 'Try it without a Mac')).map((block) =>
    block.replaceAll('/tmp/mac-data', path.join(base, 'data')).replaceAll('/tmp/mac', path.join(base, 'mac')),
  );
  const [prepare = '', agent = ''] = start.split('\n');
  run(prepare);
  const args = agent.split(' ').slice(2);
  expect(args[0]).toBe('run');
  let log = '';
  child = spawn(process.execPath, ['bin/launchwarden.js', ...args, '--root-scope', String(process.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await waitFor('the agent to be ready', () => (log.includes('"ready"') ? true : undefined));
  const said = run(look);
  expect(said).toContain('HEALTHY');
  expect(said).toMatch(/\d+ rules: \d+ full/);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(extensionAttributes(path.join(base, 'data'))).toEqual({
    version,
    health: 'healthy',
    'full-disk-access': expect.stringMatching(/^(?:granted|denied|unknown)$/),
    'last-alert': '',
  });
});

test('deploy.md, "Policy", as it stands', { timeout: 120_000 }, () => {
  const [block = ''] = blocks(section('docs/deploy.md', '5. Policy: rules and exceptions for all'));
  mkdirSync(path.join(base, 'fleet'));
  writeFileSync(path.join(base, 'fleet', 'config.toml'), '[forward]\nheartbeat = "10m"\n');
  const [keygen = '', ...rest] = block.trimEnd().split('\n');
  const key = /[A-Za-z0-9+/]{43}=/.exec(run(keygen, { cwd: base }))?.[0];
  expect(key).toBeDefined();
  run(rest.join('\n').replace(/KEY$/, key ?? ''), { cwd: base });
  expect(readdirSync(base).sort()).toEqual(['fleet', 'policy-1.bundle', 'policy.key']);
});

test('deploy.md, "Profiles": what its command makes is a whole profile', () => {
  const [block = ''] = blocks(section('docs/deploy.md', '4. Profiles'));
  writeFileSync(path.join(base, 'uuidgen'), '#!/bin/sh\necho 0B5B2C61-8D1F-4B7E-9C39-5B6B1B1B0001\n', {
    mode: 0o755,
  });
  run(block.replace('> full-disk-access.mobileconfig', `> '${base}/full-disk-access.mobileconfig'`), {
    path: base,
  });
  const made = readFileSync(path.join(base, 'full-disk-access.mobileconfig'), 'utf8');
  expect(made).toContain('TEAM123456');
  expect(made).not.toMatch(/@[A-Z_]+@/);
});

test('deploy.md, "Sign, notarise, pack": its options are those of the script', () => {
  const [line = ''] = commandLines(section('docs/deploy.md', '2. Sign, notarise, pack'));
  const options = [...line.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option ?? '');
  expect(options.length).toBeGreaterThan(4);
  const args = options.flatMap((option) => (option === '--dry-run' ? [option] : [option, '/nonexistent']));
  const done = spawnSync(process.execPath, ['scripts/release.mjs', ...args], { encoding: 'utf8' });
  expect(done.stderr).toContain('[release/no-payload]');
});
