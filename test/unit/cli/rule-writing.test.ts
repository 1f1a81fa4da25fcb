import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

// On a machine that has much else to do.
vi.setConfig({ testTimeout: 60_000 });

const at = (seconds: number) => `2026-01-31T12:00:${String(seconds).padStart(2, '0')}Z`;
const file = (seconds: number, more = '') =>
  `{ "@timestamp" = "${at(seconds)}", event.category = ["file"], event.type = ["change"], event.action = "modification", file.path = "/Library/LaunchDaemons/x.plist", host.id = "mac-1"${more} }`;
const load = (seconds: number, host = 'mac-1') =>
  `{ "@timestamp" = "${at(seconds)}", event.category = ["process"], event.type = ["start"], event.action = "exec", process.name = "launchctl", host.id = "${host}" }`;

const sequence = `sequence by host.id with maxspan=10s
  [file where file.path : "/Library/LaunchDaemons/*"]
  [process where process.name == "launchctl" and event.type == "start"]`;

function rule(query: string, events: readonly string[], matches = 1, more = ''): string {
  return `[metadata]
maturity = "production"
[rule]
rule_id = "11111111-1111-4111-8111-111111111111"
name = "Mine"
description = "d"
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
${more}
query = '''
${query}
'''
[[rule.launchwarden.test]]
name = "t"
matches = ${matches}
events = [${events.map((one) => `\n  ${one},`).join('')}
]
`;
}

test.each([
  [
    'a step that no event satisfies',
    sequence,
    [file(0)],
    1,
    /no event satisfies step 2; event 1 comes nearest and fails\n.*(the category|process\.name)/,
  ],
  [
    'the keys',
    sequence,
    [file(0), load(1, 'mac-2')],
    1,
    /the keys differ: host\.id of event 1 \(step 1\) is "mac-1", host\.id of event 2 \(step 2\) is "mac-2"/,
  ],
  [
    'the times',
    sequence,
    [file(0), load(30)],
    1,
    /too far apart: event 1 \(step 1\) is of 2026-01-31T12:00:00\.000000Z, event 2 \(step 2\) of .*, 30s; maxspan is 10s/,
  ],
  ['the order', sequence, [load(0), file(5)], 1, /the order is wrong: event 2 \(step 1\) is of /],
  [
    'a predicate',
    'file where file.path : "/tmp/*"',
    [file(0)],
    1,
    /fails\n +file\.path : "\/tmp\/\*" \(file\.path is "\/Library/,
  ],
  ['too many', sequence, [file(0), load(1)], 0, /1 alert, expected 0\n +an alert of event 1, event 2/],
])('rules test says what kept it from matching: %s', async (_what, query, events, matches, says) => {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 'mine.toml'), rule(query, events, matches));
  const { code, stdout } = await cli(['rules', 'test', 'mine.toml'], { cwd: folder });
  expect(code).toBe(1);
  expect(stdout).toMatch(says);
});

test('explain takes a rule file and a file of events', async () => {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 'mine.toml'), rule(sequence, []));
  const event = (category: string, second: number, more: object) =>
    JSON.stringify({
      '@timestamp': at(second),
      event: { category: [category], type: ['start'] },
      host: { id: 'm' },
      ...more,
    });
  const events = [
    event('file', 0, { file: { path: '/Library/LaunchDaemons/x' } }),
    event('process', 20, { process: { name: 'launchctl' } }),
  ];
  writeFileSync(path.join(folder, 'events.ndjson'), events.join('\n'));
  const argv = ['rules', 'explain', './mine.toml', './events.ndjson'];
  const { code, stdout } = await cli(argv, { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^0 alerts of 2 events\n {2}step 1: event 1\n {2}step 2: event 2\n {2}too far apart/,
  );
  expect(documents((await cli([...argv, '--json'], { cwd: folder })).stdout)).toMatchObject([
    { alerts: 0, events: 2, steps: [{ events: [1] }, { events: [2] }], reasons: [expect.any(String)] },
  ]);
  writeFileSync(path.join(folder, 'bad.toml'), '[rule\n');
  expect((await cli(['rules', 'explain', './bad.toml', './events.ndjson'], { cwd: folder })).code).toBe(2);
});

test.each([['file'], ['process']])(
  'rules new writes a rule about a %s that compiles and passes',
  async (about) => {
    const folder = tempFolder();
    const made = await cli(['rules', 'new', 'my-rule.toml', '--about', about], { cwd: folder });
    expect(made.code).toBe(0);
    expect((await cli(['rules', 'check', '--strict', 'my-rule.toml'], { cwd: folder })).code).toBe(0);
    expect((await cli(['rules', 'test', 'my-rule.toml'], { cwd: folder })).stdout).toContain(
      '2 passed, 0 failed',
    );
    const before = readFileSync(path.join(folder, 'my-rule.toml'), 'utf8');
    expect((await cli(['rules', 'new', 'my-rule.toml'], { cwd: folder })).stderr).toContain(
      'is there already',
    );
    expect(readFileSync(path.join(folder, 'my-rule.toml'), 'utf8')).toBe(before);
  },
);

test('rules fields lists names, types and who fills them', async () => {
  const { code, stdout } = await cli(['rules', 'fields', 'signing_id']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^FIELD +TYPE +MEANING +FILLED BY\n/);
  expect(stdout).toMatch(/\nprocess\.code_signature\.signing_id +keyword /);
  expect(await cli(['rules', 'fields', 'process.exectable'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('the nearest is process.executable'),
  });
});

test.each([
  ['file where event.action == "creation" and file.path == "/a"', 'event.type "creation" tells it'],
  ['process where event.type == "strat"', 'Did you mean "start"?'],
  ['process where process.name == "a" and process.name == "b"', 'it cannot be two at once'],
])('a rule that can never match is said, and fails with --strict: %s', async (query, says) => {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 'mine.toml'), rule(query, []));
  const { code, stdout } = await cli(['rules', 'check', 'mine.toml'], { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^never {3}mine\.toml|^never {3}.*mine\.toml/);
  expect(stdout).toContain(says);
  expect((await cli(['rules', 'check', '--strict', 'mine.toml'], { cwd: folder })).code).toBe(1);
});

test.each([
  ['process where process.pid == "12"', 'Write 12 without quotes.'],
  ['process where process.name == "launch*"', 'takes the * literally'],
])('a slip is warned of: %s', async (query, says) => {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 'mine.toml'), rule(query, []));
  expect((await cli(['rules', 'check', 'mine.toml'], { cwd: folder })).stdout).toContain(says);
});

test('import shows what it would change in a rule that is there, and writes over it with --force; remove takes it away', async () => {
  const folder = tempFolder();
  const source = path.join(folder, 'source');
  mkdirSync(source);
  writeFileSync(path.join(folder, 'c.toml'), '');
  const put = (text: string) => writeFileSync(path.join(source, 'mine.toml'), text);
  const run = (...argv: string[]) => cli(['rules', ...argv, '--config', 'c.toml'], { cwd: folder });
  put(rule(sequence, []));
  expect((await run('import', 'source')).stdout).toMatch(
    /^on +new +Mine .*\n1 new, 0 changed, 0 the same; 0 left/,
  );
  expect((await run('import', 'source')).stdout).toMatch(/^on +same +Mine .*\n0 new, 0 changed, 1 the same/);
  put(rule(sequence, []).replace('risk_score = 21', 'risk_score = 73'));
  const left = await run('import', 'source');
  expect(left.code).toBe(1);
  expect(left.stdout).toMatch(
    /^on +left +Mine .*\n +would change: riskScore 21 -> 73\n.*1 left as it is \(--force writes over it/,
  );
  const target = path.join(folder, 'rules/mine.toml');
  expect(readFileSync(target, 'utf8')).toContain('risk_score = 21');
  expect((await run('import', 'source', '--force')).code).toBe(0);
  expect(readFileSync(target, 'utf8')).toContain('risk_score = 73');
  expect(await run('remove', 'Mine')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('Nothing was removed'),
  });
  expect((await run('remove', '1111')).stderr).toContain('is short for a change');
  expect((await run('remove', 'Mine', '--yes')).code).toBe(0);
  expect(existsSync(target)).toBe(false);
  expect((await run('remove', 'Login item added or changed', '--yes')).stderr).toContain(
    'comes with the program',
  );
});
