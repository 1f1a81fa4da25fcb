import { describe, expect, test } from 'vitest';
import { planConditions, type Rule, readRuleFile, type StepCondition } from '../../../src/rules/index.js';

const head = (extra: string, query = "query = '''file where file.path like \"/a/*\"'''") =>
  `[rule]\nrule_id = "a"\nname = "n"\ntype = "eql"\nlanguage = "eql"\nseverity = "low"\n${query}\n${extra}\n`;

function read(extra: string, query?: string): Rule {
  const result = readRuleFile(head(extra, query), 'test.toml');
  if ('diagnostics' in result) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.rule;
}

function codes(extra: string): readonly string[] {
  const result = readRuleFile(head(extra), 'test.toml');
  return 'diagnostics' in result ? result.diagnostics.map(({ code }) => code) : [];
}

const ignored = ({ warnings = [] }: Rule) =>
  warnings.filter(({ code }) => code === 'rule/ignored-key').map(({ message }) => message);

/** Which of the documents meet the only condition of the rule. */
function met({ query }: Rule, docs: readonly object[]): number[] {
  const condition = (
    query.kind === 'kql' ? { category: null, condition: query.condition } : query
  ) as StepCondition;
  const set = planConditions([condition]);
  return docs.flatMap((doc, index) => {
    const hits: number[] = [];
    set.match(doc, hits);
    return hits.length > 0 ? [index] : [];
  });
}

describe('what is not done is said, with what follows from it', () => {
  test.each([
    ['exceptions_list', '[[rule.exceptions_list]]\nid = "e"\nlist_id = "l"'],
    ['response_actions', '[[rule.response_actions]]\naction_type_id = ".endpoint"'],
    ['actions', '[[rule.actions]]\nid = "mail"'],
    ['building_block_type', 'building_block_type = "default"'],
    ['timestamp_override', 'timestamp_override = "my.time"'],
    ['timestamp_field', 'timestamp_field = "my.time"'],
    ['tiebreaker_field', 'tiebreaker_field = "my.number"'],
    ['data_view_id', 'data_view_id = "security-solution"'],
    ['index', 'index = ["logs-okta*", "-logs-endpoint.events.*"]'],
    ['severity_mapping', '[[rule.severity_mapping]]\nfield = "f"\nseverity = "high"'],
    ['risk_score_mapping', '[[rule.risk_score_mapping]]\nfield = "f"'],
    ['rule_name_override', 'rule_name_override = "file.name"'],
  ])('%s', (key, extra) => {
    const [message, ...more] = ignored(read(extra));
    expect(message).toMatch(new RegExp(`^rule\\.${key} is not done here: .{20}`));
    expect(more).toEqual([]);
  });

  test('what asks for nothing, or for what is done, is no warning', () => {
    const extra = [
      'exceptions_list = []\nactions = []\nresponse_actions = []\nseverity_mapping = []\nenabled = true',
      'timestamp_override = "event.ingested"\ntimestamp_field = "@timestamp"\ntiebreaker_field = "event.sequence"',
      'index = ["auditbeat-*", "logs-endpoint.events.file*"]\nrule_name_override = ""\nto = "now"',
      '[rule.meta]\nfrom = "1m"',
    ];
    expect(read(extra.join('\n')).warnings).toBeUndefined();
    for (const index of [
      'logs-*',
      '*',
      'logs-endpoint.events.process-*',
      'remote:logs-endpoint.*',
      'logs-launchwarden*',
    ])
      expect(ignored(read(`index = ["${index}"]`))).toEqual([]);
  });
});

test('enabled = false is off, and stays so beside our own table', () => {
  expect(read('enabled = false')).toMatchObject({ off: true, launchwarden: { enabled: false } });
  expect(read('enabled = false\n[rule.launchwarden]\nenabled = true')).toMatchObject({
    launchwarden: { enabled: false },
  });
  expect(read('enabled = true').launchwarden).toBeUndefined();
});

test('building blocks carry their mark', () => {
  expect(read('building_block_type = "default"').meta.buildingBlock).toBe('default');
});

test('another field can stand for the category', () => {
  const rule = read(
    'event_category_override = "event.action"',
    "query = '''modification where file.size > 1'''",
  );
  expect(
    met(rule, [
      { event: { action: 'modification', category: ['file'] }, file: { size: 2 } },
      { event: { action: 'rename', category: ['modification'] }, file: { size: 2 } },
      { event: { action: 'modification' }, file: { size: 1 } },
    ]),
  ).toEqual([0]);
  expect(codes(`event_category_override = "${Array(30).fill('a').join('.')}"`)).toEqual(['rule/value']);
});

test('alert suppression', () => {
  const table = '[rule.alert_suppression]\ngroup_by = ["host.id"]';
  expect(read(table).suppression).toEqual({ fields: ['host.id'], missing: 'together' });
  expect(
    read(
      `${table}\nmissing_fields_strategy = "doNotSuppress"\n[rule.alert_suppression.duration]\nvalue = 2\nunit = "h"`,
    ).suppression,
  ).toEqual({ fields: ['host.id'], duration: 7_200_000_000, missing: 'apart' });
  expect(codes('[rule.alert_suppression]\ngroup_by = []')).toEqual(['rule/missing']);
  expect(codes(`${table}\n[rule.alert_suppression.duration]\nvalue = 2\nunit = "d"`)).toEqual(['rule/value']);
});

describe('Kibana filters', () => {
  const docs = [
    { file: { path: '/a/x', name: 'x', size: 5 } },
    { file: { path: '/a/Y', name: 'Y', size: 50 }, user: { name: 'root' } },
    { file: { path: '/b/x', name: 'x', size: 50 } },
    { file: { path: '/a/z', name: 'z' }, user: { name: 'alice' } },
  ].map((doc) => ({ event: { category: ['file'] }, ...doc }));
  test.each([
    ['a phrase', '{ query = { match_phrase = { "file.name" = "x" } } }', [0]],
    [
      'a negated phrase',
      '{ meta = { negate = true }, query = { match_phrase = { "user.name" = "root" } } }',
      [0, 3],
    ],
    [
      'a disabled one',
      '{ meta = { disabled = true }, query = { match_phrase = { "user.name" = "none" } } }',
      [0, 1, 3],
    ],
    ['existence', '{ query = { exists = { field = "user.name" } } }', [1, 3]],
    ['existence as it was of old', '{ exists = { field = "user.name" }, meta = { negate = true } }', [0]],
    ['a range', '{ query = { range = { "file.size" = { gte = 5, lt = 50 } } } }', [0]],
    [
      'a term without case',
      '{ query = { term = { "file.name" = { value = "y", case_insensitive = true } } } }',
      [1],
    ],
    ['terms', '{ query = { terms = { "file.name" = ["x", "z"] } } }', [0, 3]],
    [
      'a wildcard',
      '{ query = { wildcard = { "file.path" = { value = "*/y", case_insensitive = true } } } }',
      [1],
    ],
    ['a prefix', '{ query = { prefix = { "file.path" = "/a/x" } } }', [0]],
    [
      'alternatives',
      '{ query = { bool = { should = [{ match_phrase = { "file.name" = "x" } }, { match_phrase = { "file.name" = "z" } }], minimum_should_match = 1 } } }',
      [0, 3],
    ],
    [
      'combinations',
      '{ query = { bool = { filter = [{ exists = { field = "user.name" } }], must_not = [{ term = { "user.name" = "root" } }] } } }',
      [3],
    ],
    ['everything', '{ query = { match_all = {} } }', [0, 1, 3]],
  ])('%s', (_, filter, matches) => {
    expect(met(read(`filters = [${filter}]`), docs)).toEqual(matches);
  });

  test('several hold together, in every step of a sequence', () => {
    const filters =
      'filters = [{ query = { exists = { field = "user.name" } } }, { query = { term = { "file.name" = "z" } } }]';
    expect(met(read(filters), docs)).toEqual([3]);
    const sequence = read(
      filters,
      "query = '''sequence with maxspan=1m [file where true] ![any where true] [file where true]'''",
    );
    const { steps } = sequence.query as unknown as { steps: StepCondition[] };
    for (const step of steps) {
      const hits: number[] = [];
      planConditions([step]).match(docs[0], hits);
      planConditions([step]).match(docs[3], hits);
      expect(hits).toEqual([0]);
    }
  });

  test.each([
    '{ query = { query_string = { query = "a:b" } } }',
    '{ query = { script = { source = "1" } } }',
    '{ query = { range = { "file.mtime" = { gte = "1", format = "epoch_second" } } } }',
    '{ query = { wildcard = { "a" = "x\\\\*" } } }',
    '{ query = { bool = { should = [{ exists = { field = "a" } }], minimum_should_match = 2 } } }',
    '{ query = { match_phrase = { a = "x", b = "y" } } }',
    '"text"',
  ])('%s is refused', (filter) => {
    expect(codes(`filters = [${filter}]`)).toEqual(['rule/unsupported-filters']);
  });
});
