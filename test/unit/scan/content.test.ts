import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import type { InventoryEntry } from '../../../src/event/inventory.js';
import { ContentScanner, type ContentScanOptions, YaraEngine } from '../../../src/scan/index.js';
import { targetsOf } from '../../../src/scan/targets.js';
import { tempFolder } from '../../helpers/run-cli.js';

// Compiling WebAssembly takes its time on a machine that has none to spare.
vi.setConfig({ testTimeout: 60_000 });

const signal = new AbortController().signal;
const marker = 'rule Marker { meta: description = "ours" strings: $a = "OUR-MARKER" condition: $a }';
/** A condition that never ends within the time of a test: YARA's own limit does not hold there. */
const endless =
  'rule Endless { condition: uint8(0) == 0x7a and for all i in (0..1000000) : (for all j in (0..1000000) : (i + j >= 0)) }';

async function scanner(options: Partial<ContentScanOptions> & { root: RootMap }): Promise<ContentScanner> {
  const made = await ContentScanner.open({
    hashes: [],
    yara: [],
    maxFileBytes: 1024 * 1024,
    memoryBytes: 256 * 1024 * 1024,
    fileMs: 10_000,
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

test('YARA and hash lists name a file; a YARA file that does not compile is refused with its line', async () => {
  const folder = folderWith({
    'mac/bin/evil': 'x OUR-MARKER y',
    'mac/bin/good': 'nothing',
    'yara/a.yar': marker,
    'yara/deep/named.yara': 'rule Named { condition: filename == "good" and filepath == "/bin/good" }',
    'yara/bad.yar': 'rule Bad {\n  condition:\n    $nope\n}\n',
    'yara/include.yar': 'include "a.yar"\n',
    'yara/notes.txt': 'no rule',
    'list.txt': `${createHash('sha256').update('nothing').digest('hex')}  known thing\n`,
  });
  const content = await scanner({
    root: new RootMap(path.join(folder, 'mac')),
    yara: [path.join(folder, 'yara')],
    hashes: [path.join(folder, 'list.txt')],
  });
  expect(content.counts).toEqual({ hashes: 1, yara: 2 });
  const refused = content.refused.map((one) => [path.basename(one.file), one.line]);
  expect(refused).toEqual([
    ['bad.yar', 3],
    ['include.yar', 1],
  ]);
  const evil = await content.scan('/bin/evil', signal);
  expect(evil.yara).toMatchObject([
    { rule: 'Marker', file: path.join(folder, 'yara/a.yar'), description: 'ours' },
  ]);
  expect(evil.yara[0]?.strings).toEqual([{ id: '$a', offset: 2, length: 10 }]);
  const good = await content.scan('/bin/good', signal);
  expect(good).toMatchObject({ listed: { name: 'known thing', line: 1 }, yara: [{ rule: 'Named' }] });
  expect(await content.scan('/bin/none', signal)).toMatchObject({ missing: true, yara: [] });
});

test('a scan that runs out of time is named, and the next file is scanned all the same', async () => {
  const folder = folderWith({
    'mac/slow': 'zzzz',
    'mac/evil': 'OUR-MARKER',
    'a.yar': `${marker}\n${endless}`,
  });
  const content = await scanner({
    root: new RootMap(path.join(folder, 'mac')),
    yara: [path.join(folder, 'a.yar')],
    fileMs: 3_000,
  });
  const slow = await content.scan('/slow', signal);
  expect(slow.left).toContain('out of time');
  expect((await content.scan('/evil', signal)).yara).toMatchObject([{ rule: 'Marker' }]);
});

test('a file that is too large for YARA is hashed only, and that is said', async () => {
  const large = 'OUR-MARKER'.repeat(300);
  const folder = folderWith({
    'mac/large': large,
    'a.yar': marker,
    'list.txt': createHash('sha256').update(large).digest('hex'),
  });
  const content = await scanner({
    root: new RootMap(path.join(folder, 'mac')),
    yara: [path.join(folder, 'a.yar')],
    hashes: [path.join(folder, 'list.txt')],
    maxFileBytes: 1_000,
  });
  const scan = await content.scan('/large', signal);
  expect(scan).toMatchObject({ listed: { line: 1 }, yara: [] });
  expect(scan.left).toContain('too large');
});

test('a file for which there is not enough memory is named, and the next one is scanned all the same', async () => {
  const folder = folderWith({
    'mac/evil': 'OUR-MARKER',
    'mac/large': 'x'.repeat(40 * 2 ** 20),
    'a.yar': marker,
  });
  const content = await scanner({
    root: new RootMap(path.join(folder, 'mac')),
    yara: [path.join(folder, 'a.yar')],
    maxFileBytes: 64 * 2 ** 20,
    memoryBytes: 32 * 2 ** 20,
  });
  expect((await content.scan('/large', signal)).left).toContain('out of memory');
  expect((await content.scan('/evil', signal)).yara).toHaveLength(1);
});

test('without the package YARA rules are refused with what to do', async () => {
  const resolve = () => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };
  const files = [{ file: 'a.yar', text: marker }];
  await expect(YaraEngine.start({ files, fileMs: 1_000, memoryBytes: 1, resolve })).rejects.toMatchObject({
    code: 'scan/no-yara',
    hint: expect.stringContaining('npm install @virustotal/yara-x'),
  });
});

test('a list or a folder of rules that is not there is an error that names it', async () => {
  const root = new RootMap(tempFolder());
  await expect(scanner({ root, hashes: ['/nowhere/list.txt'] })).rejects.toThrow('/nowhere/list.txt');
  await expect(scanner({ root, yara: ['/nowhere/rules'] })).rejects.toThrow('/nowhere/rules');
});

test.skipIf(process.getuid?.() !== 0)(
  'what an item or user names is scanned only when its user could read it',
  async () => {
    const folder = folderWith({
      'mac/opt/secret': 'of root alone',
      'mac/Users/mara/Library/LaunchAgents/x.plist': 'x',
      'list.txt': `${createHash('sha256').update('of root alone').digest('hex')}  known thing\n`,
    });
    const item = '/Users/mara/Library/LaunchAgents/x.plist';
    for (const one of ['Users/mara', `.${item}`]) chownSync(path.join(folder, 'mac', one), 4501, 4501);
    chmodSync(path.join(folder, 'mac/opt/secret'), 0o600);
    const content = await scanner({
      root: new RootMap(path.join(folder, 'mac')),
      hashes: [path.join(folder, 'list.txt')],
    });
    for (const namedBy of [item, 4501]) {
      const scan = await content.scan('/opt/secret', signal, namedBy);
      expect(scan).toEqual({
        path: '/opt/secret',
        yara: [],
        left: expect.stringContaining('may not read it'),
      });
    }
    for (const namedBy of ['/Library/LaunchDaemons/x.plist', 0, undefined])
      expect(await content.scan('/opt/secret', signal, namedBy)).toMatchObject({ listed: { line: 1 } });
  },
);

test('a bundle that is itself what runs is scanned file by file, and not named as left out', () => {
  const bundle = '/Library/DirectoryServices/PlugIns/Evil.dsplug';
  const entry = { type: 'dir', path: bundle, runs: [bundle, '/opt/other'] } as unknown as InventoryEntry;
  const lister = {
    entries: (at: string) => (at === bundle ? [{ name: 'Evil', isFolder: false, isFile: true }] : []),
  };
  expect(targetsOf([entry], lister as never).paths).toEqual([`${bundle}/Evil`, '/opt/other']);
});
