import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Mark, probes, sections } from '../../../src/doctor/index.js';
import { knownSchemas } from '../../../src/store/index.js';

const now = 1_800_000_000_000_000;

function judged(name: string, facts: unknown) {
  const probe = probes.find((one) => one.name === name);
  if (probe === undefined) throw new Error(`no question ${name}`);
  return probe.judge(facts, now);
}

const hour = 3_600_000_000;
const loaded = (facts: object) => ({ state: 'loaded', facts });
const job = { mac: true, installed: true, has: true, spawnType: 'interactive (4)', file: '/Library/x.plist' };
const jobFile = { state: 'read', file: '/x.plist', text: '<plist>a', uid: 0, gid: 0, mode: 0o644, args: [] };
const time = { now, parted: 0, stored: { newest: now, steps: [] }, skews: [] };

const clockBlind = { ...time, stored: undefined };

const cases: readonly (readonly [name: string, mark: Mark, facts: object])[] = [
  ['root', 'ok', { uid: 0, mac: true }],
  // Whether it was set stands in the store.
  ['clock', 'unknown', clockBlind],
  ['root', 'warning', { uid: 501, mac: true }],
  ['root', 'not-here', { uid: 501, mac: false }],
  ['full-disk-access', 'ok', { mac: true, simulated: false, agent: 'granted', own: { state: 'denied' } }],
  ['full-disk-access', 'failed', { mac: true, simulated: false, agent: 'denied', own: { state: 'granted' } }],
  // Whoever asks is the terminal: that it may read everything says nothing of the agent, nor the opposite.
  ['full-disk-access', 'warning', { mac: true, simulated: false, own: { state: 'granted' } }],
  ['full-disk-access', 'unknown', { mac: true, simulated: false, own: { state: 'denied', reason: 'EPERM' } }],
  ['tier', 'ok', { mac: true, from: 'x', tier: 'eslogger', reason: '' }],
  ['tier', 'warning', { mac: true, from: 'x', tier: 'scan', reason: '' }],
  ['tier', 'ok', { mac: false, from: 'x', tier: 'scan', reason: '' }],
  ['tier', 'failed', { mac: true, from: 'x', tier: null, reason: 'all refused' }],
  ['gaps', 'ok', []],
  ['gaps', 'ok', [{ reason: 'sleep', to: now }]],
  [
    'gaps',
    'warning',
    [
      { reason: 'sleep', to: now },
      { reason: 'overflow', to: now, sensor: 'x', detail: 'y' },
    ] as never,
  ],
  ['job', 'ok', { ...job, answer: loaded({ pid: 7, path: '/Library/x.plist' }) }],
  ['job', 'failed', { ...job, answer: loaded({ pid: 7, path: '/Users/m/x.plist' }) }],
  ['job', 'failed', { ...job, answer: loaded({}) }],
  ['job', 'warning', { ...job, spawnType: 'background (5)', answer: loaded({ pid: 7 }) }],
  ['job', 'failed', { ...job, answer: { state: 'not-loaded' } }],
  ['job', 'warning', { ...job, installed: false, answer: { state: 'not-loaded' } }],
  ['job', 'unknown', { ...job, answer: { state: 'unknown' } }],
  ['login-item', 'failed', { mac: true, installed: true, asked: true, disabled: true, listed: false }],
  [
    'login-item',
    'failed',
    {
      mac: true,
      installed: true,
      asked: true,
      listed: true,
      disposition: '[enabled, disallowed, notified] (9)',
    },
  ],
  [
    'login-item',
    'ok',
    {
      mac: true,
      installed: true,
      asked: true,
      listed: true,
      disposition: '[enabled, allowed, notified] (11)',
    },
  ],
  ['login-item', 'unknown', { mac: true, installed: true, asked: true, listed: false }],
  ['disk', 'ok', { free: 50e9, reserve: 8e6, state: 'ok' }],
  ['disk', 'warning', { free: 1e9, reserve: 8e6, state: 'ok' }],
  ['disk', 'failed', { free: 1e6, reserve: 0, state: undefined }],
  ['disk', 'failed', { free: 50e9, reserve: 0, state: 'refused', reason: 'EROFS' }],
  ['clock', 'ok', time],
  ['clock', 'failed', { ...time, parted: -3_600_000 }],
  ['clock', 'failed', { ...time, stored: { newest: now + hour, steps: [] } }],
  ['clock', 'failed', { ...time, skews: [{ name: 'siem', skew: -hour }] }],
  ['clock', 'warning', { ...time, stored: { newest: now, steps: [{ to: now, detail: 'x' }] } }],
  ['database', 'ok', { dataDir: '/d', found: [['a.db', { state: 'sound', schema: 3 }]] }],
  ['database', 'warning', { dataDir: '/d', found: [['a.db', { state: 'unfinished' }]] }],
  ['database', 'unknown', { dataDir: '/d', found: [['a.db', { state: 'unreadable', reason: 'EACCES' }]] }],
  ['database', 'failed', { dataDir: '/d', found: [['a.db', { state: 'damaged', problems: ['x'] }]] }],
  [
    'database',
    'failed',
    { dataDir: '/d', found: [['launchwarden.db', { state: 'sound', schema: knownSchemas.main + 1 }]] },
  ],
  ['job-file', 'ok', { job: jobFile, wanted: { text: jobFile.text, keys: [] }, asRoot: true }],
  ['job-file', 'failed', { job: jobFile, wanted: { text: '<plist>b', keys: ['KeepAlive'] }, asRoot: true }],
  // The same for whom the last of two equal keys counts; for launchd it may be the first.
  ['job-file', 'failed', { job: jobFile, wanted: { text: '<plist>b', keys: [] }, asRoot: true }],
  ['canary', 'warning', undefined as never],
  ['canary', 'ok', { ok: true, ended: '2027-01-15T07:00:00Z', steps: [] }],
  ['canary', 'warning', { ok: true, ended: '2026-01-15T07:00:00Z', steps: [] }],
  [
    'canary',
    'failed',
    { ok: false, ended: '2027-01-15T07:00:00Z', steps: [{ link: 'seen', ok: false, detail: 'blind' }] },
  ],
  ['policy', 'not-here', { wanted: false, reasons: [] }],
  ['policy', 'warning', { wanted: true, expired: false, reasons: ['cannot be fetched'] }],
  ['policy', 'failed', { wanted: true, expired: true, reasons: ['it expired'] }],
  [
    'policy',
    'ok',
    { wanted: true, expired: false, reasons: [], ageMs: 5, inForce: { version: 3, expires: 'x' } },
  ],
  [
    'installed',
    'not-here',
    { mac: true, versions: [], job: false, problems: [], cutOff: false, running: '1' },
  ],
  ['installed', 'failed', { mac: true, versions: [], job: true, problems: [], cutOff: false, running: '1' }],
  [
    'installed',
    'failed',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: ['a was changed'],
      cutOff: false,
      running: '1',
    },
  ],
  [
    'installed',
    'failed',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: [],
      cutOff: true,
      running: '1',
    },
  ],
  [
    'installed',
    'warning',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: [],
      cutOff: false,
      running: '2',
      hasState: true,
    },
  ],
  [
    'installed',
    'ok',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: [],
      cutOff: false,
      running: '1',
      hasState: true,
    },
  ],
  [
    'installed',
    'failed',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: [],
      cutOff: false,
      running: '1',
      hasState: false,
    },
  ],
  [
    'installed',
    'failed',
    {
      mac: true,
      versions: [{}],
      current: { id: 'x', version: '1' },
      problems: [],
      cutOff: false,
      running: '1',
      stateProblem: 'install.json cannot be read: it is no JSON',
    },
  ],
  ['destinations', 'warning', { configured: [], known: [], running: true, tried: [] }],
  ['destinations', 'warning', { configured: ['siem'], known: [], running: true, tried: [] }],
  [
    'destinations',
    'ok',
    {
      configured: ['siem'],
      known: [{ name: 'siem', state: 'idle', paused: 'no', last_ok: '2027-01-15T07:00:00Z', lanes: {} }],
      running: true,
      tried: [],
    },
  ],
  [
    'destinations',
    'failed',
    {
      configured: ['siem'],
      known: [{ name: 'siem', state: 'parked', paused: 'no', reason: 'no password', lanes: {} }],
      running: true,
      tried: [],
    },
  ],
  [
    'destinations',
    'failed',
    {
      configured: ['siem'],
      known: [
        {
          name: 'siem',
          state: 'waiting',
          paused: 'no',
          lanes: { alert: { rows: 1, oldest: (now - hour) / 1000 } },
        },
      ],
      running: true,
      tried: [],
    },
  ],
  [
    'destinations',
    'failed',
    {
      configured: ['siem'],
      known: [{ name: 'siem', state: 'idle', paused: 'no', last_ok: '2027-01-15T07:00:00Z', lanes: {} }],
      running: true,
      tried: [{ name: 'siem', ok: false, detail: 'connect: refused' }],
    },
  ],
];

test.each(cases)('%s is %s', (name, mark, facts) => {
  const verdict = judged(name, facts);
  expect(verdict.mark, verdict.found).toBe(mark);
  if (mark === 'failed') expect(verdict.cure).toBeTruthy();
});

test('every question has a name of its own, a section that is shown, and its place in the documentation', () => {
  const names = probes.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  // Sections stand together, in their order.
  const order = probes.map(({ section }) => sections.indexOf(section));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  const text = readFileSync('docs/doctor.md', 'utf8');
  for (const name of names) expect(text, name).toContain(`\`${name}\``);
});

test('nobody is told to do what they did, nor the finding again as its cure', () => {
  const facts = { mac: true, installed: true, has: true, answer: { state: 'unknown' }, file: '' };
  expect(judged('job', { ...facts, asRoot: true })).not.toHaveProperty('cure');
  expect(judged('job', { ...facts, asRoot: false })).toMatchObject({ cure: 'Use sudo.' });
  const reasons = ['sensor launchd-state does not run'];
  const status = { version: '1.0.0', verdict: 'degraded', reasons };
  const verdict = judged('agent', { agent: { state: 'answers', status }, version: '1.0.0', dataDir: '/d' });
  expect(verdict).toMatchObject({ mark: 'warning', cure: '"launchwarden status" says more.' });
});
