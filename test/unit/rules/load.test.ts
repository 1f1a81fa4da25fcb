import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.js';
import { formatDiagnostic, loadRules } from '../../../src/rules/index.js';
import { asNobody } from '../../helpers/as-nobody.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-rules-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]) => path.join(folder, ...parts);
const text = (id: string, query = 'any where true') =>
  `[rule]\nrule_id = "${id}"\nname = "n"\ntype = "eql"\nseverity = "low"\nquery = '${query}'\n`;
const put = (name: string, content: string | Buffer) => {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
};
const codes = (paths: readonly string[]) =>
  loadRules(paths).diagnostics.map(({ code, file }) => [code, path.relative(folder, file ?? '')]);

test('files of a folder, sorted, and below it', () => {
  put('b.toml', text('b'));
  put('a/z.toml', text('z'));
  put('a/y/x.toml', text('x'));
  put('notes.md', 'no rule');
  put('.hidden.toml', 'no rule');
  put('.git/c.toml', text('c'));
  const loaded = loadRules([folder]);
  expect(loaded.rules.map(({ meta }) => meta.id)).toEqual(['x', 'z', 'b']);
  expect(loaded.files).toEqual([at('a/y/x.toml'), at('a/z.toml'), at('b.toml')]);
  expect(loaded.rules[0]?.meta.file).toBe(at('a/y/x.toml'));
  expect(loaded.diagnostics).toEqual([]);
});

test('a file is read whatever its name; a bad one does not stop the others', () => {
  put('one.rule', text('one'));
  put('bad.toml', text('bad', 'any where ='));
  put('two.toml', text('two'));
  const loaded = loadRules([at('one.rule'), at('bad.toml'), at('two.toml')]);
  expect(loaded.rules.map(({ meta }) => meta.id)).toEqual(['one', 'two']);
  expect(loaded.diagnostics.map(({ code, file }) => [code, file])).toEqual([['eql/syntax', at('bad.toml')]]);
});

test('a sound rule that runs elsewhere is passed over, a mistake is not', () => {
  const typed = (name: string, lines: string) =>
    put(name, `[rule]\nrule_id = "${name}"\nname = "n"\nseverity = "low"\n${lines}\n`);
  typed('esql.toml', 'type = "esql"\nlanguage = "esql"\nquery = "from x"');
  typed('ml.toml', 'type = "machine_learning"');
  typed('newer.toml', 'type = "correlation_v2"\nquery = "?"');
  typed('language.toml', 'type = "query"\nlanguage = "promql"\nquery = "?"');
  typed('linux.toml', 'type = "eql"\nos_list = ["linux"]\nquery = "any where true"');
  typed('slip.toml', 'type = "eqll"\nquery = "any where true"');
  typed('slip2.toml', 'type = "query"\nlanguage = "kueri"\nquery = "a:b"');
  typed(
    'mixed.toml',
    'type = "threshold"\nquery = "a:"\n[rule.threshold]\nvalue = 1\ncardinality = [{ a = 1 }]',
  );
  put('ok.toml', text('ok'));
  const { rules, passedOver, files } = loadRules([folder]);
  expect(rules.map(({ meta }) => meta.id)).toEqual(['ok']);
  expect(passedOver.map(({ file, code }) => [path.basename(file ?? ''), code])).toEqual([
    ['esql.toml', 'rule/unsupported-type'],
    ['language.toml', 'rule/unsupported-language'],
    ['linux.toml', 'rule/other-system'],
    ['ml.toml', 'rule/unsupported-type'],
    ['newer.toml', 'rule/unsupported-type'],
  ]);
  expect(new Set(codes([folder]).map(([, file]) => file))).toEqual(
    new Set(['mixed.toml', 'slip.toml', 'slip2.toml']),
  );
  expect(files).toHaveLength(9);
});

test('the second rule of an id is reported where it says so', () => {
  put('a.toml', text('same'));
  put('b.toml', text('same'));
  const loaded = loadRules([folder]);
  expect(loaded.rules.map(({ meta }) => meta.file)).toEqual([at('a.toml')]);
  expect(loaded.diagnostics).toMatchObject([
    { code: 'rules/duplicate-id', file: at('b.toml'), line: 2, column: 12 },
  ]);
});

test('links are followed only to files inside the folder', () => {
  const outside = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-outside-'));
  try {
    writeFileSync(path.join(outside, 'secret.toml'), text('secret'));
    put('rules/real/a.toml', text('a'));
    symlinkSync(path.join(outside, 'secret.toml'), at('rules/out.toml'));
    symlinkSync(outside, at('rules/folder'));
    symlinkSync('.', at('rules/loop'));
    symlinkSync('nowhere', at('rules/dangling.toml'));
    symlinkSync('real/a.toml', at('rules/in.toml'));
    expect(loadRules([at('rules')]).rules.map(({ meta }) => meta.id)).toEqual(['a']);
    expect(codes([at('rules')])).toEqual([
      ['rules/unreadable', 'rules/dangling.toml'],
      ['rules/link', 'rules/out.toml'],
      ['rules/duplicate-id', 'rules/real/a.toml'],
    ]);
    // The person who names a link means what it points to.
    expect(loadRules([at('rules/out.toml')]).rules.map(({ meta }) => meta.id)).toEqual(['secret']);
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
});

test('what is no readable text file is told, and nothing waits for it', () => {
  execFileSync('mkfifo', [at('fifo.toml')]);
  put('binary.toml', Buffer.from([0x5b, 0xff, 0xfe]));
  put('huge.toml', Buffer.alloc(600_000, '#'));
  mkdirSync(at('folder.toml'));
  put('ok.toml', `\ufeff${text('ok')}`);
  expect(codes([folder])).toEqual([
    ['rule/encoding', 'binary.toml'],
    ['rules/unreadable', 'fifo.toml'],
    ['rule/too-large', 'huge.toml'],
  ]);
  const { rules, diagnostics } = loadRules([folder]);
  expect(rules.map(({ meta }) => meta.id)).toEqual(['ok']);
  expect(formatDiagnostic(diagnostics[1]!)).toBe(
    `${at('fifo.toml')}:1:1: error: this is no regular file [rules/unreadable]`,
  );
});

test('a path that may not be read is not one that is not there', async () => {
  put('closed/a.toml', text('a'));
  chmodSync(folder, 0o755);
  chmodSync(at('closed'), 0o000);
  const load = () => loadRules([at('closed/a.toml')]);
  await asNobody(() =>
    expect(load).toThrow(
      expect.objectContaining({ code: 'rules/no-access', hint: expect.stringContaining('sudo') }),
    ),
  );
  chmodSync(at('closed'), 0o755);
});

test('a path that is not there is an error of the person who gave it', () => {
  try {
    loadRules([at('none')]);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).code).toBe('rules/not-found');
    expect((error as UserError).message).toContain(at('none'));
  }
});
