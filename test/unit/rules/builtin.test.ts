import { expect, test } from 'vitest';
import { parseTime } from '../../../src/base/time.js';
import { allFields } from '../../../src/event/fields.js';
import { supplyOf } from '../../../src/event/supply.js';
import {
  degradedReasons,
  loadBuiltinRules,
  parseEql,
  parseKql,
  planConditions,
  type Rule,
  type StepCondition,
  watchPatterns,
} from '../../../src/rules/index.js';
import { bare } from './trees.js';

const rules = loadBuiltinRules();

test('the built-in rules are compiled once', () => {
  expect(loadBuiltinRules()).toBe(rules);
});
const byName = (part: string) => rules.find(({ meta }) => meta.name.includes(part)) as Rule;
const launchAgent = byName('Launch agent written and loaded within');
const plugin = byName('DirectoryService');
const inferred = byName('written and its job found loaded');

/** The two source rules, word for word: the built-in ones that are made of them mean exactly the same. */
const sourceQueries = {
  launchAgent: `sequence by host.id with maxspan=1m
 [file where host.os.type == "macos" and event.type != "deletion" and
  file.path : ("/System/Library/LaunchAgents/*", "/Library/LaunchAgents/*", "/Users/*/Library/LaunchAgents/*")
 ]
 [process where host.os.type == "macos" and event.type in ("start", "process_started") and process.name == "launchctl" and process.args == "load"]`,
  plugin: `event.category:file and host.os.type:macos and not event.type:deletion and
  file.path:/Library/DirectoryServices/PlugIns/*.dsplug`,
};

test('the trees are those of the source queries', () => {
  expect(rules).toEqual(expect.arrayContaining([launchAgent, plugin, inferred]));
  expect({ query: bare(launchAgent.query) }).toEqual({
    query: bare((parseEql(sourceQueries.launchAgent) as { query: unknown }).query),
  });
  expect({ query: bare(plugin.query) }).toEqual({
    query: bare((parseKql(sourceQueries.plugin) as { query: unknown }).query),
  });
});

test('severity, schedule and MITRE ids are those of the source rules', () => {
  const facts = ({ meta }: Rule) => ({
    type: meta.type,
    severity: meta.severity,
    risk: meta.riskScore,
    schedule: [meta.interval, meta.from, meta.maxSignals],
    threat: meta.threat.map(({ tactic, technique }) => [
      tactic.id,
      ...technique.flatMap((one) => [one.id, ...(one.subtechnique ?? []).map(({ id }) => id)]),
    ]),
  });
  expect(facts(launchAgent)).toEqual({
    type: 'eql',
    severity: 'low',
    risk: 21,
    schedule: ['5m', 'now-9m', 100],
    threat: [
      ['TA0003', 'T1543', 'T1543.001'],
      ['TA0002', 'T1569', 'T1569.001'],
    ],
  });
  expect(facts(plugin)).toEqual({
    type: 'query',
    severity: 'medium',
    risk: 47,
    schedule: ['5m', 'now-9m', 100],
    threat: [['TA0003', 'T1547']],
  });
});

test.each(rules.map((rule) => [rule.meta.name, rule] as const))(
  '%s: ours, complete, without a warning',
  (_name, rule) => {
    const { meta } = rule;
    expect(rule.warnings).toBeUndefined();
    expect(meta.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([meta.license, ...meta.author]).toEqual(['Apache-2.0', 'launchwarden']);
    for (const one of meta.references) expect(one).toMatch(/^https:\/\//);
    expect(meta.file).toMatch(/^builtin\/[a-z-]+\.toml$/);
    expect(meta.tags).toEqual(expect.arrayContaining(['OS: macOS', expect.stringMatching(/^Tactic: ./)]));
    expect(meta.falsePositives.length).toBeGreaterThan(0);
    for (const words of ['alerts show', 'alerts note', 'alerts ack', 'alerts close', `rules show ${meta.id}`])
      expect(meta.note).toContain(`launchwarden ${words}`);
    expect(meta.setup).not.toBe('');
  },
);

test.each(rules.map((rule) => [rule.meta.name, rule] as const))(
  '%s: its tests hold both kinds of events, in known fields',
  (_name, rule) => {
    const tests = rule.launchwarden?.tests ?? [];
    expect(tests.some(({ matches }) => matches > 0)).toBe(true);
    expect(tests.some(({ matches }) => matches === 0)).toBe(true);
    const known = new Set(allFields().map(({ name }) => name));
    const leaves = (value: unknown, path: string): string[] =>
      Array.isArray(value) && value.some((one) => typeof one === 'object')
        ? value.flatMap((one) => leaves(one, path))
        : typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.entries(value).flatMap(([key, inner]) =>
              leaves(inner, path === '' ? key : `${path}.${key}`),
            )
          : [path];
    for (const event of tests.flatMap(({ events }) => events)) {
      expect(leaves(event, '').filter((name) => !known.has(name))).toEqual([]);
      expect(parseTime(event['@timestamp'])).toBeDefined();
    }
  },
);

/** Which job begins to serve a service, only the system itself tells. */
const served = '8ed90532-b7bb-4778-9d6c-208f66243412';

test('no tier of ours degrades them, but for what only EndpointSecurity tells', () => {
  const paths = watchPatterns(rules).patterns;
  for (const sensor of ['endpoint-security', 'eslogger', 'process-scan'] as const) {
    const supply = supplyOf([sensor, 'file-watch', 'launchd-state']);
    for (const rule of rules) {
      const needsSystem = sensor === 'process-scan' && rule.meta.id === served;
      expect([rule.meta.name, degradedReasons(rule, { supply, paths })]).toEqual([
        rule.meta.name,
        needsSystem ? ['the rule needs job_runs events, which no running sensor delivers'] : [],
      ]);
    }
  }
  const blind = degradedReasons(inferred, { supply: supplyOf(['process-scan', 'file-watch']), paths });
  expect(blind).toEqual(['step 3 needs loaded events, which no running sensor delivers']);
});

test('the conditions hold for the events of their tests, step by step', () => {
  const sources = [plugin, launchAgent];
  const conditions = sources.flatMap(({ query }): readonly StepCondition[] => {
    if (query.kind === 'sequence') return [...query.steps];
    return query.kind === 'kql' ? [{ category: null, condition: query.condition }] : [];
  });
  const set = planConditions(conditions);
  const hitsOf = (event: Record<string, unknown>) => {
    const hits: number[] = [];
    set.match(event, hits);
    return hits.sort();
  };
  const events = sources.map((rule) => (rule.launchwarden?.tests ?? []).map((one) => one.events.map(hitsOf)));
  // Condition 0 is the plug-in rule's, 1 and 2 are the steps of the launch agent rule.
  expect(events).toEqual([
    [[[0]], [[0]], [[]], [[], [], [], []]],
    [
      [[1], [2]],
      [[1], [2]],
      [[1], [2]],
      [[], [2]],
      [[2], [1], [2], []],
      [[], [2]],
    ],
  ]);
});
