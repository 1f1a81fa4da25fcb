import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exceptionPacks, loadExceptions, readExceptionFile } from '../../../src/rules/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

const whole = `
name = "Ours"

[[exception]]
id = "our-backup"
reason = "The backup rewrites its agent each night."
author = "alice"
created = 2026-11-29
expires = 2027-05-31
rules = ["rule-1"]
item = 'file.path: "/Library/LaunchAgents/org.backup.plist"'
sha256 = "${'AB'.repeat(32)}"

[[exception]]
id = "their-agent"
reason = "x"
author = "alice"
expires = "2027-05-31T12:00:00Z"
language = "eql"
process = 'process where process.name == "launchctl"'
step = [{ number = 1, query = 'file where file.name == "x.plist"' }]
signer = { team_id = "ABCDE12345", signing_id = "com.example.agent" }
`;

const codes = (text: string, pack = false) => {
  const result = readExceptionFile(text, 'x.toml', { pack });
  return 'set' in result
    ? result.warnings.map(({ code }) => code)
    : result.diagnostics.map(({ code, line }) => `${code} ${line}`);
};

test('a whole file', () => {
  const result = readExceptionFile(whole, 'x.toml');
  if (!('set' in result)) throw new Error(JSON.stringify(result));
  expect(result.warnings).toEqual([]);
  expect(result.set).toMatchObject({ file: 'x.toml', name: 'Ours' });
  expect(result.set.exceptions).toMatchObject([
    { id: 'our-backup', rules: ['rule-1'], sha256: 'ab'.repeat(32), expires: Date.UTC(2027, 4, 31) * 1000 },
    {
      id: 'their-agent',
      rules: [],
      signer: { teamId: 'ABCDE12345', signingId: 'com.example.agent' },
      expires: Date.UTC(2027, 4, 31, 12) * 1000,
    },
  ]);
});

describe('what is wrong is said with its place', () => {
  const one = (rest: string) =>
    `name = "x"\n[[exception]]\nid = "a"\nreason = "r"\nauthor = "a"\nexpires = 2027-01-01\n${rest}\n`;

  test.each([
    ['no TOML', 'name = ', ['exception/toml 1']],
    ['no exceptions', 'name = "x"', ['exception/missing 1']],
    ['nothing said why, by whom and until when', 'name = "x"\n[[exception]]\nid = "a"\nitem = "a:b"', 3],
    ['no condition', one(''), ['exception/missing 3']],
    ['an unknown key', one('itme = "file.path: x"\nsha256 = "x"'), 2],
    ['a team id that is none', one('signer = { team_id = "jamf" }'), ['exception/value 7']],
    ['a query that does not parse', one('item = "file.path: ("'), ['kql/syntax 7']],
    [
      'a sequence',
      one('language = "eql"\nitem = "sequence [any where true] [any where true]"'),
      ['exception/value 8'],
    ],
    [
      'the same id twice',
      one('item = "file.path: x"') + one('item = "file.path: x"').slice(11),
      ['exception/duplicate-id 9', 2],
    ],
  ])('%s', (_, text, expected) => {
    const found = codes(text);
    if (typeof expected === 'number') expect(found.length).toBeGreaterThanOrEqual(expected);
    else expect(found).toContain(expected[0]);
  });

  test('what is bound to nothing is a warning, in a pack an error', () => {
    expect(codes(one('item = "file.path: x"'))).toContain('exception/unbound');
    expect(codes('name = "x"\n[[exception]]\nid = "a"\nreason = "r"\nitem = "file.path: x"', true)).toContain(
      'exception/unbound 3',
    );
  });
});

test('a folder is read as a whole: links, other users and doubled ids are refused', () => {
  const folder = tempFolder();
  expect(loadExceptions([path.join(folder, 'none')], [])).toMatchObject({ exceptions: [], diagnostics: [] });
  writeFileSync(path.join(folder, 'a.toml'), whole);
  writeFileSync(path.join(folder, '.hidden.toml'), 'no');
  writeFileSync(path.join(folder, 'readme.md'), 'no');
  expect(loadExceptions([folder], []).exceptions).toHaveLength(2);
  writeFileSync(path.join(folder, 'b.toml'), whole);
  symlinkSync(path.join(folder, 'a.toml'), path.join(folder, 'c.toml'));
  mkdirSync(path.join(folder, 'd.toml'));
  writeFileSync(path.join(folder, 'e.toml'), Buffer.from([0xff, 0xfe, 0x00]));
  const { diagnostics } = loadExceptions([folder], []);
  const said = diagnostics.map(({ code, file }) => `${code} ${path.basename(file ?? '')}`);
  expect(new Set(said)).toEqual(
    new Set([
      'exceptions/duplicate-id b.toml',
      'exceptions/unreadable c.toml',
      'exceptions/unreadable d.toml',
      'exceptions/unreadable e.toml',
    ]),
  );
});

test('every pack that comes with the program is sound, and bound to a team', () => {
  const { diagnostics, exceptions, sets } = loadExceptions([], exceptionPacks);
  expect(diagnostics).toEqual([]);
  expect(sets.map(({ file }) => file)).toEqual(exceptionPacks.map((name) => `pack/${name}`));
  for (const { signer, reason } of exceptions) {
    expect(signer?.teamId).toMatch(/^[A-Z0-9]{10}$/);
    expect(reason).toMatch(/\.$/);
  }
  expect(readdirSync('src/rules/exceptions/packs').sort()).toEqual(
    exceptionPacks.map((one) => `${one}.toml`),
  );
});
