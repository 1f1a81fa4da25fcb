import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
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

test('rules show tells what a rule asks for beyond its query', async () => {
  const linked = 'Launch item written, and that very item loaded';
  expect((await cli(['rules', 'show', linked])).stdout).toMatch(
    /beyond the query +only when the process names a file of the window\n +the same content under/,
  );
  const deferred = 'Launch item from before is running';
  expect((await cli(['rules', 'show', deferred])).stdout).toContain(
    'what follows within 10m ends the waiting',
  );
  const [json] = documents((await cli(['rules', 'show', deferred, '--json'])).stdout);
  expect(json?.['deferred_after']).toBe('10m');
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

describe('switching rules', () => {
  const ids = async (folder: string) => {
    const { stdout } = await cli(['rules', 'list', '--json', '--config', 'config.toml'], { cwd: folder });
    return documents(stdout).map(({ id, enabled }) => [String(id), enabled] as const);
  };

  test('off and on again; the file keeps everything else, its mode too', async () => {
    const folder = configured('# mine\n[log]\nlevel = "debug"\n');
    const file = path.join(folder, 'config.toml');
    chmodSync(file, 0o640);
    const [[first = ''] = []] = await ids(folder);
    const off = await cli(['rules', 'disable', first.slice(0, 8), '--config', 'config.toml'], {
      cwd: folder,
    });
    expect({ code: off.code, stdout: off.stdout.slice(0, 3), stderr: off.stderr }).toEqual({
      code: 0,
      stdout: 'off',
      stderr: '',
    });
    expect(readFileSync(file, 'utf8')).toBe(
      `# mine\n[log]\nlevel = "debug"\n\n[rules]\ndisabled = ["${first}"]\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect((await ids(folder))[0]).toEqual([first, false]);
    await cli(['rules', 'enable', first, '--config', 'config.toml'], { cwd: folder });
    expect((await ids(folder))[0]).toEqual([first, true]);
    expect(readFileSync(file, 'utf8')).toContain('disabled = []');
  });

  test('with one unknown rule nothing is changed', async () => {
    const folder = configured('');
    const [[first = ''] = []] = await ids(folder);
    const { code } = await cli(['rules', 'disable', first, 'nope', '--config', 'config.toml'], {
      cwd: folder,
    });
    expect(code).toBe(2);
    expect(readFileSync(path.join(folder, 'config.toml'), 'utf8')).toBe('');
  });

  test('without a configuration the default one is made, in the tree of --root', async () => {
    const root = tempFolder();
    const [first] = documents((await cli(['rules', 'list', '--json', '--root', root])).stdout);
    expect((await cli(['rules', 'disable', String(first?.['id']), '--root', root])).code).toBe(0);
    const made = path.join(root, 'Library/Application Support/launchwarden/config.toml');
    expect(readFileSync(made, 'utf8')).toBe(`[rules]\ndisabled = ["${String(first?.['id'])}"]\n`);
  });
});

describe('rules import', () => {
  const rule = (id: string, query: string) => `[metadata]
[rule]
rule_id = "${id}"
name = "Rule ${id.slice(0, 4)}"
description = "x"
author = ["me"]
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
query = '''
${query}
'''
[[rule.launchwarden.test]]
name = "one"
events = [{ "@timestamp" = "2026-11-22T09:00:00Z", event.category = ["process"], process.name = "x" }]
matches = 1
`;
  const plain = rule('11111111-1111-4111-8111-111111111111', 'process where process.name == "x"');
  const blind = rule(
    '22222222-2222-4222-8222-222222222222',
    'process where process.name == "x" and not dns.question.name == "y"',
  );

  test('copies valid rules beside the configuration; what the sensors cannot supply is off', async () => {
    const folder = configured('[rules]\nfolders = ["other"]\n');
    mkdirSync(path.join(folder, 'other'));
    const source = tempFolder();
    writeFileSync(path.join(source, 'plain.toml'), plain);
    writeFileSync(path.join(source, 'blind.toml'), blind);
    writeFileSync(path.join(source, 'broken.toml'), '[rule\n');
    const argv = ['rules', 'import', source, '--json', '--config', 'config.toml'];
    const dry = await cli([...argv, '--dry-run'], { cwd: folder });
    expect(readdirSync(path.join(folder, 'rules'))).toEqual([]);
    const { code, stdout, stderr } = await cli(argv, { cwd: folder });
    expect(stdout).toBe(dry.stdout);
    expect(code).toBe(1);
    expect(stderr).toContain('broken.toml:1:');
    expect(documents(stdout).map(({ file, enabled, tier }) => [file, enabled, tier])).toEqual([
      [path.join(folder, 'rules/blind.toml'), false, 'scan'],
      [path.join(folder, 'rules/plain.toml'), true, 'scan'],
    ]);
    expect(readFileSync(path.join(folder, 'rules/plain.toml'), 'utf8')).toBe(plain);
    const listed = documents(
      (await cli(['rules', 'list', '--json', '--config', 'config.toml'], { cwd: folder })).stdout,
    );
    expect(listed.slice(-2)).toMatchObject([
      { enabled: false, reason: 'degraded here', degraded: [expect.stringContaining('dns.question.name')] },
      { enabled: true },
    ]);
    // The sensors decide, not the file: with others the rule is on without anybody's doing.
    expect(readFileSync(path.join(folder, 'config.toml'), 'utf8')).toBe(
      '[rules]\nfolders = ["other", "rules"]\n',
    );
    const shown = await cli(['rules', 'show', '22222222', '--config', 'config.toml'], { cwd: folder });
    expect(shown.stdout).toMatch(/state +off: degraded here\n +because +.*dns\.question\.name/);
  });

  test('the running sensors decide what is off, as they do in the agent', async () => {
    const folder = configured('[rules]\nfolders = ["rules"]\n');
    const dataDir = tempFolder();
    const source = tempFolder();
    writeFileSync(path.join(source, 'plain.toml'), plain);
    const sensors = [
      { kind: 'file-watch', running: true },
      { kind: 'eslogger', running: false },
    ];
    const daemon = await ControlServer.listen(dataDir, { status: () => ({ sensors }) }, silentLogger);
    try {
      const how = ['--json', '--config', 'config.toml', '--data-dir', dataDir];
      const imported = await cli(['rules', 'import', source, ...how], { cwd: folder });
      expect(documents(imported.stdout)).toMatchObject([
        { enabled: false, reasons: ['the rule needs process events, which no running sensor delivers'] },
      ]);
      expect(imported.stderr).toContain('restart the agent');
      const listed = await cli(['rules', 'list', ...how], { cwd: folder });
      expect(documents(listed.stdout).at(-1)).toMatchObject({ enabled: false, reason: 'degraded here' });
      await cli(['rules', 'enable', '11111111', ...how], { cwd: folder });
      const after = await cli(['rules', 'list', ...how], { cwd: folder });
      expect(documents(after.stdout).at(-1)).toMatchObject({ enabled: true });
    } finally {
      await daemon.close();
    }
  });

  test('a rule that runs on no endpoint: passed over and said; rules check and rules import end with 1', async () => {
    const folder = configured('[rules]\nfolders = ["rules"]\n');
    writeFileSync(path.join(folder, 'rules', 'plain.toml'), plain);
    const esql = plain
      .replace('11111111', '33333333')
      .replace('type = "eql"', 'type = "esql"')
      .replace('language = "eql"', 'language = "esql"');
    writeFileSync(path.join(folder, 'rules', 'es\u001bql.toml'), esql);
    const capture = path.join(folder, 'capture.ndjson');
    const event = {
      '@timestamp': '2026-11-22T09:00:00Z',
      event: { category: ['process'] },
      process: { name: 'x' },
    };
    writeFileSync(capture, `${JSON.stringify(event)}\n`);
    const how = ['--config', 'config.toml'];
    const said =
      'launchwarden: 1 rule file is passed over, the rules do not run on an endpoint: es\\x1bql.toml; ' +
      'see "launchwarden rules check"\n';
    for (const argv of [
      ['rules', 'list', ...how],
      ['rules', 'test', ...how],
      ['replay', '--input', capture, ...how],
      ['replay', '--input', capture, '--rules', 'rules'],
    ]) {
      const { code, stderr } = await cli(argv, { cwd: folder });
      expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: said });
    }
    const replayed = await cli(['replay', '--input', capture, '--rules', 'rules', '--json'], { cwd: folder });
    expect(documents(replayed.stdout)).toHaveLength(1);
    const checked = await cli(['rules', 'check', '--json', ...how], { cwd: folder });
    expect(checked.code).toBe(1);
    expect(documents(checked.stdout).filter(({ ok }) => ok !== true)).toMatchObject([
      { file: path.join(folder, 'rules', 'es\u001bql.toml'), errors: [{ code: 'rule/unsupported-type' }] },
    ]);
    const into = configured('');
    const imported = await cli(['rules', 'import', path.join(folder, 'rules'), ...how], { cwd: into });
    expect(imported.code).toBe(1);
    expect(imported.stderr).toContain('[rule/unsupported-type]');
    expect(readdirSync(path.join(into, 'rules'))).toEqual(['plain.toml']);
    // Nothing else was named: there is nothing to replay.
    const alone = path.join('rules', 'es\u001bql.toml');
    const { code, stderr } = await cli(['replay', '--input', capture, '--rules', alone], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toContain('[rules/invalid]');
  });

  test('a beginning that several rules have is told as that', async () => {
    const folder = configured('[rules]\nfolders = ["rules"]\n');
    for (const last of ['1', '2'])
      writeFileSync(
        path.join(folder, 'rules', `${last}.toml`),
        plain.replace('-111111111111"', `-11111111111${last}"`).replace('Rule 1111', `Rule ${last}`),
      );
    const { code, stderr } = await cli(['rules', 'show', '1111', '--config', 'config.toml'], { cwd: folder });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'launchwarden: 2 rules begin with "1111" [rules/ambiguous]\n' +
        '  Write more of the id: 11111111-1111-4111-8111-111111111111, 11111111-1111-4111-8111-111111111112.\n',
    });
  });

  test('again, what was switched on or off stays so, and is told so', async () => {
    const folder = configured('');
    const source = tempFolder();
    writeFileSync(path.join(source, 'plain.toml'), plain);
    writeFileSync(path.join(source, 'blind.toml'), blind);
    const how = ['--config', 'config.toml'];
    const states = (text: string) =>
      documents(text).map(({ file, enabled }) => [path.basename(String(file)), enabled]);
    await cli(['rules', 'import', source, ...how], { cwd: folder });
    await cli(['rules', 'enable', '22222222', ...how], { cwd: folder });
    await cli(['rules', 'disable', '11111111', ...how], { cwd: folder });
    const again = await cli(['rules', 'import', source, '--json', ...how], { cwd: folder });
    expect(states(again.stdout)).toEqual([
      ['blind.toml', true],
      ['plain.toml', false],
    ]);
    const listed = await cli(['rules', 'list', '--json', ...how], { cwd: folder });
    expect(states(listed.stdout).slice(-2)).toEqual(states(again.stdout));
  });

  test('again, a newer file takes the place of the older; a taken id is refused', async () => {
    const folder = configured('');
    const source = tempFolder();
    const file = path.join(source, 'plain.toml');
    const argv = ['rules', 'import', source, '--config', 'config.toml'];
    writeFileSync(file, plain);
    expect((await cli(argv, { cwd: folder })).code).toBe(0);
    writeFileSync(file, plain.replace('risk_score = 21', 'risk_score = 22'));
    expect((await cli([...argv, '--force'], { cwd: folder })).code).toBe(0);
    expect(readdirSync(path.join(folder, 'rules'))).toEqual(['plain.toml']);
    expect(readFileSync(path.join(folder, 'rules/plain.toml'), 'utf8')).toContain('risk_score = 22');
    const [builtin] = documents((await cli(['rules', 'list', '--json'])).stdout);
    writeFileSync(file, rule(String(builtin?.['id']), 'process where true'));
    const taken = await cli(argv, { cwd: folder });
    expect(taken.code).toBe(2);
    expect(taken.stderr).toContain('[rules/duplicate-id]');
  });

  test('rules test runs what a rule carries', async () => {
    const source = tempFolder();
    const file = path.join(source, 'plain.toml');
    writeFileSync(file, plain);
    expect(await cli(['rules', 'test', source])).toMatchObject({
      code: 0,
      stdout: 'ok      Rule 1111: one\n1 passed, 0 failed; 0 rules carry no test\n',
    });
    writeFileSync(file, plain.replace('matches = 1', 'matches = 2'));
    const failed = await cli(['rules', 'test', source, '--json']);
    expect(failed.code).toBe(1);
    expect(documents(failed.stdout)).toMatchObject([{ ok: false, expected: 2, alerts: 1, test: 'one' }]);
    expect((await cli(['rules', 'test'])).code).toBe(0);
  });
});
