import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { forwardHandlers } from '../../../src/agent/forward-control.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { Forwarder } from '../../../src/forward/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';
import { target } from '../../helpers/targets.js';
import { ScriptedDestination } from '../forward/fakes.js';
import { fakeSystem } from '../install/fake-system.js';
import { detection } from './alert-fixture.js';

/** A data folder with one alert for the destination `siem`, and a configuration that has it. */
function waiting(change: (store: Store) => void = () => {}) {
  const folder = tempFolder();
  const dataDir = path.join(folder, 'data');
  writeFileSync(
    path.join(folder, 'config.toml'),
    'data_dir = "data"\n[[destination]]\nname = "siem"\ntype = "file"\npath = "siem/alerts.ndjson"\n',
  );
  const store = openStore({ dataDir, clock: systemClock });
  store.outbox.configure(['siem'], 1, 0);
  const context = { version: '1', agentId: 'a', created: 1, sensors: [], simulated: false };
  store.alerts.upsert(detection(), context, ['siem']);
  change(store);
  store.close();
  // Whoever runs the tests: root opens no destination that others could have written.
  const system = fakeSystem({ uid: 501 });
  const run = (...argv: string[]) => cli([...argv, '--config', 'config.toml'], { cwd: folder, system });
  return { folder, dataDir, run };
}

/** The same, but the receiver has refused the alert for good. */
function dead() {
  return waiting((store) => {
    const [row] = store.outbox.take('siem', 'alert', { maxItems: 1, maxBytes: 1e9, now: 2 });
    const reason = 'mapping\u001b[31m';
    store.outbox.settle('siem', 'alert', {
      settlements: [{ seq: row!.seq, revision: 1, outcome: 'dead', reason }],
      now: Date.now(),
    });
  });
}

describe('forward', () => {
  test('status tells what waits, without an agent from the store', async () => {
    const { run } = waiting();
    const { code, stdout } = await run('forward', 'status');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^DEGRADED: siem: no agent runs.*\n\nsiem\n.*no agent runs: nothing is delivered/);
    expect(stdout).toMatch(/alerts wait +1/);
    expect(documents((await run('forward', 'status', '--json')).stdout)).toMatchObject([
      { schema: 'launchwarden.destination/1', name: 'siem', lanes: { alert: { rows: 1 } } },
    ]);
  });

  test('retry says so when there is nothing to retry', async () => {
    expect((await cli(['forward', 'retry', '--data-dir', tempFolder()])).stdout).toBe('No destinations.\n');
  });

  test('pause and resume are kept in the store', async () => {
    const { run } = waiting();
    expect((await run('forward', 'pause', 'siem', '--reason', 'index is rebuilt')).stdout).toBe(
      'siem is paused\n',
    );
    const [paused] = documents((await run('forward', 'status', '--json')).stdout);
    expect(paused).toMatchObject({ paused: 'by hand', pauseReason: 'index is rebuilt' });
    expect((await run('forward', 'resume', 'siem')).code).toBe(0);
    expect(documents((await run('forward', 'status', '--json')).stdout)[0]).toMatchObject({ paused: 'no' });
    expect((await run('forward', 'retry')).stdout).toBe('siem tries again\n');
    expect((await run('forward', 'status')).stdout).toMatch(/^ +alerts wait +1.*\n +status waits +0/m);
    for (const [verb, state] of [
      ['pause', 'paused'],
      ['resume', 'resumed'],
      ['retry', 'retried'],
    ] as const) {
      const { stdout } = await run('forward', verb, 'siem', '--json');
      const schema = 'launchwarden.destination-state/1';
      expect(documents(stdout)).toEqual([{ schema, name: 'siem', state }]);
    }
  });

  test('an unknown destination names the nearest', async () => {
    const { run } = waiting();
    for (const verb of ['pause', 'resume', 'retry', 'test']) {
      const { code, stderr } = await run('forward', verb, 'seim');
      expect(code).toBe(2);
      expect(stderr).toContain('there is no destination "seim" [forward/unknown]\n  Did you mean "siem"?');
    }
  });

  test('test says whether a document would be taken, and sends one only when told', async () => {
    const { folder, run } = waiting();
    const file = path.join(folder, 'siem/alerts.ndjson');
    const probe = await run('forward', 'test', 'siem', '--json');
    expect(documents(probe.stdout)).toMatchObject([
      { schema: 'launchwarden.destination-test/1', name: 'siem', ok: probe.code === 0 },
    ]);
    const sent = await run('forward', 'test', 'siem', '--send');
    expect(sent.code).toBe(0);
    expect(sent.stdout).toMatch(
      /^siem\n {2}ok +settings .*\n {2}ok +login .*\n {2}ok +document +took test document /,
    );
    expect(existsSync(file)).toBe(true);
  });

  test('status tells of each lane what is wrong with it', async () => {
    const { dataDir, run } = waiting();
    const store = openStore({ dataDir, clock: systemClock });
    const siem = new ScriptedDestination('siem');
    siem.answer = (items) =>
      items.map(({ lane }) =>
        lane === 'status'
          ? { kind: 'pause', reason: '403 no rights', cause: 'auth', certain: true }
          : { kind: 'delivered', warning: 'stored in the failure store' },
      );
    store.outbox.add({ id: 's1', body: '{}' }, ['siem']);
    const { outbox } = store;
    const targets = [target(siem)];
    const forwarder = new Forwarder({ outbox, targets, clock: systemClock, log: silentLogger });
    const daemon = await ControlServer.listen(dataDir, forwardHandlers({ outbox, forwarder }), silentLogger);
    try {
      forwarder.start();
      await forwarder.flush();
      const { stdout } = await run('forward', 'status');
      expect(stdout).toMatch(/reason +status documents alone: "siem" refuses our credentials.*403 no rights/);
      expect(stdout).toMatch(
        /alerts wait +0\n +alert warning +stored in the failure store\n +status waits +1.*refused/,
      );
      expect(stdout).not.toContain('null');
      const [json] = documents((await run('forward', 'status', '--json')).stdout);
      const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
      expect(json).toMatchObject({
        state: 'refused',
        paused: 'no',
        last_ok: rfc3339,
        last_error: '403 no rights',
        last_error_at: rfc3339,
        lanes: {
          alert: { state: 'open', reason: null, last_warning_at: rfc3339, last_error: null },
          status: { state: 'refused', last_error: '403 no rights', last_error_at: rfc3339 },
        },
      });
    } finally {
      await forwarder.stop(0);
      await daemon.close();
      store.close();
    }
  });

  test('a running agent is asked', async () => {
    const { dataDir, run } = waiting();
    const store = openStore({ dataDir, clock: systemClock });
    const asked: string[] = [];
    const forwarder = {
      pause: (name: string, reason?: string) => asked.push(`pause ${name} ${reason}`) > 0,
      resume: (name: string) => asked.push(`resume ${name}`) > 0,
      status: () => [],
      wake: () => void asked.push('wake'),
    };
    const daemon = await ControlServer.listen(
      dataDir,
      forwardHandlers({ outbox: store.outbox, forwarder }),
      silentLogger,
    );
    try {
      await run('forward', 'pause', 'siem');
      await run('forward', 'retry', 'siem');
      await run('outbox', 'dead', 'retry');
      expect((await run('forward', 'status')).stdout).toContain(
        'siem: never started: no agent has run with it',
      );
      expect(asked).toEqual(['pause siem paused by hand', 'resume siem', 'wake']);
    } finally {
      await daemon.close();
      store.close();
    }
  });
});

describe('outbox dead', () => {
  test('list and show, escaped; export with the document', async () => {
    const { run } = dead();
    const list = await run('outbox', 'dead', 'list');
    expect(list.stdout).toMatch(/3f9a01aa.* {2}1 .* alert +siem +mapping\\x1b\[31m\n$/);
    const show = await run('outbox', 'dead', 'show', '3f9a');
    expect(show.stdout).toContain('"reason": "mapping\\u001b[31m"');
    expect(show.stdout).toContain('"kind": "alert"');
    const exported = documents((await run('outbox', 'dead', 'export')).stdout);
    expect(exported).toMatchObject([
      {
        schema: 'launchwarden.dead-letter/1',
        destination: 'siem',
        lane: 'alert',
        document: { event: { kind: 'alert' } },
      },
    ]);
    expect(documents((await run('outbox', 'dead', 'list', '--json')).stdout)[0]).not.toHaveProperty(
      'document',
    );
    const unknown = await run('outbox', 'dead', 'show', '3f9b');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Did you mean 3f9a01aa3f9a?');
  });

  test('retry puts it back', async () => {
    const { run } = dead();
    for (const verb of ['show', 'retry', 'purge']) {
      const none = await run('outbox', 'dead', verb, '');
      expect({ code: none.code, stderr: none.stderr }).toEqual({
        code: 2,
        stderr: 'launchwarden: the ID is empty [outbox/unknown]\n  See "launchwarden outbox dead list".\n',
      });
      const slip = await run('outbox', 'dead', verb, '3f9b');
      expect({ code: slip.code, stderr: slip.stderr }).toMatchObject({
        code: 2,
        stderr:
          'launchwarden: there is no dead letter "3f9b" [outbox/unknown]\n  Did you mean 3f9a01aa3f9a?\n',
      });
    }
    expect((await run('outbox', 'dead', 'retry', '3f9a01aa')).stdout).toBe('1 put back\n');
    expect((await run('outbox', 'dead', 'list')).stdout).toBe('No dead letters.\n');
    expect(documents((await run('forward', 'status', '--json')).stdout)[0]).toMatchObject({
      lanes: { alert: { rows: 1 } },
    });
  });

  test('purge wants to know which', async () => {
    const { run } = dead();
    const vague = await run('outbox', 'dead', 'purge');
    expect(vague.code).toBe(2);
    expect(vague.stderr).toContain('[outbox/which]');
    expect((await run('outbox', 'dead', 'purge', '--before', '1h')).stdout).toBe('0 forgotten\n');
    expect(documents((await run('outbox', 'dead', 'purge', '--all', '--json')).stdout)).toEqual([
      { schema: 'launchwarden.dead-letters/1', done: 'forgotten', count: 1 },
    ]);
    expect((await run('alerts', 'list', '--json')).stdout).not.toBe('');
  });

  test('a damaged request is refused', () => {
    const store = openStore({ dataDir: waiting().dataDir, clock: systemClock });
    try {
      const handlers = forwardHandlers({ outbox: store.outbox });
      for (const args of [undefined, null, 7, {}, { name: 3 }, { destination: 4 }, { all: 'yes' }]) {
        for (const op of ['forward.pause', 'forward.resume', 'outbox.retry', 'outbox.purge'])
          expect(() => handlers[op]?.(args)).toThrow(
            expect.objectContaining({ code: 'forward/bad-request' }),
          );
      }
    } finally {
      store.close();
    }
  });
});

test('siem elastic-assets prints every asset with its path', async () => {
  const { code, stdout } = await cli(['siem', 'elastic-assets']);
  expect(code).toBe(0);
  const assets = documents(stdout);
  expect(assets.length).toBeGreaterThan(1);
  for (const one of assets)
    expect(one).toMatchObject({ schema: 'launchwarden.elastic-asset/1', path: expect.any(String) });
  const refused = await waiting().run('siem', 'elastic-assets', '--install', 'siem');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('forward/not-elasticsearch');
});
