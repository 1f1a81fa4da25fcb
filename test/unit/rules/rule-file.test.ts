import { describe, expect, test } from 'vitest';
import { type Diagnostic, type Rule, readRuleFile } from '../../../src/rules/index.js';

function read(text: string): Rule {
  const result = readRuleFile(text, 'rules/x.toml');
  if ('diagnostics' in result) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.rule;
}

function refused(text: string): readonly Diagnostic[] {
  const result = readRuleFile(text, 'rules/x.toml');
  return 'diagnostics' in result ? result.diagnostics : [];
}

const head = `[rule]
rule_id = "3d9b7f0c-4a7e-4c3e-8c8c-0d7c8f5f2a10"
name = "A rule"
severity = "high"
`;

test('the layout of detection-rules is carried whole', () => {
  const rule = read(`
[metadata]
creation_date = "2026/01/01"
maturity = "production"
integration = ["endpoint"]

[rule]
author = ["Someone", "Another"]
description = """
Two lines
of text.
"""
false_positives = ["Backups."]
from = "now-20m"
index = ["logs-endpoint.events.*"]
interval = "15m"
language = "eql"
license = "Elastic License v2"
max_signals = 33
name = "A rule"
note = """## Triage
Look."""
references = ["https://example.org/a"]
risk_score = 99
rule_id = "3d9b7f0c-4a7e-4c3e-8c8c-0d7c8f5f2a10"
setup = "Nothing."
severity = "critical"
tags = ["OS: macOS"]
timestamp_override = "event.ingested"
type = "eql"
version = 7
query = '''
process where process.name == "x"
'''

[[rule.threat]]
framework = "MITRE ATT&CK"
[[rule.threat.technique]]
id = "T1543"
name = "Create or Modify System Process"
reference = "https://attack.mitre.org/techniques/T1543/"
[[rule.threat.technique.subtechnique]]
id = "T1543.001"
name = "Launch Agent"
reference = "https://attack.mitre.org/techniques/T1543/001/"
[rule.threat.tactic]
id = "TA0003"
name = "Persistence"
reference = "https://attack.mitre.org/tactics/TA0003/"
`);
  expect(rule.meta).toEqual({
    id: '3d9b7f0c-4a7e-4c3e-8c8c-0d7c8f5f2a10',
    name: 'A rule',
    description: 'Two lines\nof text.',
    type: 'eql',
    language: 'eql',
    severity: 'critical',
    riskScore: 99,
    version: 7,
    author: ['Someone', 'Another'],
    license: 'Elastic License v2',
    tags: ['OS: macOS'],
    references: ['https://example.org/a'],
    falsePositives: ['Backups.'],
    threat: [
      {
        framework: 'MITRE ATT&CK',
        tactic: { id: 'TA0003', name: 'Persistence', reference: 'https://attack.mitre.org/tactics/TA0003/' },
        technique: [
          {
            id: 'T1543',
            name: 'Create or Modify System Process',
            reference: 'https://attack.mitre.org/techniques/T1543/',
            subtechnique: [
              {
                id: 'T1543.001',
                name: 'Launch Agent',
                reference: 'https://attack.mitre.org/techniques/T1543/001/',
              },
            ],
          },
        ],
      },
    ],
    note: '## Triage\nLook.',
    setup: 'Nothing.',
    interval: '15m',
    from: 'now-20m',
    maxSignals: 33,
    file: 'rules/x.toml',
    query: 'process where process.name == "x"',
  });
  expect(rule.query.kind).toBe('event');
  expect(rule.warnings).toBeUndefined();
});

test('what a file does not say has the defaults of the source', () => {
  const { meta } = read(`${head}type = "query"\nquery = 'a: b'\n`);
  expect(meta).toMatchObject({
    language: 'kuery',
    riskScore: 73,
    version: 1,
    interval: '5m',
    from: 'now-6m',
    maxSignals: 100,
    tags: [],
    threat: [],
    note: '',
  });
});

test('the layout of on-host rules', () => {
  const rule = read(`
[rule]
description = "On the host."
id = "71ebb1e8-0000-4843-bdd7-8ae992c7df93"
license = "Elastic License v2"
name = "On the host"
os_list = ["macos", "linux"]
reference = ["https://example.org"]
version = "1.2.34"
query = '''
persistence where event.action == "launch_daemon"
'''
min_endpoint_version = "8.11.0"
optional_actions = []
[[actions]]
action = "kill_process"
field = "process.entity_id"
state = 1

[[threat]]
framework = "MITRE ATT&CK"
[[threat.technique]]
id = "T1543"
name = "Create or Modify System Process"
reference = "https://attack.mitre.org/techniques/T1543/"
[threat.tactic]
id = "TA0003"
name = "Persistence"
reference = "https://attack.mitre.org/tactics/TA0003/"

[internal]
min_endpoint_version = "8.11.0"
`);
  expect(rule.meta).toMatchObject({
    id: '71ebb1e8-0000-4843-bdd7-8ae992c7df93',
    type: 'eql',
    language: 'eql',
    severity: 'medium',
    riskScore: 47,
    version: 10_234,
    references: ['https://example.org'],
    tags: ['OS: macOS', 'OS: Linux', 'Tactic: Persistence'],
  });
  expect(rule.meta.threat[0]?.technique[0]?.id).toBe('T1543');
});

describe('rule types', () => {
  test('threshold', () => {
    const rule = read(
      `${head}type = "threshold"\nquery = 'a: b'\n[rule.threshold]\nfield = ["host.id", "user.id"]\nvalue = 20\n`,
    );
    expect(rule.threshold).toEqual({ fields: ['host.id', 'user.id'], value: 20 });
  });

  test('threshold over everything: one field as a text, or an empty one', () => {
    const one = (field: string) =>
      read(`${head}type = "threshold"\nquery = 'a: b'\n[rule.threshold]\nfield = ${field}\nvalue = 1\n`)
        .threshold;
    expect(one('"host.id"')).toEqual({ fields: ['host.id'], value: 1 });
    expect(one('[]')).toEqual({ fields: [], value: 1 });
    expect(one('""')).toEqual({ fields: [], value: 1 });
  });

  test('new_terms', () => {
    const rule = read(`${head}type = "new_terms"\nquery = 'a: b'
[rule.new_terms]
field = "new_terms_fields"
value = ["host.id", "file.path"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
`);
    expect(rule.newTerms).toEqual({ fields: ['host.id', 'file.path'], historyWindow: 7 * 86_400e6 });
  });

  test.each([
    ['type = "esql"\nlanguage = "esql"', 'rule/unsupported-type', 4],
    ['type = "machine_learning"\nmachine_learning_job_id = "x"', 'rule/unsupported-type', 4],
    ['type = "threat_match"\nlanguage = "kuery"', 'rule/unsupported-type', 4],
    ['type = "saved_query"', 'rule/unsupported-type', 4],
    ['type = "query"\nlanguage = "lucene"', 'rule/unsupported-language', 5],
    ['type = "query"\nlanguage = "kuery"\nfilters = [{ a = 1 }]', 'rule/unsupported-filters', 6],
    ['type = "eql"\nos_list = ["linux"]', 'rule/other-system', 5],
  ])('%s is not supported on an endpoint', (lines, code, line) => {
    // The query is not even looked at.
    const found = refused(`${head}${lines}\nquery = 'from x | where'\n`);
    expect(found.map((one) => [one.code, one.line])).toEqual([[code, line + 1]]);
    expect(found[0]?.file).toBe('rules/x.toml');
  });
});

describe('our own table', () => {
  test('enabled and tests', () => {
    const rule = read(`${head}type = "eql"\nquery = 'any where true'
[rule.launchwarden]
enabled = false
[[rule.launchwarden.test]]
name = "one"
matches = 2
events = [
  { "@timestamp" = 2026-01-02T03:04:05Z, event.category = ["file"], process.pid = 7, a.b.c = true },
]
`);
    expect(rule.launchwarden).toEqual({
      enabled: false,
      tests: [
        {
          name: 'one',
          matches: 2,
          events: [
            {
              '@timestamp': '2026-01-02T03:04:05.000Z',
              event: { category: ['file'] },
              process: { pid: 7 },
              a: { b: { c: true } },
            },
          ],
        },
      ],
    });
  });

  test('a slip in it is an error, in the rest of the file a warning', () => {
    const own = refused(
      `${head}type = "eql"\nquery = 'any where true'\n[rule.launchwarden]\nenabld = true\n`,
    );
    expect(own.map(({ code, hint }) => [code, hint])).toEqual([
      ['rule/unknown-key', 'Did you mean "enabled"?'],
    ]);
    const rule = read(
      `${head}type = "eql"\nquery = 'any where true'\nfalse_positive = []\nsomething_new = 1\n`,
    );
    expect(rule.warnings?.map(({ code, line }) => [code, line])).toEqual([['rule/unknown-key', 7]]);
  });
});

describe('diagnostics of the query stand at their place in the file', () => {
  const place = (query: string) => {
    const [first] = refused(`${head}type = "eql"\nquery = ${query}\n`);
    return [first?.line, first?.column];
  };
  test.each([
    ["'any where ='", [6, 20]],
    ['"any where ="', [6, 20]],
    ["'''any where ='''", [6, 22]],
    ["'''\nany where =\n'''", [7, 11]],
    ["'''\r\nany where\r\n  =\r\n'''", [8, 3]],
    ['"""\nany where \\\n     =\n"""', [8, 6]],
    ['"any where a == \\"\\u00e4\\" ="', [6, 36]],
    ['"""any where a == "\\U0001F600" ="""', [6, 40]],
    ['"any where a == \'x"', [6, 25]],
    ["'''any where a == 'x''''", [6, 27]],
  ])('%s', (query, expected) => expect(place(query)).toEqual(expected));

  test('a key in quotes, comments and a lookalike before it', () => {
    const text = `[metadata]\nquery = 'any where =' # query = 'x'\n[ "rule" ] # [rule.query]
rule_id = "x"\nname = """\nquery = 'any where ='\n"""\ntype = "eql"\nseverity = "low"\n"query" = 'any where a ='\n`;
    const [first] = refused(text);
    expect([first?.line, first?.column]).toEqual([10, 24]);
  });

  test('a query in a dotted key or an inline table is placed like any other', () => {
    const [dotted] = refused(
      `rule.rule_id = "x"\nrule.name = "n"\nrule.type = "eql"\nrule.severity = "low"\nrule.query = 'any ='\n`,
    );
    expect([dotted?.line, dotted?.column]).toEqual([5, 19]);
    const [inline] = refused(
      `rule = { rule_id = "x", name = "n", type = "eql", severity = "low", query = 'any =' }\n`,
    );
    expect([inline?.line, inline?.column, inline?.code]).toEqual([1, 82, 'eql/syntax']);
  });
});

test('every problem of a file is told, in its order', () => {
  const found = refused(
    `[rule]\nname = 5\ntype = "eqll"\nrisk_score = "x"\nquery = 'any ='\nmax_signals = 0\n`,
  );
  expect(found.map(({ code, line }) => [line, code])).toEqual([
    [1, 'rule/missing'],
    [1, 'rule/missing'],
    [2, 'rule/type'],
    [3, 'rule/value'],
    [4, 'rule/type'],
    [5, 'eql/syntax'],
    [6, 'rule/type'],
  ]);
});

test.each([
  ['', 'rule/missing'],
  ['[metadata]\n', 'rule/missing'],
  ['rule = 5\n', 'rule/type'],
  ['[rule\n', 'rule/toml'],
  ['\u0000', 'rule/toml'],
])('%j is no rule file', (text, code) => {
  expect(refused(text).map((one) => one.code)).toEqual([code]);
});

describe('our own keys', () => {
  const pair = 'sequence with maxspan=1d [file where true] by host.id [process where true] by host.id';
  const ruleWith = (own: string, query = pair) =>
    `${head}risk_score = 21\ntype = "eql"\nlanguage = "eql"\nquery = '''${query}'''\n[rule.launchwarden]\n${own}\n`;

  test('are read', () => {
    expect(
      read(ruleWith('linked = true\nnews = "content"\ndeferred_after = "10m"')).launchwarden,
    ).toMatchObject({ linked: true, news: 'content', deferred: { after: 600_000_000 } });
  });

  test.each([
    ['news = "inode"', pair, /news is "file" or "content"/],
    ['deferred_after = "soon"', pair, /deferred_after is a duration/],
    ['deferred_after = "1m"', 'process where true', /a sequence of two events with maxspan/],
    [
      'deferred_after = "1m"',
      'sequence [file where true] [process where true]',
      /a sequence of two events with maxspan/,
    ],
  ])('%s for %s is refused', (own, query, message) => {
    expect(refused(ruleWith(own, query)).at(-1)?.message).toMatch(message);
  });
});
