import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { openStore } from '../../../src/store/index.js';
import { cli, documents } from '../../helpers/run-cli.js';
import { detection, event, rule, storedAlerts } from './alert-fixture.js';

// On a machine that has much else to do.
vi.setConfig({ testTimeout: 60_000 });

const first = '3f9a01aa'.repeat(4);
const second = '77c0'.repeat(8);

function threeAlerts(): string {
  const about = (path: string, user: string) =>
    event(path, '2026-11-22T06:40:00.000000Z', {
      event: { category: ['file'], type: ['change'], action: 'modification' },
      user: { name: user, id: '502' },
      file: { path },
    });
  return storedAlerts([
    detection(),
    detection({
      id: second,
      events: [about('/x', 'bob')],
      candidates: [],
      rule: { ...rule, severity: 'high' },
    }),
    detection({ id: 'ab'.repeat(16), events: [about('/y', 'bob')], candidates: [] }),
  ]);
}

function runner(dataDir: string) {
  return (...argv: string[]) => cli(['alerts', ...argv, '--data-dir', dataDir], { user: 'carol' });
}

function read(dataDir: string, id = first) {
  const store = openStore({ dataDir, clock: systemClock, readOnly: true });
  try {
    return store.alerts.get(id)!;
  } finally {
    store.close();
  }
}

describe('one alert', () => {
  test('closing keeps the reason, in the document that a SIEM gets too', async () => {
    const dataDir = threeAlerts();
    const run = runner(dataDir);
    const { stdout } = await run('close', '3f9a01aa', '--reason', 'false-positive', '--note', 'our MDM');
    expect(stdout).toMatch(/^3f9a01aa3f9a {2}closed as false positive {2}Launch agent/);
    const alert = read(dataDir);
    expect(alert).toMatchObject({ status: 'closed', closedAs: 'false_positive', revision: 2 });
    expect(alert.closedAt).toBe(alert.notes[0]?.time);
    expect(alert.doc.launchwarden?.['alert']).toMatchObject({
      revision: 2,
      workflow: {
        status: 'closed',
        reason: 'false_positive',
        changed_by: 'carol',
        history: [{ by: 'carol', action: 'closed', value: 'false_positive', text: 'our MDM' }],
      },
    });
    await run('reopen', '3f9a01aa');
    expect(read(dataDir)).not.toHaveProperty('closedAs');
    expect(read(dataDir)).not.toHaveProperty('closedAt');
  });

  test('the destinations of the configuration are told, of a simulated one only those on this machine', async () => {
    const dataDir = threeAlerts();
    const { writeFileSync } = await import('node:fs');
    const config = `${dataDir}/c.toml`;
    writeFileSync(
      config,
      '[[destination]]\ntype = "file"\nname = "here"\npath = "/tmp/never.ndjson"\n' +
        '[[destination]]\ntype = "webhook"\nname = "there"\nurl = "https://hook.example/"\n',
    );
    await runner(dataDir)('ack', first, '--config', config);
    const store = openStore({ dataDir, clock: systemClock, readOnly: true });
    const waiting = (name: string) =>
      store.outbox.take(name, 'alert', { maxItems: 9, maxBytes: 1e6, now: 9e15 });
    expect(waiting('here')).toMatchObject([{ id: first, revision: 2 }]);
    expect(waiting('there')).toEqual([]);
    store.close();
  });

  test('what is so already is said and changes nothing; acknowledging opens nothing', async () => {
    const dataDir = threeAlerts();
    const run = runner(dataDir);
    for (const [argv, says] of [
      [['ack', first], 'is acknowledged already: nothing changed'],
      [['assign', first, '--to', 'alice'], 'is assigned to alice already'],
      [['tag', first, '--add', 'mdm'], 'is tagged mdm already'],
      [['close', first, '--reason', 'benign'], 'is closed as benign already'],
    ] as const) {
      expect((await run(...argv)).code).toBe(0);
      const before = read(dataDir);
      const again = await run(...argv);
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(says) });
      expect(read(dataDir)).toEqual(before);
    }
    const refused = await run('ack', first);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('is closed: nothing changed ("alerts reopen 3f9a01aa3f9a" opens it)');
    expect(read(dataDir).status).toBe('closed');
    // Another reason is a change.
    expect((await run('close', first, '--reason', 'true-positive')).stdout).toContain(
      'closed as true positive',
    );
  });

  test('history tells every step, oldest first', async () => {
    const dataDir = threeAlerts();
    const run = runner(dataDir);
    await run('assign', first);
    await run('tag', first, '--add', 'b,a', '--remove', 'b', '--note', 'why\nnot');
    await run('assign', first, '--to', 'none');
    await run('close', first, '--reason', 'benign');
    const { stdout } = await run('history', '3f9a');
    expect(stdout.replace(/^[\d: -]+ UTC {2}/gm, '')).toBe(
      'launchwarden  created\ncarol  assigned to carol\ncarol  tagged b\n    why\n    not\ncarol  tagged a\n    why\n    not\n' +
        'carol  took off tag b\n    why\n    not\ncarol  assigned to nobody\ncarol  closed as benign\n',
    );
    expect(documents((await run('history', '3f9a', '--json')).stdout).at(-1)).toMatchObject({
      schema: 'launchwarden.alert-step/1',
      alert_id: first,
      author: 'carol',
      action: 'closed',
      value: 'benign',
    });
    expect(read(dataDir)).toMatchObject({ tags: ['a'], status: 'closed' });
    expect(documents((await run('list', '--json', '--status', 'all', '--tag', 'a')).stdout)).toHaveLength(1);
  });

  test('a grown alert keeps what people did to it', async () => {
    const dataDir = threeAlerts();
    await runner(dataDir)('close', first, '--reason', 'benign');
    storedAlerts([detection({ repeats: 3 })], dataDir);
    const { doc, status, revision } = read(dataDir);
    expect({ status, revision }).toEqual({ status: 'closed', revision: 3 });
    expect(doc.launchwarden?.['alert']).toMatchObject({ repeats: 3, workflow: { reason: 'benign' } });
  });

  test.each([
    [['close', first, '--reason', 'fasle-positive'], 'Did you mean "false-positive"?'],
    [['tag', first, '--add', 'two words'], 'expected up to 50 letters'],
    [['tag', first], 'no tag is named'],
    [['assign', first, '--to', 'a b'], 'expected a name without blanks'],
    [['ack'], 'it is not said which alerts to acknowledge'],
    [['ack', first, '--severity', 'low'], 'ids and a filter do not go together'],
    [
      ['ack', '3f9a'],
      '"3f9a" is short for a change [alerts/short-id]\n  It names 3f9a01aa3f9a (Launch agent',
    ],
    [['ack', '3f9'], '"3f9" is too short to name one alert'],
  ])('%j', async (argv, says) => {
    const dataDir = threeAlerts();
    const { code, stderr } = await runner(dataDir)(...argv);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(read(dataDir).revision).toBe(1);
  });

  test('a short beginning will do with --yes', async () => {
    expect((await runner(threeAlerts())('ack', '3f9a', '--yes')).code).toBe(0);
  });
});

describe('all that a filter finds', () => {
  test('are shown first, with a count that confirms them', async () => {
    const dataDir = threeAlerts();
    const run = runner(dataDir);
    const preview = await run('close', '--user', 'bob');
    expect(preview.code).toBe(1);
    expect(preview.stdout).toMatch(
      /^ID .*\n77c0.*\nabab.*\nNothing was changed\. To close these 2 alerts: the same command with --yes --count 2\n$|^ID .*\nabab.*\n77c0.*\nNothing/,
    );
    expect(read(dataDir, second).status).toBe('open');
    const other = await run('close', '--user', 'bob', '--yes', '--count', '3');
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('finds 2 alerts, not 3') });
    const done = await run('close', '--user', 'bob', '--yes', '--count', '2', '--reason', 'benign');
    expect(done).toMatchObject({ code: 0, stdout: '2 closed as benign.\n' });
    expect(read(dataDir).status).toBe('open');
    // Closed ones are not looked at again, unless they are asked for.
    expect((await run('close', '--user', 'bob', '--yes')).stdout).toBe('No alerts: the filter finds none.\n');
    expect((await run('close', '--user', 'bob', '--status', 'closed', '--yes')).stdout).toBe(
      '0 closed; 2 were so already.\n',
    );
    expect((await run('ack', '--user', 'bob', '--status', 'all', '--yes')).stdout).toBe(
      '0 acknowledged; 2 are closed and stay so.\n',
    );
    const json = await run('reopen', '--closed-as', 'benign', '--yes', '--json');
    expect(documents(json.stdout)).toEqual([
      { schema: 'launchwarden.alerts-change/1', action: 'open', changed: 2, same: 0, closed: 0 },
    ]);
    await run('note', '--user', 'bob', '--yes', 'seen', 'it');
    expect(read(dataDir, second).notes.at(-1)).toMatchObject({ kind: 'note', text: 'seen it' });
  });

  test('more than one request holds', async () => {
    const many = Array.from({ length: 1_203 }, (_, index) =>
      detection({
        id: `${index}`.padStart(32, '0'),
        events: [event(`e${index}`, '2026-11-22T06:40:00Z', {})],
        candidates: [],
      }),
    );
    const dataDir = storedAlerts(many);
    const run = runner(dataDir);
    const preview = (await run('ack', '--severity', 'low')).stdout.trimEnd().split('\n');
    expect(preview.slice(-2)).toEqual(['… and 1,193 more', expect.stringContaining('these 1,203 alerts')]);
    expect((await run('ack', '--severity', 'low', '--yes')).stdout).toBe('1,203 acknowledged.\n');
  });
});

describe('stats', () => {
  test('count by everything, and tell how long closing took', async () => {
    const dataDir = threeAlerts();
    const run = runner(dataDir);
    await run('close', second, '--reason', 'true-positive');
    await run('ack', first);
    const [stats] = documents((await run('stats', '--json')).stdout);
    expect(stats).toMatchObject({
      schema: 'launchwarden.alert-stats/1',
      alerts: 3,
      status: [
        { name: 'acknowledged', alerts: 1, waiting: 1 },
        { name: 'closed', alerts: 1, waiting: 0 },
        { name: 'open', alerts: 1, waiting: 1 },
      ],
      users: [
        { name: 'bob', alerts: 2, waiting: 1 },
        { name: 'alice', alerts: 1, waiting: 1 },
      ],
      rules: [{ id: rule.id, name: rule.name, alerts: 3, waiting: 2 }],
      closed_as: [{ name: 'true_positive', alerts: 1 }],
      time_to_close: { alerts: 1 },
    });
    const { stdout } = await run('stats');
    expect(stdout).toMatch(/^3 alerts\n\nSTATUS +ALERTS\nacknowledged +1\n/);
    expect(stdout).toMatch(/\nPRIORITY +ALERTS +WAITING\nhigh +1 +0\nlow +2 +2\n/);
    expect(stdout).toMatch(/\nTime to close, of 1 alert: half within /);
    expect((await run('stats', '--since', '1s')).stdout).toBe('No alerts.\n');
  });
});

describe('export', () => {
  test.each(['=cmd|calc', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '"=1', '\uff1d1'])(
    'a spreadsheet runs nothing of %j',
    async (text) => {
      const file = event('f', '2026-11-22T06:40:00Z', { file: { path: text }, user: { name: text } });
      const dataDir = storedAlerts([detection({ events: [file], candidates: [] })]);
      const { stdout } = await runner(dataDir)('export', '--format', 'csv');
      const [head = '', row = '', ...rest] = stdout.split('\r\n');
      expect(rest).toEqual(['']);
      expect(head).toMatch(/^id,time,created,/);
      for (const cell of row.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [])
        expect(cell).not.toMatch(/^"?[\s"]*[=+\-@\uff1d]/);
      expect(row).not.toMatch(/[\u0000-\u001f]/);
    },
  );

  test('line breaks and quotes stay inside their cell; NDJSON has the documents', async () => {
    const file = event('f', '2026-11-22T06:40:00Z', { file: { path: '/a\r\n"b",c' } });
    const dataDir = storedAlerts([detection({ events: [file], candidates: [] })]);
    const { stdout } = await runner(dataDir)('export', '--format', 'csv');
    expect(stdout).toContain(',"/a\\r\\n""b"",c",');
    expect(documents((await runner(dataDir)('export')).stdout)).toMatchObject([
      { schema: 'launchwarden.alert/1', doc: { file: { path: '/a\r\n"b",c' } } },
    ]);
  });
});
