import { expect, test } from 'vitest';
import { judgeHealth, type VerdictFacts } from '../../../src/agent/verdict.js';
import type { SensorHealth } from '../../../src/sensors/sensor.js';

const sensor = (kind: SensorHealth['kind'], more: Partial<SensorHealth> = {}): SensorHealth => ({
  kind,
  running: true,
  notes: [],
  counters: {},
  ...more,
});
const files = sensor('file-watch');
const scan = sensor('process-scan');
const tier: VerdictFacts['tier'] = {
  running: 'scan',
  wanted: 'auto',
  reason: 'eslogger: there is none',
  refused: { eslogger: 'there is none' },
  lost: [],
};
/** A destination in a state. */
const siem = (state: string, more: object = {}) =>
  [{ name: 'siem', state, reason: null, fails: 0, lanes: {}, ...more }] as VerdictFacts['destinations'];
const fine: VerdictFacts = {
  tier,
  sensors: [files, sensor('launchd-state'), scan],
  rules: { passedOver: 0, muted: 0 },
  store: { state: 'ok', reason: null, held_alerts: 0 },
  destinations: siem('idle'),
};
const blindIn = (...places: string[]) => ({
  ...files,
  blind: places.map((place) => ({ place, since: 1_700_000_000_000_000, reason: 'EACCES' })),
});

test('when nothing speaks against it, it is healthy', () => {
  expect(judgeHealth(fine)).toEqual({ verdict: 'healthy', reasons: [] });
});

test.each<[what: string, change: Partial<VerdictFacts>, verdict: string, reason: string]>([
  [
    'no sensor of processes',
    { tier: { ...tier, running: null, reason: 'scan: dead' } },
    'blind',
    'processes are not seen: scan: dead',
  ],
  ['no sensor of files', { sensors: [scan] }, 'blind', 'files are not seen'],
  [
    'a dead sensor of files',
    { sensors: [{ ...files, running: false }, scan] },
    'blind',
    'files are not seen',
  ],
  [
    'a dead sensor of jobs',
    { sensors: [files, scan, sensor('launchd-state', { running: false })] },
    'degraded',
    'launchd-state does not run',
  ],
  [
    'ps-list',
    { sensors: [files, { ...scan, degraded: 'polled with ps-list' }] },
    'degraded',
    'process-scan: polled with ps-list',
  ],
  [
    "a system's folder",
    { sensors: [blindIn('/Library/LaunchDaemons'), scan] },
    'blind',
    'file-watch is blind in /Library/LaunchDaemons since 2023-11-14T22:13:20Z: EACCES',
  ],
  ['what it stands in', { sensors: [blindIn('/Library'), scan] }, 'blind', 'blind in /Library since'],
  ['everything', { sensors: [blindIn('/'), scan] }, 'blind', 'blind in / since'],
  ['all homes', { sensors: [blindIn('/Users'), scan] }, 'blind', 'blind in /Users since'],
  [
    "one user's folder",
    { sensors: [blindIn('/Users/alice/Library/LaunchAgents'), scan] },
    'degraded',
    'blind in /Users/alice',
  ],
  [
    'a neighbour of a system folder',
    { sensors: [blindIn('/Library/LaunchAgentsOld'), scan] },
    'degraded',
    'blind in /Library/LaunchAgentsOld',
  ],
  [
    'a lost tier',
    { tier: { ...tier, refused: { eslogger: 'it ended with 1' }, lost: ['eslogger'] } },
    'degraded',
    'tier eslogger was lost: it ended with 1',
  ],
  [
    'a permission that is missing',
    { tier: { ...tier, refused: { eslogger: 'eslogger lacks Full Disk Access' } } },
    'degraded',
    'Full Disk Access',
  ],
  [
    'a full disk',
    { store: { state: 'full', reason: 'the disk is full', held_alerts: 3 } },
    'degraded',
    'the store is full: the disk is full',
  ],
  [
    'a refused database',
    { store: { state: 'refused', reason: 'not a database', held_alerts: 0 } },
    'degraded',
    'the store is refused',
  ],
  [
    'held alerts',
    { store: { state: 'ok', reason: null, held_alerts: 3 } },
    'degraded',
    '3 alerts are in memory alone',
  ],
  [
    'a paused destination',
    { destinations: siem('paused', { reason: 'paused by hand' }) },
    'degraded',
    'siem is paused: paused by hand',
  ],
  [
    'a refused one',
    { destinations: siem('refused', { reason: 'HTTP 401' }) },
    'degraded',
    'siem is refused: HTTP 401',
  ],
  [
    'one that rejects documents',
    { destinations: siem('rejecting', { reason: 'HTTP 400' }) },
    'degraded',
    'siem is rejecting: HTTP 400',
  ],
  [
    'a parked one',
    { destinations: siem('parked', { reason: 'no such key' }) },
    'degraded',
    'siem is parked: no such key',
  ],
  [
    'one that takes nothing',
    { destinations: siem('waiting', { fails: 3, reason: 'reset' }) },
    'degraded',
    'siem is waiting: reset',
  ],
  [
    'one whose alerts nobody takes',
    { destinations: siem('waiting', { lanes: { alert: { fails: 4 } }, reason: 'reset' }) },
    'degraded',
    'siem is waiting: reset',
  ],
  [
    'rules that cannot be used',
    { rules: { passedOver: 2, muted: 0 } },
    'degraded',
    '2 rule files are passed over',
  ],
  [
    'rules that nothing serves',
    { rules: { passedOver: 0, muted: 7 } },
    'degraded',
    '7 imported rules are off',
  ],
])('%s', (_what, change, verdict, reason) => {
  const judged = judgeHealth({ ...fine, ...change });
  expect(judged.verdict).toBe(verdict);
  expect(judged.reasons.join('\n')).toContain(reason);
});

test('a sensor that this system has nothing for is no fault', () => {
  const launchd = sensor('launchd-state', { running: false, unavailable: true });
  expect(judgeHealth({ ...fine, sensors: [files, launchd, scan] }).verdict).toBe('healthy');
});

test.each(['not_started', 'idle', 'sending', 'waiting', 'holding_simulated'])(
  'a destination that is %s says nothing yet, nor a better tier that this system does not have',
  (state) => {
    const destinations = siem(state, { fails: 1, reason: 'reset', lanes: { alert: { fails: 2 } } });
    expect(judgeHealth({ ...fine, destinations }).verdict).toBe('healthy');
  },
);

test('of many blind places some are named and the rest counted; the gravest come first; all is escaped', () => {
  const homes = Array.from({ length: 40 }, (_, n) => `/Users/u${n}\u001b[2J/Library/LaunchAgents`);
  const { verdict, reasons } = judgeHealth({
    ...fine,
    sensors: [blindIn(...homes, '/Library/LaunchAgents'), scan],
  });
  expect(verdict).toBe('blind');
  expect(reasons[0]).toContain('/Library/LaunchAgents since');
  expect(reasons).toHaveLength(7);
  expect(reasons.at(-1)).toBe('file-watch is blind in 35 more places');
  expect(reasons.join('')).not.toContain('\u001b');
});
