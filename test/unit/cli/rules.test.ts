import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

function configured(text: string): string {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'rules'));
  writeFileSync(path.join(folder, 'config.toml'), text);
  return folder;
}

test('rules list shows the rules that come with the program', async () => {
  const { code, stdout, stderr } = await cli(['rules', 'list', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rules = documents(stdout);
  expect(
    rules.map(({ severity, risk_score, enabled }) => ({ severity, risk_score, enabled })),
  ).toContainEqual({
    severity: 'low',
    risk_score: 21,
    enabled: true,
  });
  const table = await cli(['rules', 'list']);
  expect(table.stdout.trimEnd().split('\n')).toHaveLength(rules.length + 1);
  const filtered = await cli(['rules', 'list', '--json', '--severity', 'medium']);
  expect(new Set(documents(filtered.stdout).map((one) => one['severity']))).toEqual(new Set(['medium']));
});

test('rules show takes an id, a beginning of it or a name', async () => {
  const [first] = documents((await cli(['rules', 'list', '--json'])).stdout);
  const id = String(first?.['id']);
  const whole = await cli(['rules', 'show', id]);
  expect(whole.code).toBe(0);
  for (const part of ['Overview', 'Query', 'False positives', 'Investigation guide', 'References'])
    expect(whole.stdout).toContain(part);
  expect((await cli(['rules', 'show', id.slice(0, 8)])).stdout).toBe(whole.stdout);
  expect((await cli(['rules', 'show', String(first?.['name']).toUpperCase()])).stdout).toBe(whole.stdout);
  expect(documents((await cli(['rules', 'show', id, '--json'])).stdout)).toEqual([first]);
});

test('an unknown rule names the nearest', async () => {
  const [first] = documents((await cli(['rules', 'list', '--json'])).stdout);
  const id = String(first?.['id']);
  const slip = `${id.slice(0, -1)}${id.endsWith('x') ? 'y' : 'x'}`;
  const { code, stderr } = await cli(['rules', 'show', slip]);
  expect(code).toBe(2);
  expect(stderr).toContain(`there is no rule "${slip}" [rules/unknown]\n  Did you mean "${id}"?`);
});

test('a disabled rule is listed with the reason', async () => {
  const [first] = documents((await cli(['rules', 'list', '--json'])).stdout);
  const folder = configured(`[rules]\ndisabled = ["${String(first?.['id'])}"]\n`);
  const { stdout } = await cli(['rules', 'list', '--json', '--config', 'config.toml'], { cwd: folder });
  expect(documents(stdout)[0]).toMatchObject({ enabled: false, reason: 'disabled in the configuration' });
});

test('a broken rule file is told with file, line and column, and ends with 1', async () => {
  const folder = configured('[rules]\nfolders = ["rules"]\n');
  writeFileSync(path.join(folder, 'rules', 'bad.toml'), '[rule\nname = 1\n');
  const { code, stdout, stderr } = await cli(['rules', 'list', '--config', 'config.toml'], { cwd: folder });
  expect(code).toBe(1);
  expect(stdout).toContain('builtin/');
  expect(stderr).toMatch(/bad\.toml:1:\d+: error: /);
});

test('a rules folder that is not there ends with 2', async () => {
  const folder = configured('[rules]\nfolders = ["nowhere"]\n');
  const { code, stderr } = await cli(['rules', 'list', '--config', 'config.toml'], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toContain(path.join(folder, 'nowhere'));
});
