import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { logPassedOver, mutedRules, selectRules, tierOf } from '../../../src/agent/rules.js';
import { silentLogger } from '../../../src/base/log.js';
import { loadSettings } from '../../../src/config/index.js';
import { degradedReasons } from '../../../src/rules/index.js';
import { tempFolder } from '../../helpers/run-cli.js';

const builtin = path.resolve('src/rules/builtin');
const idOf = (name: string) =>
  /rule_id = "([^"]+)"/.exec(readFileSync(path.join(builtin, name), 'utf8'))?.[1] ?? '';
const inferred = 'launch-item-found-loaded.toml';

/** An installation whose rules folder holds copies of our rules with ids of their own: they count as imported. */
function imported(change: (text: string) => string = (text) => text, extra = '') {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'rules'));
  const text = readFileSync(path.join(builtin, inferred), 'utf8');
  const id = '11111111-1111-4111-8111-111111111111';
  writeFileSync(
    path.join(folder, 'rules', 'mine.toml'),
    change(text.replaceAll(idOf(inferred), id).replace(/\[\[rule\.launchwarden\.test\]\][\s\S]*$/, '')),
  );
  writeFileSync(path.join(folder, 'config.toml'), `[rules]\nfolders = ["rules"]\n${extra}`);
  const settings = loadSettings({
    flags: { config: path.join(folder, 'config.toml') },
    cwd: folder,
    platform: 'linux',
  });
  return { id, settings, ...selectRules(settings) };
}

test('an imported rule that the running sensors cannot serve is off; the same one of ours is not', () => {
  const { id, settings, rules } = imported();
  const kinds = ['process-scan', 'file-watch'] as const;
  expect([...mutedRules(rules, settings.rules, kinds)]).toEqual([
    [id, ['step 3 needs loaded events, which no running sensor delivers']],
  ]);
  expect(mutedRules(rules, settings.rules, [...kinds, 'launchd-state']).size).toBe(0);
});

test('rules that run on no endpoint are passed over and logged; a malformed one is parked and keeps none from running', () => {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'rules'));
  const put = (name: string, text: string) => writeFileSync(path.join(folder, 'rules', name), text);
  put('esql.toml', '[rule]\nrule_id = "e"\nname = "n"\ntype = "esql"\nlanguage = "esql"\n');
  writeFileSync(path.join(folder, 'config.toml'), '[rules]\nfolders = ["rules"]\n');
  const select = () =>
    selectRules(loadSettings({ flags: { config: 'config.toml' }, cwd: folder, platform: 'linux' }));
  const { rules, passedOver } = select();
  expect(rules.every(({ meta }) => meta.file.startsWith('builtin/'))).toBe(true);
  const said: unknown[] = [];
  const log = { ...silentLogger, warn: (...line: unknown[]) => said.push(line) };
  logPassedOver([], log);
  logPassedOver(passedOver, log);
  const why = 'rule type esql is not supported on an endpoint: ES|QL runs in Elasticsearch only';
  expect(said).toEqual([
    [
      { count: 1, files: [`${path.join(folder, 'rules/esql.toml')}: ${why}`] },
      expect.stringContaining('passed over'),
    ],
  ]);
  put('broken.toml', '[rule\n');
  const with1 = select();
  expect(with1.rules).toEqual(rules);
  expect(with1.parked).toEqual([expect.stringMatching(/broken\.toml:1: /)]);
});

test('rules.enabled keeps it on', () => {
  const { settings, rules } = imported(undefined, 'enabled = ["11111111-1111-4111-8111-111111111111"]\n');
  expect(mutedRules(rules, settings.rules, ['file-watch']).size).toBe(0);
});

test('what it excludes by must be known too', () => {
  const { id, settings, rules } = imported((text) =>
    text.replace('event.action == "loaded"]', 'event.action == "loaded" and not process.name == "x"]'),
  );
  const kinds = ['process-scan', 'file-watch', 'launchd-state'] as const;
  expect(mutedRules(rules, settings.rules, kinds).get(id)).toEqual([
    'step 3 reports what it should leave out: it excludes by process.name',
  ]);
});

test('folders that are too many to watch are said, by tier', () => {
  const { rules, id } = imported((text) =>
    text.replace(
      '"/System/Library/LaunchAgents/*", "/Library/LaunchAgents/*"',
      '"/Users/*/Library/*", "/Library/LaunchAgents/*"',
    ),
  );
  const rule = rules.find(({ meta }) => meta.id === id);
  if (rule === undefined) throw new Error('no rule');
  const reasons = (...kinds: Parameters<typeof tierOf>[0]) =>
    degradedReasons(rule, tierOf([...kinds, 'launchd-state'], rule)).join('\n');
  expect(reasons('process-scan', 'file-watch')).toContain('/Users/*/Library/*, which is not watched');
  expect(reasons('eslogger')).toContain('which is not watched');
  expect(reasons('endpoint-security')).toBe('');
});

test('a copy under the built-in name in a folder is still imported', () => {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'builtin'));
  copyFileSync(path.join(builtin, inferred), path.join(folder, 'builtin', inferred));
  writeFileSync(path.join(folder, 'c.toml'), '[rules]\nbuiltin = false\nfolders = ["builtin"]\n');
  const settings = loadSettings({
    flags: { config: path.join(folder, 'c.toml') },
    cwd: folder,
    platform: 'linux',
  });
  const { rules } = selectRules(settings);
  expect(mutedRules(rules, settings.rules, ['file-watch']).has(idOf(inferred))).toBe(true);
});
