import { expect, test } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { silentLogger } from '../../../src/base/log.js';
import { cli, documents, tempFolder } from '../../helpers/run-cli.js';

test('without an agent it ends with 3', async () => {
  const { code, stderr } = await cli(['status', '--data-dir', tempFolder()]);
  expect(code).toBe(3);
  expect(stderr).toContain('[control/not-running]');
});

test('shows what the agent says', async () => {
  const dataDir = tempFolder();
  const said = {
    version: '1.2.3',
    pid: 42,
    addon: { state: 'loaded', passed_over: ['/x.node cannot be loaded'] },
    sensors: [
      {
        kind: 'file-watch',
        running: true,
        notes: ['sees \u001b[2J'],
        counters: { observed: 7, dropped: 1, cpu_share: 0.005912345678901234 },
      },
    ],
    pipeline: { alerts: 3, wait_ms: 1234.56 },
  };
  const daemon = await ControlServer.listen(dataDir, { status: () => said }, silentLogger);
  try {
    const { code, stdout } = await cli(['status', '--full', '--data-dir', dataDir]);
    expect(code).toBe(0);
    for (const text of [
      '1.2.3',
      'file-watch     runs\n',
      '/x.node cannot be loaded',
      'sees \\x1b[2J',
      'observed 7, dropped 1, cpu_share 0.0059\n',
      'alerts 3, wait_ms 1235',
    ])
      expect(stdout).toContain(text);
    const json = await cli(['status', '--json', '--data-dir', dataDir]);
    expect(documents(json.stdout)).toEqual([{ schema: 'launchwarden.status/1', ...said }]);
  } finally {
    await daemon.close();
  }
});

test.each([
  ['healthy', [], 0, 'HEALTHY\n'],
  ['degraded', ['first reason', 'second \u001b[2J'], 1, 'DEGRADED: first reason; second \\x1b[2J\n'],
  ['blind', ['files are not seen'], 1, 'BLIND: files are not seen\n'],
])('begins with the verdict: %s', async (verdict, reasons, exit, line) => {
  const dataDir = tempFolder();
  const said = {
    verdict,
    reasons,
    version: '1',
    sensors: [
      { kind: 'file-watch', running: true, blind: [{ place: '/Users/x', since: 1, reason: 'EACCES' }] },
    ],
    store: { state: 'full', reason: 'the disk is full', held_alerts: 2, held_events: 1 },
  };
  const daemon = await ControlServer.listen(dataDir, { status: () => said }, silentLogger);
  try {
    const { code, stdout } = await cli(['status', '--data-dir', dataDir]);
    expect(code).toBe(exit);
    expect(stdout.startsWith(line)).toBe(true);
    for (const text of [
      '/Users/x: EACCES',
      'the disk is full',
      '\nDisk full: 2 alerts and 1 event held in memory\n',
    ])
      expect(stdout).toContain(text);
    const json = await cli(['status', '--json', '--data-dir', dataDir]);
    expect(json.code).toBe(exit);
    expect(documents(json.stdout)).toEqual([{ schema: 'launchwarden.status/1', ...said }]);
  } finally {
    await daemon.close();
  }
});

test('says what runs since when, how much, what was dropped, and what came last', async () => {
  const dataDir = tempFolder();
  const said = {
    verdict: 'healthy',
    reasons: [],
    sensors: [
      { kind: 'process-scan', running: true, notes: [], counters: { observed: 7, dropped: 3, evicted: 0 } },
    ],
    detect: { evicted_keys: 2 },
    destinations: [
      {
        name: 'a',
        state: 'idle',
        last_ok: '2020-01-01T00:00:00Z',
        lanes: { alert: { rows: 2 }, event: { rows: 5 } },
      },
    ],
    queues: { events: 4, unjournaled: 0, alerts: 1 },
    figures: {
      seconds: 60,
      cpu_share: 0.0123,
      memory_bytes: 80 * 2 ** 20,
      sensors: { 'process-scan': { since: '2020-01-01T00:00:00Z', per_second: 12.5 } },
      gaps: {
        since_start: 9,
        last: { at: '2020-01-01T00:00:00Z', sensor: 'agent', reason: 'sleep', detail: 'x' },
      },
    },
    last_alert: { id: 'x', at: '2020-01-01T00:00:00Z', rule: 'Launch item', severity: 'high' },
  };
  const daemon = await ControlServer.listen(dataDir, { status: () => said }, silentLogger);
  try {
    const { stdout } = await cli(['status', '--data-dir', dataDir]);
    for (const text of [
      /runs, started .+ ago, 12\.5 events a second/,
      /memory +80\.0 MiB/,
      /processor +1\.2 % of one, over 60 s/,
      /waiting +4 events to be judged, 1 alert to be stored, 7 documents to be sent/,
      /dropped +process-scan dropped 3, detection evicted_keys 2/,
      /gaps +9 since the start, the last .+ ago: agent, sleep/,
      /last alert +.+ ago: Launch item \(high\)/,
      /last delivery +.+ ago/,
    ])
      expect(stdout).toMatch(text);
  } finally {
    await daemon.close();
  }
});
