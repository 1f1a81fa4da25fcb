import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { openStore } from '../../../src/store/index.js';
import { fc } from '../../helpers/property.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { event } from './alert-fixture.js';

interface Sketch {
  readonly at: string;
  readonly name?: string;
  readonly path?: string;
  readonly host?: unknown;
}

const start = Date.UTC(2026, 10, 22, 9);

/** A process start with `name`, a file change with `path`; `at` is seconds after nine. */
function line({ at, name, path: file, host = 'm1' }: Sketch): string {
  return JSON.stringify({
    '@timestamp': new Date(start + Number(at) * 1000).toISOString(),
    event:
      name === undefined
        ? { category: ['file'], type: ['change'], action: 'modification' }
        : { category: ['process'], type: ['start'], action: 'exec' },
    host: { id: host, os: { type: 'macos' } },
    ...(name === undefined ? {} : { process: { name, args: [name, 'load', file ?? '/x.plist'] } }),
    ...(file === undefined ? {} : { file: { path: file } }),
  });
}

function captured(lines: readonly string[]): string {
  const file = path.join(tempFolder(), 'events.ndjson');
  writeFileSync(file, lines.join('\n'));
  return file;
}

const sequence =
  'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]';

async function matches(query: string, input: string, ...more: string[]): Promise<string[]> {
  const { code, stdout } = await cli(['hunt', '--query', query, '--input', input, '--json', ...more]);
  expect(code).toBe(0);
  return stdout === '' ? [] : stdout.trimEnd().split('\n');
}

describe('hunt over a file', () => {
  test('prints exactly events and join keys; blank lines and lines without an event are counted', async () => {
    const file = captured([
      line({ at: '0', path: '/a' }),
      '',
      'junk',
      line({ at: '1', name: 'launchctl' }),
      '',
    ]);
    expect(await matches(sequence, file)).toEqual(['{"events":[0,3],"join_keys":["m1"]}']);
    expect((await cli(['hunt', '--query', sequence, '--input', file])).stderr).toBe(
      'launchwarden: 1 line held no event, the first is line 3: expected one JSON object a line\n',
    );
  });

  test('join keys keep their type, a missing step is null', async () => {
    const numbers = captured([
      line({ at: '0', path: '/a', host: 7 }),
      line({ at: '1', name: 'launchctl', host: 7 }),
    ]);
    expect(await matches(sequence, numbers)).toEqual(['{"events":[0,1],"join_keys":[7]}']);
    const query = 'sequence with maxspan=10s [file where true] ![process where true] [file where true]';
    const file = captured([line({ at: '0', path: '/a' }), line({ at: '1', path: '/b' })]);
    expect(await matches(query, file)).toEqual(['{"events":[0,null,1],"join_keys":[]}']);
  });

  test('lines in whatever order give the same matches', async () => {
    const lines = Array.from({ length: 40 }, (_, index) =>
      line(
        index % 2 === 0
          ? { at: `${index * 30}`, path: `/f${index}` }
          : { at: `${index * 30 - 5}`, name: 'launchctl' },
      ),
    );
    const expected = (await matches(sequence, captured(lines))).map(
      (text) => JSON.parse(text) as { events: number[] },
    );
    expect(expected).toHaveLength(20);
    const order = fc.shuffledSubarray([...lines.keys()], {
      minLength: lines.length,
      maxLength: lines.length,
    });
    await fc.assert(
      fc.asyncProperty(order, async (places) => {
        const found = await matches(sequence, captured(places.map((place) => lines[place]!)));
        const back = found.map((text) =>
          (JSON.parse(text) as { events: number[] }).events.map((at) => places[at]),
        );
        expect(back).toEqual(expected.map(({ events }) => events));
      }),
      { numRuns: 20 },
    );
  });

  test('KQL, a query file, standard input and head', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'q.kql'), 'file.path: *.plist\n');
    const events = [
      line({ at: '0', path: '/a.plist' }),
      line({ at: '1', path: '/b.txt' }),
      line({ at: '2', path: '/c.plist' }),
    ];
    writeFileSync(path.join(folder, 'e'), events.join('\n'));
    const argv = ['hunt', '--json', '--language', 'kql', '--query-file', 'q.kql', '--input'];
    const fromFile = await cli([...argv, 'e'], { cwd: folder });
    expect(fromFile.stdout).toBe('{"events":[0],"join_keys":[]}\n{"events":[2],"join_keys":[]}\n');
    const fromInput = await cli([...argv, '-'], { cwd: folder, stdin: events.join('\n') });
    expect(fromInput.stdout).toBe(fromFile.stdout);
    expect(await matches('file where true | head 2', path.join(folder, 'e'))).toHaveLength(2);
  });

  test('for people: what matched, escaped', async () => {
    const file = captured([line({ at: '0', path: '/a\u001b[2J' }), line({ at: '1', name: 'launchctl' })]);
    const { stdout } = await cli(['hunt', '--query', sequence, '--input', file]);
    expect(stdout).toBe(
      'match 1: events 0, 1, joined by ["m1"]\n' +
        '  1  2026-11-22 09:00:00.000000Z · file modification\n     /a\\x1b[2J\n' +
        '  2  2026-11-22 09:00:01.000000Z · process exec\n     launchctl load /x.plist\n',
    );
    const none = await cli(['hunt', '--query', 'dns where true', '--input', file]);
    expect(none).toMatchObject({
      code: 0,
      stdout: 'No matches in 2 events from 2026-11-22T09:00:00Z to 2026-11-22T09:00:01Z.\n',
    });
  });
});

describe('a query that cannot be used ends with 2', () => {
  const input = () => captured([line({ at: '0', path: '/a' })]);

  test('a syntax error has line, column and a caret', async () => {
    const { code, stdout, stderr } = await cli([
      'hunt',
      '--query',
      'process where\n  a ==',
      '--input',
      input(),
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^launchwarden: query:2:7: .* \[eql\/[a-z]+\]\n {2} *a ==\n {2} *\^\n/);
  });

  test('in JSON, with the file it stands in', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'q.eql'), 'process where (');
    const argv = ['hunt', '--query-file', 'q.eql', '--input', input(), '--json'];
    const { code, stderr } = await cli(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(documents(stderr)).toMatchObject([
      { schema: 'launchwarden.error/1', file: path.join(folder, 'q.eql'), line: 1, exit_code: 2 },
    ]);
  });

  test.each([
    [[], 'hunt/no-query'],
    [['--query', 'any where true', '--query-file', 'x'], 'hunt/no-query'],
    [['--query-file', '/nowhere'], 'hunt/unreadable'],
    [['--query-file', '/'], 'hunt/unreadable'],
    [['--query-file', '/dev/zero'], 'hunt/unreadable'],
    [['--query', 'any where true', '--input', '/nowhere'], 'capture/unreadable'],
    [['--query', 'any where true', '--language', 'sql'], 'cli/invalid-value'],
  ])('%j', async (argv, code) => {
    const run = await cli(['hunt', ...argv]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(`[${code}]`);
  });
});

test('a field that nobody knows is told, since it would look like a hunt without a match', async () => {
  const input = captured([line({ at: '0', path: '/a' })]);
  const run = await cli(['hunt', '--query', 'process where proccess.name == "x"', '--input', input]);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('No matches in 1 event');
  expect(run.stderr).toMatch(/^query:1:15: warning: .*proccess\.name.*\n.*\n.*\n.*process\.name/);
});

test('hunt over stored events prints their ids, within the time asked for', async () => {
  const dataDir = path.join(tempFolder(), 'data');
  const store = openStore({ dataDir, clock: systemClock });
  const file = { event: { category: ['file'], type: ['change'] }, host: { id: 'm1' } };
  const process = {
    event: { category: ['process'], type: ['start'] },
    host: { id: 'm1' },
    process: { name: 'launchctl' },
  };
  store.events.append([
    event('f1', '2026-11-22T09:00:00.000000Z', file),
    event('p1', '2026-11-22T09:00:10.000000Z', process),
    event('f2', '2026-11-22T10:00:00.000000Z', file),
    event('p2', '2026-11-22T10:00:10.000000Z', process),
  ]);
  store.close();
  const argv = ['hunt', '--query', sequence, '--json', '--data-dir', dataDir];
  expect((await cli(argv)).stdout).toBe(
    '{"events":["f1","p1"],"join_keys":["m1"]}\n{"events":["f2","p2"],"join_keys":["m1"]}\n',
  );
  const later = await cli([...argv, '--since', '2026-11-22T09:30:00Z']);
  expect(later.stdout).toBe('{"events":["f2","p2"],"join_keys":["m1"]}\n');
});

describe('replay', () => {
  const plist = '/Users/alice/Library/LaunchAgents/x.plist';
  const attack = [
    line({ at: '0', path: plist }),
    line({ at: '3', name: 'launchctl' }),
    line({ at: '400', path: '/Library/DirectoryServices/PlugIns/e.dsplug' }),
  ];

  test('prints the alerts of the built-in rules, the same bytes each time and in any order of the lines', async () => {
    const run = async (lines: readonly string[]) => {
      const { code, stdout } = await cli(['replay', '--json', '--input', captured(lines)]);
      expect(code).toBe(0);
      return stdout;
    };
    const first = await run(attack);
    // The companions have more to say.
    const sources = [
      ['launchwarden.alert/1', 'Launch agent written and loaded within a minute', 'low', 21],
      ['launchwarden.alert/1', 'DirectoryService plug-in created or changed', 'medium', 47],
    ];
    const names = sources.map(([, name]) => name);
    expect(
      documents(first)
        .filter(({ rule_name }) => names.includes(rule_name as string))
        .map(({ schema, rule_name, severity, risk_score }) => [schema, rule_name, severity, risk_score]),
    ).toEqual(sources);
    expect(await run(attack)).toBe(first);
    expect(await run([...attack].reverse())).toBe(first);
  });

  test('events of one moment do not depend on the order of their lines', async () => {
    const tied = [
      line({ at: '0', path: plist }),
      line({ at: '0', path: `${plist}2.plist` }),
      line({ at: '0', name: 'launchctl' }),
    ];
    const outputs = new Set<string>();
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const { stdout } = await cli(['replay', '--json', '--input', captured(order.map((at) => tied[at]!))]);
      outputs.add(stdout);
    }
    expect(outputs.size).toBe(1);
  });

  test('as a table, and with rules of a folder alone', async () => {
    const file = captured(attack);
    const { stdout } = await cli(['replay', '--input', file]);
    expect(stdout).toMatch(/low +open +Launch agent written and loaded.*x\.plist\n/);
    expect(stdout).toMatch(/medium +open +DirectoryService plug-in created.*e\.dsplug\n/);
    const folder = tempFolder();
    const none = await cli(['replay', '--input', file, '--rules', folder]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain(`there is no rule file in ${folder} [rules/none]`);
  });

  test('refuses a broken rule and a missing input', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'bad.toml'), '[rule\n');
    const broken = await cli(['replay', '--input', captured(attack), '--rules', folder]);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('bad.toml:1:');
    expect((await cli(['replay'])).stderr).toContain('[replay/no-input]');
  });
});

describe('rules check', () => {
  const valid = (query: string) => `[metadata]
[rule]
rule_id = "11111111-1111-4111-8111-111111111111"
name = "A rule"
description = "x"
author = ["me"]
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
query = '''
${query}
'''
`;

  test('one document a file: what is wrong, what nothing fills, what each tier lacks', async () => {
    const folder = tempFolder();
    writeFileSync(
      path.join(folder, 'a.toml'),
      valid('process where process.parent.name == "x" and not dns.question.name == "y"'),
    );
    writeFileSync(path.join(folder, 'b.toml'), valid('process where process.name == '));
    const { code, stdout } = await cli(['rules', 'check', folder, '--json']);
    expect(code).toBe(1);
    const [a, b] = documents(stdout);
    expect(a).toMatchObject({
      schema: 'launchwarden.rule-check/1',
      file: path.join(folder, 'a.toml'),
      id: '11111111-1111-4111-8111-111111111111',
      ok: true,
      errors: [],
      unfilled_fields: ['dns.question.name'],
      tiers: { eslogger: { degraded: true, reasons: [expect.stringContaining('dns.question.name')] } },
    });
    expect(b).toMatchObject({ file: path.join(folder, 'b.toml'), id: null, ok: false });
    expect((b as { errors: object[] }).errors).toMatchObject([
      { code: 'eql/syntax', line: expect.any(Number) },
    ]);
  });

  test('the built-in rules are whole at every tier, but for what only EndpointSecurity tells', async () => {
    const { code, stdout } = await cli(['rules', 'check', '--json']);
    expect(code).toBe(0);
    for (const one of documents(stdout)) {
      expect(one['ok']).toBe(true);
      for (const [name, tier] of Object.entries(one['tiers'] as Record<string, { degraded: boolean }>)) {
        const served = name === 'scan' && one['name'] === 'Mach service served by a program that should not';
        expect(tier).toMatchObject(served ? { degraded: true } : { degraded: false, reasons: [] });
      }
    }
  });

  test('for people: place, caret and a count', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'b.toml'), valid('process where process.name == '));
    const { stdout } = await cli(['rules', 'check', folder]);
    expect(stdout).toMatch(/^error {3}.*b\.toml\n {8}.*b\.toml:\d+:\d+: error: /);
    expect(stdout).toContain('0 valid, 1 not\n');
    expect((await cli(['rules', 'check', '/nowhere'])).code).toBe(2);
  });
});

test('rules explain tells which predicate decided', async () => {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 'e.json'), line({ at: '0', path: '/elsewhere/x.plist' }));
  const { code, stdout } = await cli(['rules', 'explain', '84ef182d', './e.json'], { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toContain('step 1: does not match\n');
  expect(stdout).toMatch(/ {2}yes {2}host\.os\.type == "macos"\n {9}host\.os\.type is "macos"/);
  expect(stdout).toMatch(/ {2}no {3}file\.path : .*\n {9}file\.path is "\/elsewhere\/x\.plist"/);
  const pretty = JSON.stringify(JSON.parse(line({ at: '0', path: '/elsewhere/x.plist' })), null, 2);
  writeFileSync(path.join(folder, 'pretty.json'), `\n${pretty}\n`);
  expect((await cli(['rules', 'explain', '84ef182d', 'pretty.json'], { cwd: folder })).stdout).toBe(stdout);
  writeFileSync(path.join(folder, 'list.json'), `[${pretty}]`);
  expect((await cli(['rules', 'explain', '84ef182d', 'list.json'], { cwd: folder })).stdout).toBe(stdout);
  const json = documents(
    (await cli(['rules', 'explain', '84ef182d', './e.json', '--json'], { cwd: folder })).stdout,
  );
  expect(json).toMatchObject([
    {
      schema: 'launchwarden.explanation/1',
      step: 'step 1',
      holds: false,
      predicates: [{ text: 'event category', holds: true }, {}, {}, {}],
    },
    { step: 'step 2', holds: false },
  ]);
});
