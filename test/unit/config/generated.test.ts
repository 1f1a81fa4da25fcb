import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { readPlist } from '../../../src/base/plist/index.js';
import { descriptionKey, descriptions } from '../../../src/config/descriptions.js';
import { jsonSchema } from '../../../src/config/json-schema.js';
import { plistText, profileManifest } from '../../../src/config/manifest.js';
import { presetConfig, presets } from '../../../src/config/presets.js';
import { configReference } from '../../../src/config/reference.js';
import { configSchema } from '../../../src/config/schema.js';
import { configShape, type Shape } from '../../../src/config/shape.js';
import { schemaErrors } from '../../helpers/json-schema.js';

/** The paths of all keys, those of destinations below their type. */
function pathsOf(shape: Shape, path: readonly string[] = []): (readonly string[])[] {
  if (shape.kind === 'list' || shape.kind === 'map') return pathsOf(shape.item, path);
  if (shape.kind === 'off-or') return pathsOf(shape.table, path);
  if (shape.kind === 'variant')
    return Object.entries(shape.tables).flatMap(([type, table]) => pathsOf(table, [...path, type]));
  if (shape.kind !== 'table') return [];
  return Object.entries(shape.keys).flatMap(([name, key]) => [
    [...path, name],
    ...pathsOf(key.shape, [...path, name]),
  ]);
}

const paths = pathsOf(configShape());

test('every key has a description in src/config/descriptions.ts, and every description a key', () => {
  expect(paths.length).toBeGreaterThan(150);
  expect(paths.filter((path) => descriptionKey(path) === undefined).map((path) => path.join('.'))).toEqual(
    [],
  );
  const used = new Set(paths.map(descriptionKey));
  expect(Object.keys(descriptions).filter((key) => !used.has(key))).toEqual([]);
});

test('docs/config.md holds the reference that the schema gives (UPDATE_DOCS=1 writes it)', () => {
  const file = 'docs/config.md';
  const mark = '<!-- reference -->\n';
  const text = readFileSync(file, 'utf8');
  const head = text.slice(0, text.indexOf(mark) + mark.length);
  const wanted = `${head}\n${configReference()}`;
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, wanted);
  expect(readFileSync(file, 'utf8')).toBe(wanted);
});

describe('JSON Schema', () => {
  const schema = jsonSchema();
  const readme = [...readFileSync('README.md', 'utf8').matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(
    ([, text = '']) => text,
  );
  const sound = [
    ...readme,
    ...presets.map((preset) => presetConfig(preset)),
    '[[destination]]\ntype = "kafka"\nbrokers = ["a:1"]\ntls = false\n',
    '[[destination]]\ntype = "module"\npath = "/x.mjs"\n[destination.settings]\nanything = [1, "a"]\n',
    '[retention]\nevents = 1000000\nclosed_alerts = "1.5d"\n',
    '[policy]\nurl = "https://x.example/p"\npublic_keys = []\n',
  ];
  const wrong = [
    '[log]\nlevel = "loud"\n',
    '[log]\nlevle = "info"\n',
    'nothing = 1\n',
    '[watch]\nmechanisms = "yes"\n',
    '[retention]\nevents = "many"\n',
    '[retention]\nclosed_alerts = "soon"\n',
    '[retention]\nclosed_alerts = 90\n',
    '[respond]\nper_hour = 5000\n',
    '[rules]\nfolders = "rules"\n',
    '[[destination]]\ntype = "file"\n',
    '[[destination]]\ntype = "nowhere"\n',
    '[[destination]]\ntype = "file"\npath = "a"\ntoken = "env:X"\n',
    '[[destination]]\ntype = "splunk"\nurl = "https://a"\ntoken = "abc"\n',
    '[[destination]]\ntype = "kafka"\nbrokers = []\n',
    '[policy]\npublic_key = "short"\n',
  ];

  test.each(sound)('takes what the program takes: %#', (text) => {
    const value = parse(text);
    expect(v.safeParse(configSchema, value).success).toBe(true);
    expect(schemaErrors(schema, value)).toEqual([]);
  });

  test.each(wrong)('refuses what the program refuses: %j', (text) => {
    const value = parse(text);
    expect(v.safeParse(configSchema, value).success).toBe(false);
    expect(schemaErrors(schema, value)).not.toEqual([]);
  });

  test('every default is one that it takes', () => {
    let defaults = 0;
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const one = node as Record<string, unknown>;
      if ('description' in one && 'default' in one) {
        defaults++;
        expect(schemaErrors(one, one['default']), String(one['description'])).toEqual([]);
      }
      for (const child of Object.values(one)) visit(child);
    };
    visit(schema);
    expect(defaults).toBeGreaterThan(50);
  });
});

test('the manifest of managed preferences is a property list with every key, its type and its default', () => {
  const read = readPlist(Buffer.from(plistText(profileManifest('1.2.3', new Date(0)))));
  if (!read.ok) throw new Error(read.detail);
  const top = read.value as Map<string, unknown>;
  expect([top.get('pfm_domain'), top.get('pfm_format_version'), top.get('pfm_version')]).toEqual([
    'com.launchwarden.agent',
    1,
    1,
  ]);
  const names: string[] = [];
  const visit = (list: unknown, prefix: string): void => {
    for (const one of list as Map<string, unknown>[]) {
      const name = (one.get('pfm_name') as string | undefined) ?? '';
      const path = name === '' ? prefix : `${prefix}${prefix === '' ? '' : '.'}${name}`;
      if (name !== '') names.push(path);
      expect(['string', 'integer', 'boolean', 'dictionary', 'array'], path).toContain(one.get('pfm_type'));
      if (one.has('pfm_subkeys')) visit(one.get('pfm_subkeys'), path);
    }
  };
  visit(top.get('pfm_subkeys'), '');
  const wanted = paths.map((path) =>
    path[0] === 'destination' && path.length > 1 ? ['destination', ...path.slice(2)] : path,
  );
  expect(wanted.map((path) => path.join('.')).filter((name) => !names.includes(name))).toEqual([]);
  expect(names).toContain('PayloadUUID');
});
