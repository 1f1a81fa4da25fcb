import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportedRules, loadRules, readRuleFile } from '../../../src/rules/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-foreign-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const put = (name: string, text: string) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
};

const sigma = 'title: T\nid: x\nlogsource:\n  product: macos\ndetection:\n  s:\n    a: b\n  condition: s\n';
const exported = {
  id: '1',
  rule_id: 'exported-1',
  name: 'Exported',
  type: 'eql',
  language: 'eql',
  query: 'file where file.path == "x\\"y"\nand true',
  severity: 'low',
  risk_score: 21,
  enabled: true,
  created_at: '2026-01-01T00:00:00Z',
  filters: [],
  note: null,
  threat: [{ framework: 'MITRE ATT&CK', tactic: { id: 'TA1', name: 't', reference: 'r' }, technique: [] }],
};

test('files of other kinds are named once each, with a way out; what is none of them is passed over', () => {
  put('a.yml', sigma);
  put('deep/b.yaml', `# comment\n${sigma}`);
  put('export.ndjson', `${JSON.stringify(exported)}\n{"exported_count":1}\n`);
  put('package.json', '{"name":"x"}');
  put('mkdocs.yml', 'site_name: x\n');
  put('events.ndjson', '{"@timestamp":"2026-01-01T00:00:00Z"}\n');
  const { rules, diagnostics, passedOver } = loadRules([folder]);
  expect([rules, diagnostics]).toEqual([[], []]);
  expect(passedOver.map(({ code, file }) => [code, path.relative(folder, file ?? '')])).toEqual([
    ['rules/sigma', 'a.yml'],
    ['rules/kibana-export', 'export.ndjson'],
  ]);
  expect(passedOver[0]?.message).toContain('as is another file here');
  expect(passedOver[0]?.hint).toContain('sigma convert');
  expect(passedOver[1]?.hint).toContain('rules import');
  expect(loadRules([path.join(folder, 'a.yml')]).passedOver).toHaveLength(1);
});

test('every kind of rule of an export becomes a rule file that reads', () => {
  const rules = [
    exported,
    { ...exported, rule_id: 'q', type: 'query', language: 'kuery', query: 'a: "b"' },
    {
      ...exported,
      rule_id: 't',
      type: 'threshold',
      language: 'kuery',
      query: 'a: b',
      threshold: { field: ['host.id'], value: 3, cardinality: [] },
    },
    {
      ...exported,
      rule_id: 'n',
      type: 'new_terms',
      language: 'kuery',
      query: 'a: b',
      new_terms_fields: ['a', 'b'],
      history_window_start: 'now-7d',
    },
    {
      ...exported,
      rule_id: 's',
      alert_suppression: {
        group_by: ['host.id'],
        duration: { value: 5, unit: 'm' },
        missing_fields_strategy: 'suppress',
      },
    },
    {
      ...exported,
      rule_id: 'f',
      filters: [{ meta: { negate: false, alias: null }, query: { match_phrase: { a: 'b' } } }],
    },
  ];
  const text = `${[...rules, { exported_count: 6 }, { list_id: 'l', type: 'detection' }].map((one) => JSON.stringify(one)).join('\n')}\n`;
  const found = exportedRules(text);
  expect(found?.map(({ name }) => name)).toEqual(['exported-1', 'q', 't', 'n', 's', 'f']);
  const read = found?.map(({ toml }) => readRuleFile(toml, 'x.toml')) ?? [];
  expect(read.flatMap((one) => ('diagnostics' in one ? one.diagnostics : []))).toEqual([]);
  const [first, , threshold, terms, suppressed] = read.map((one) => ('rule' in one ? one.rule : undefined));
  expect(first?.meta).toMatchObject({
    id: 'exported-1',
    name: 'Exported',
    query: exported.query,
    riskScore: 21,
  });
  expect(threshold?.threshold).toEqual({ fields: ['host.id'], value: 3 });
  expect(terms?.newTerms).toMatchObject({ fields: ['a', 'b'] });
  expect(suppressed?.suppression).toMatchObject({ fields: ['host.id'] });
});

test('one rule or a list of them as JSON is an export too; anything else is none', () => {
  expect(exportedRules(JSON.stringify(exported, null, 2))).toHaveLength(1);
  expect(exportedRules(JSON.stringify([exported, { ...exported, rule_id: 'b' }]))).toHaveLength(2);
  expect(exportedRules('not json')).toBeUndefined();
  expect(exportedRules('{"a":1}\n{"b":')).toBeUndefined();
  expect(exportedRules('{"a":1}\n{"b":2}')).toEqual([]);
});
