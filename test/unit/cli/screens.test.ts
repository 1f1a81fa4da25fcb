import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ControlServer } from '../../../src/agent/control.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import type { Detection } from '../../../src/event/alert.js';
import { openStore } from '../../../src/store/index.js';
import { multiplyAlerts } from '../../helpers/many-alerts.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { fakeSystem } from '../install/fake-system.js';
import { detection, event, fileEvent, processEvent, rule, storedAlerts } from './alert-fixture.js';

// On a machine that has much else to do.
vi.setConfig({ testTimeout: 60_000 });

// What a person sees, as files that were looked at: `test/fixtures/screens/`. After a change that is meant:
// `npx vitest run test/unit/cli/screens.test.ts -u`, and look at the difference.

const evil = '/Users/a/\u001b]0;owned\u0007\u202egnp.\u202c\nFAKE\t\u0430pple\u200b\u{e0041}.plist';
const hostile =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2028\u2029\u{e0000}-\u{e007f}]/u;

const zone = process.env['TZ'];
beforeAll(() => {
  process.env['TZ'] = 'Asia/Kolkata';
});
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

function grave(): Detection {
  const file = fileEvent('g1', {
    path: '/Users/alice/Library/Application Support/Some Vendor/Deep/Down/com.apple.updater.plist',
  });
  file.doc.event = { ...file.doc.event, type: ['creation'] };
  file.doc.launchwarden = {
    ...file.doc.launchwarden,
    findings: ['remote-script', 'apple-label', 'dyld-environment'],
  };
  return detection({ id: 'e1'.repeat(16), events: [file, processEvent('g2')], candidates: [] });
}

/** A data folder of each kind, and one alert in it to look at. */
const stores = {
  empty() {
    return { dataDir: storedAlerts([]), id: undefined };
  },
  many() {
    const plugIn = event('d1', '2026-11-22T06:40:00.000000Z', {
      event: { category: ['file'], type: ['change'], action: 'modification' },
      user: { name: 'bob', id: '502' },
      file: { path: '/Library/DirectoryServices/PlugIns/x.dsplug' },
    });
    const medium = {
      ...rule,
      id: '70244694-b1d5-459e-b5c7-950851876668',
      name: 'DirectoryService plug-in changed',
    };
    const dataDir = storedAlerts([
      grave(),
      detection({
        id: '77c0'.repeat(8),
        rule: { ...medium, severity: 'medium', riskScore: 47 },
        events: [plugIn],
        candidates: [],
      }),
      detection(),
    ]);
    multiplyAlerts(dataDir, 10_006);
    return { dataDir, id: 'e1'.repeat(16) };
  },
  hostile() {
    const file = fileEvent('h1', { path: evil, owner: evil });
    file.doc.launchwarden = {
      ...file.doc.launchwarden,
      plist: { label: evil, program: evil },
      findings: [evil],
    };
    const process = processEvent('h2', {
      name: evil,
      executable: evil,
      args: ['launchctl', evil],
      command_line: evil,
    });
    process.doc.user = { name: evil, id: evil };
    const bad = {
      ...rule,
      name: evil,
      falsePositives: [evil],
      references: [evil],
      note: evil.replace('\n', ''),
    };
    const dataDir = storedAlerts([
      detection({ id: 'ba'.repeat(16), rule: bad, events: [file, process], candidates: [] }),
    ]);
    return { dataDir, id: 'ba'.repeat(16) };
  },
} as const;

const commands: readonly (readonly [name: string, argv: (id: string) => readonly string[]])[] = [
  ['alerts-list', () => ['alerts', 'list', '--limit', '8']],
  ['alerts-list-priority', () => ['alerts', 'list', '--sort', 'priority', '--limit', '5']],
  ['alerts-flat', () => ['alerts', 'list', '--flat', '--limit', '5']],
  ['alerts-stats', () => ['alerts', 'stats']],
  ['alerts-history', (id) => ['alerts', 'history', id]],
  ['alerts-close-preview', () => ['alerts', 'close', '--severity', 'low']],
  ['alerts-ack', (id) => ['alerts', 'ack', id, '--note', evil]],
  ['alerts-ack-again', (id) => ['alerts', 'ack', id]],
  ['alerts-unknown', () => ['alerts', 'show', 'deadbeef']],
  ['outbox-dead', () => ['outbox', 'dead', 'list']],
  ['exceptions-list', () => ['exceptions', 'list']],
  ['forward-status', () => ['forward', 'status']],
  ['config-check', () => ['config', 'check']],
];

/** What differs from one run to the next. */
function settled(text: string, folder: string): string {
  return text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/^(less than|more than) (\d+[hd]) +[\d,]+$/gm, '$1 $2  N')
    .replaceAll(/(?:\d+(?:ms|[smhd]) ?){1,2} ago|just now/g, 'A WHILE AGO')
    .replaceAll(/20(?!26-11-(?:1[56]|22))\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?/g, 'A TIME');
}

describe.each([
  [80, 24],
  [160, 50],
])('%ix%i', (columns, rows) => {
  test.each(Object.keys(stores) as (keyof typeof stores)[])('%s', async (kind) => {
    const folder = tempFolder();
    const { dataDir, id } = stores[kind]();
    mkdirSync(path.join(folder, 'exceptions'));
    writeFileSync(
      path.join(folder, 'c.toml'),
      kind === 'empty' ? '' : '[[destination]]\nname = "siem"\ntype = "file"\npath = "siem/alerts.ndjson"\n',
    );
    const flags = ['--config', path.join(folder, 'c.toml'), '--data-dir', dataDir];
    const screens: string[] = [];
    for (const [name, argv] of commands) {
      const words = argv(id ?? 'deadbeef');
      const run = await cli([...words, ...flags], {
        columns,
        rows,
        user: 'carol',
        env: { NO_COLOR: '1' },
        system: fakeSystem({ uid: 501 }),
      });
      const text = `${run.stdout}${run.stderr}`;
      expect(text, name).not.toMatch(hostile);
      for (const line of run.stdout.split('\n')) expect(line, name).not.toMatch(/^FAKE/);
      // Of a table no row runs over the edge; single sentences may wrap.
      if (/list|flat|stats/.test(name))
        for (const line of run.stdout.split('\n'))
          expect([...line].length, `${name}: ${line}`).toBeLessThanOrEqual(columns);
      screens.push(`==== ${name} (exit ${run.code})`, settled(text, folder).replaceAll(dataDir, 'DATA'));
    }
    await expect(screens.join('\n')).toMatchFileSnapshot(
      `../../fixtures/screens/${kind}-${columns}x${rows}.txt`,
    );
  });

  test('status of an agent that is not well', async () => {
    const dataDir = tempFolder();
    const siem = {
      name: 'siem',
      state: 'refused',
      reason: `403 ${evil}`,
      delivered: 7,
      dead: 1,
      lanes: { alert: { rows: 1_234 } },
    };
    const said = {
      verdict: 'degraded',
      reasons: [
        'destination siem is refused: 403',
        'a rule is parked and detects nothing: mine.toml:3: no such field',
      ],
      version: '1.2.3',
      pid: 42,
      started: '2026-11-22T05:40:13Z',
      tier: { running: 'scan', reason: 'eslogger lacks Full Disk Access' },
      sensors: [
        {
          kind: 'file-watch',
          running: true,
          notes: ['the writing process is not known'],
          blind: [{ place: evil, reason: 'EACCES' }],
        },
        { kind: 'process-scan', running: true, notes: [] },
      ],
      destinations: [
        siem,
        { name: 'lab', state: 'holding_simulated', delivered: 0, lanes: {} },
        { name: 'new', state: 'not_started', lanes: {} },
      ],
      store: { state: 'full', reason: 'no space left', held_alerts: 3, held_events: 0 },
      disk: { free_bytes: 0, data_bytes: 3_500_000 },
      alerts: [
        { status: 'open', level: 'critical', alerts: 2 },
        { status: 'open', level: 'low', alerts: 10_000 },
        { status: 'acknowledged', level: 'low', alerts: 4 },
      ],
      rules: 73,
      rule_counts: { on: 70, off: 2, degraded: 3, parked: 1, passed_over: 0 },
      parked_rules: ['mine.toml:3: no such field'],
    };
    const daemon = await ControlServer.listen(
      dataDir,
      { status: () => said, 'forward.status': () => said.destinations },
      silentLogger,
    );
    try {
      const screens: string[] = [];
      for (const words of [['status'], ['forward', 'status']]) {
        const run = await cli([...words, '--data-dir', dataDir], { columns, rows, env: { NO_COLOR: '1' } });
        expect(run.stdout).not.toMatch(hostile);
        screens.push(`==== ${words.join(' ')} (exit ${run.code})`, run.stdout);
      }
      await expect(screens.join('\n')).toMatchFileSnapshot(
        `../../fixtures/screens/status-${columns}x${rows}.txt`,
      );
    } finally {
      await daemon.close();
    }
  });
});

test('the store of the screens is what it is said to be', () => {
  const { dataDir } = stores.many();
  const store = openStore({ dataDir, clock: systemClock, readOnly: true });
  expect(store.alerts.count({})).toBe(10_006);
  store.close();
});
