import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import type { PlistValue } from '../../../src/base/plist/index.js';
import { backgroundItemsOf } from '../../../src/mechanisms/background-item.js';
import { pathOfBookmark } from '../../../src/mechanisms/bookmark.js';
import { jsonOf, member } from '../../../src/mechanisms/json.js';
import { KeyedArchive } from '../../../src/mechanisms/keyed-archive.js';
import { readMachO } from '../../../src/mechanisms/mach-o.js';
import { sqliteRows } from '../../../src/mechanisms/sqlite-rows.js';
import { pathOfUrl } from '../../../src/mechanisms/values.js';
import { aliasOf, bookmarkOf } from '../../helpers/plist-writer.js';
import { textFile } from './mechanism-file.js';

const map = (value: Record<string, PlistValue>) => new Map(Object.entries(value));
const uid = (index: number) => ({ uid: BigInt(index) });

describe('the text of sfltool dumpbtm', () => {
  const text = `========================
 Records for UID 501 : 1B2C3D4E-0000-0000-0000-000000000001
========================

 ServiceManagement migrated: true
 LaunchServices registered: true

 Items:

 #1:
                 UUID: 00000000-0000-0000-0000-000000000001
                 Name: Example Software
       Developer Name: Example Software
                 Type: developer (0x20)
          Disposition: [disabled, allowed, visible, not notified] (2)
           Identifier: Example Software
                  URL: (null)
           Generation: 1
    Embedded Item Identifiers:
      #1: com.example.agent

 #2:
                 UUID: 00000000-0000-0000-0000-000000000002
                 Name: agent
       Developer Name: Example Software
                 Type: legacy agent (0x10008)
          Disposition: [enabled, allowed, visible, notified] (11)
           Identifier: com.example.agent
                  URL: file:///Users/mara/Library/LaunchAgents/com.example%20agent.plist
      Executable Path: /Users/mara/.x/agent
           Generation: 3

========================
 Records for UID 0 : FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000
========================

 Items:

 #1:
                 UUID: 00000000-0000-0000-0000-000000000003
                 Name: helper
                 Type: daemon (0x10)
          Disposition: [enabled, disallowed, hidden, notified] (13)
           Identifier: com.example.helper
                  URL: Contents/Library/LaunchDaemons/com.example.helper.plist
`;

  test('gives the items of each user, without developers', () => {
    expect(backgroundItemsOf(text)).toMatchObject([
      {
        key: '1B2C3D4E-0000-0000-0000-000000000001/com.example.agent',
        label: 'agent',
        when: ['login'],
        enabled: true,
        runs: [{ path: '/Users/mara/.x/agent' }],
        findings: ['hidden-program'],
      },
      {
        key: 'FFFFEEEE-DDDD-CCCC-BBBB-AAAA00000000/com.example.helper',
        when: ['boot'],
        as: 'root',
        enabled: false,
        runs: [],
        findings: ['hidden-item'],
      },
    ]);
  });

  test.each([
    '',
    '#1:',
    ' #1:\n Identifier: \n',
    ' #1:\n'.repeat(50_000),
    `\n${' '.repeat(100_000)}Identifier: x`,
  ])('anything else gives no item', (other) => {
    expect(backgroundItemsOf(other)).toEqual([]);
  });
});

describe('paths of bookmarks and aliases', () => {
  test('as they are written', () => {
    expect(pathOfBookmark(bookmarkOf('/Applications/Ünïcode App.app'))).toBe('/Applications/Ünïcode App.app');
    expect(pathOfBookmark(aliasOf('/Users/mara/x.app'))).toBe('/Users/mara/x.app');
  });

  test('none in what is cut, changed or circular', () => {
    const whole = bookmarkOf('/Users/mara/Library/x.app');
    for (let length = 0; length < whole.length; length += 3) {
      expect(() => pathOfBookmark(whole.subarray(0, length))).not.toThrow();
      const changed = Uint8Array.from(whole);
      changed.fill(0xff, length, length + 4);
      expect(() => pathOfBookmark(changed)).not.toThrow();
    }
    const circular = Buffer.from(whole);
    // The table names itself as the next one, and no names.
    const table = circular.length - 32;
    circular.writeUInt32LE(table - 48, table + 12);
    circular.writeUInt32LE(0x2002, table + 20);
    expect(pathOfBookmark(circular)).toBeUndefined();
    expect(pathOfBookmark(Buffer.alloc(1_000_000))).toBeUndefined();
  });
});

describe('keyed archives', () => {
  test('references in circles and beyond the end lead nowhere', () => {
    const archive = KeyedArchive.of(
      map({
        $top: map({ root: uid(1), gone: uid(99), self: uid(2), null: uid(0) }),
        $objects: ['$null', map({ 'NS.objects': [uid(1), uid(1)], $class: uid(1) }), uid(2)],
      }),
    );
    expect(archive?.top('gone')).toBeUndefined();
    expect(archive?.top('self')).toBeUndefined();
    expect(archive?.top('null')).toBeUndefined();
    expect(archive?.list(archive.top('root'))).toHaveLength(2);
    expect(archive?.className(archive.top('root'))).toBeUndefined();
    expect(archive?.text(archive.top('root'))).toBeUndefined();
    expect([...(archive?.entries(archive.top('root')) ?? [])]).toEqual([]);
  });

  test('texts in objects of their own', () => {
    const archive = KeyedArchive.of(
      map({
        $objects: [
          '$null',
          map({ 'NS.string': 'x' }),
          map({ 'NS.base': uid(3), 'NS.relative': 'b' }),
          map({ 'NS.relative': 'file:///a/' }),
          map({ 'NS.uuidbytes': Buffer.from('00112233445566778899aabbccddeeff', 'hex') }),
        ],
      }),
    );
    expect([1, 2, 4].map((index) => archive?.text(uid(index)))).toEqual([
      'x',
      'file:///a/b',
      '00112233-4455-6677-8899-AABBCCDDEEFF',
    ]);
  });

  test('what is no archive is none', () => {
    for (const value of [undefined, 'x', [], map({}), map({ $objects: 'x' })])
      expect(KeyedArchive.of(value)).toBeUndefined();
  });
});

describe('rows of SQLite', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-rows-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function written(name: string, mode: 'DELETE' | 'WAL'): Uint8Array {
    const database = new Database(path.join(folder, name));
    database.pragma(`journal_mode = ${mode}`);
    database.pragma('wal_autocheckpoint = 0');
    database.exec('BEGIN');
    database.exec('CREATE TABLE t (a INTEGER, b TEXT, c TEXT, d INTEGER)');
    const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?, ?)');
    for (let index = 0; index < 2_000; index++)
      insert.run(index, `plug-in ${index}`, 'ü'.repeat(index % 40), index % 2);
    insert.run(null, 'x'.repeat(100_000), '', -1);
    database.exec('COMMIT');
    // The log goes away with the last connection.
    const bytes = readFileSync(path.join(folder, mode === 'WAL' ? `${name}-wal` : name));
    database.close();
    return bytes;
  }

  test.each(['DELETE', 'WAL'] as const)('of a database and of its log: %s', (mode) => {
    const rows = [...sqliteRows(written(`rows-${mode}`, mode))];
    const found = new Map(rows.flatMap((row) => (row.length === 4 ? [[row[1], row]] : [])));
    for (const index of [0, 1, 2, 127, 128, 1_999])
      expect(found.get(`plug-in ${index}`)).toEqual([
        index,
        `plug-in ${index}`,
        'ü'.repeat(index % 40),
        index % 2,
      ]);
  });

  test('cut and changed anywhere, bounded and without an exception', () => {
    const whole = written('rows-hostile', 'DELETE');
    for (let part = 0; part < 200; part++) {
      const at = Math.floor((whole.length * part) / 200);
      const changed = Uint8Array.from(whole);
      changed.fill(0xff, at, at + 16);
      expect([...sqliteRows(changed)].length).toBeLessThanOrEqual(50_000);
      expect([...sqliteRows(whole.subarray(0, at))].length).toBeLessThanOrEqual(50_000);
    }
    expect([...sqliteRows(Buffer.alloc(1_000_000))]).toEqual([]);
    const sizeless = Buffer.from(whole);
    sizeless.writeUInt16BE(0, 16);
    expect([...sqliteRows(sizeless)]).toEqual([]);
  });
});

describe('Mach-O libraries', () => {
  test('programs, cut files and impossible sizes are no library', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('cffaedfe', 'hex'),
      Buffer.from('cafebabeffffffff', 'hex'),
      Buffer.concat([Buffer.from('cafebabe00000001', 'hex'), Buffer.alloc(20, 0xff)]),
      Buffer.concat([Buffer.from('cffaedfe', 'hex'), Buffer.alloc(100)]),
    ])
      expect(readMachO(bytes)).toBeUndefined();
    const library = Buffer.alloc(64);
    library.writeUInt32LE(0xfeedfacf, 0);
    library.writeUInt32LE(6, 12);
    library.writeUInt32LE(0xffffffff, 16);
    library.writeUInt32LE(0x8000001f, 32);
    library.writeUInt32LE(0xffffffff, 36);
    library.writeUInt32LE(24, 40);
    expect(readMachO(library)?.reexports.length).toBeLessThanOrEqual(1);
  });
});

describe('JSON', () => {
  test('with comments and trailing commas', () => {
    const json = jsonOf(textFile('/x', '// a\n{"a": "//b", /* c */ "d": [1, 2,],}\n'));
    expect(json).toEqual({ a: '//b', d: [1, 2] });
    expect(member(json, '__proto__')).toBeUndefined();
    expect(member(json, 'd', 'length')).toBeUndefined();
  });

  test.each([
    '',
    'null',
    '{',
    '{"a":',
    '['.repeat(100_000),
    `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
    '/* ',
  ])('nothing of %j', (text) => {
    expect(jsonOf(textFile('/x', text))).toBeUndefined();
  });
});

test('paths of addresses', () => {
  expect(
    ['file:///a%20b/', 'file://localhost/a', '/a b', 'https://x/a', 'file:///%E0%A4%A', ''].map(pathOfUrl),
  ).toEqual(['/a b', '/a', '/a b', undefined, '/%E0%A4%A', undefined]);
});
