import { describe, expect, onTestFinished, test } from 'vitest';
import { type TierName, Tiers } from '../../../src/agent/tiers.js';
import { silentLogger } from '../../../src/base/log.js';
import type { SensorTier } from '../../../src/config/index.js';
import type { SensorKind } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { FakeSensor, observation, RecordingSet } from './fake-sensor.js';

const kinds: Record<TierName, SensorKind> = {
  'endpoint-security': 'endpoint-security',
  eslogger: 'eslogger',
  scan: 'process-scan',
};
const pauses = { firstMs: 1_000, largestMs: 8_000, healthyMs: 60_000, permissionMs: 86_400_000 };

function rig(
  refusals: Partial<Record<TierName, string>>,
  wanted: SensorTier = 'auto',
  codes: Partial<Record<TierName, string>> = {},
) {
  const names = (Object.keys(kinds) as TierName[]).filter((name) => wanted === 'auto' || wanted === name);
  const clock = new ManualClock();
  const sink = new RecordingSet();
  const made: FakeSensor[] = [];
  const since: (number | undefined)[] = [];
  const said: { name: string; reason: unknown }[] = [];
  const log = {
    ...silentLogger,
    info: (fields: object, message: string) => {
      const { tier, reason } = fields as { tier: string; reason: unknown };
      if (message === 'tier cannot be used') said.push({ name: tier, reason });
    },
  };
  let switches = 0;
  const tiers = new Tiers({
    wanted,
    clock,
    log,
    sink,
    pauses,
    onSwitch: () => switches++,
    choices: names.map((name) => ({
      name,
      make(from) {
        const sensor = new FakeSensor(kinds[name], refusals[name]);
        sensor.refusalCode = codes[name] ?? 'fake';
        made.push(sensor);
        since.push(from);
        return sensor;
      },
    })),
  });
  onTestFinished(() => tiers.stop());
  const settle = async () => {
    for (let turn = 0; turn < 30; turn++) await Promise.resolve();
  };
  return {
    tiers,
    clock,
    sink,
    made,
    since,
    said,
    refusals,
    switches: () => switches,
    settle,
    async pass(milliseconds: number) {
      clock.pass(milliseconds);
      await settle();
    },
    /** The sensor that runs. */
    current: () => tiers.sensor as FakeSensor,
    async die(reason: string) {
      (tiers.sensor as FakeSensor).sink?.failed(reason);
      await settle();
    },
  };
}

describe('the choice at the start', () => {
  test('is the best that starts; the reasons of the others are kept', async () => {
    const { tiers, sink } = rig({ 'endpoint-security': 'no entitlement', eslogger: 'no Full Disk Access' });
    await tiers.start();
    expect(tiers.status()).toMatchObject({
      wanted: 'auto',
      running: 'scan',
      reason: 'endpoint-security: no entitlement; eslogger: no Full Disk Access',
      refused: { 'endpoint-security': 'no entitlement', eslogger: 'no Full Disk Access' },
    });
    expect(sink.log).toEqual(['+process-scan']);
    expect(sink.gaps).toEqual([]);
  });

  test('stops at the first one: exactly one runs', async () => {
    const { tiers, made } = rig({});
    await tiers.start();
    expect(tiers.status()).toMatchObject({ running: 'endpoint-security', refused: {} });
    expect(made).toHaveLength(1);
  });

  test('that was asked for and cannot be had is an error, not another tier', async () => {
    const { tiers, sink } = rig({ eslogger: 'no Full Disk Access' }, 'eslogger');
    await expect(tiers.start()).rejects.toMatchObject({
      code: 'sensor/eslogger-fake',
      message: 'no Full Disk Access',
    });
    expect(sink.log).toEqual([]);
  });

  test('of none, when all are disabled, is said', async () => {
    const sink = new RecordingSet();
    const tiers = new Tiers({
      wanted: 'auto',
      choices: [],
      clock: new ManualClock(),
      log: silentLogger,
      sink,
    });
    await tiers.start();
    expect(tiers.status()).toMatchObject({
      running: null,
      reason: 'every sensor of processes is disabled',
    });
  });
});

describe('a tier that dies', () => {
  test('is replaced at once by the next lower one; the switch is a gap since its last word', async () => {
    const { tiers, clock, sink, current, die, since, switches } = rig({});
    await tiers.start();
    clock.pass(5_000);
    const last = clock.now();
    current().sink?.completeThrough(last);
    clock.pass(300);
    await die('the client was closed');
    expect(tiers.status()).toMatchObject({
      running: 'eslogger',
      refused: { 'endpoint-security': 'the client was closed' },
      lost: ['endpoint-security'],
    });
    expect(sink.gaps).toEqual([
      {
        sensor: 'eslogger',
        reason: 'tier-switch',
        from: last,
        to: last + 300_000,
        detail: 'from endpoint-security to eslogger: the client was closed',
        blinded: true,
      },
    ]);
    expect(sink.log).toEqual(['+endpoint-security', '-endpoint-security', '+eslogger']);
    // The next one is told since when nobody looked.
    expect(since).toEqual([undefined, last]);
    expect(switches()).toBe(2);
  });

  test('and no other can be used: a gap that says that nothing is seen, until one can', async () => {
    const { tiers, clock, sink, die, refusals, pass, current } = rig({}, 'eslogger');
    await tiers.start();
    const last = clock.now();
    current().sink?.completeThrough(last);
    refusals.eslogger = 'revoked';
    await die('killed');
    expect(tiers.status()).toMatchObject({ running: null, reason: 'eslogger: killed' });
    expect(sink.gaps).toMatchObject([
      { sensor: 'eslogger', reason: 'ended', detail: expect.stringContaining('not seen'), blinded: true },
    ]);
    await pass(2_000);
    expect(tiers.status().running).toBe(null);
    delete refusals.eslogger;
    await pass(8_000);
    expect(tiers.status().running).toBe('eslogger');
    expect(sink.gaps[1]).toMatchObject({ reason: 'tier-switch', from: last });
  });

  test('while it starts counts as dead', async () => {
    const { tiers, made, settle } = rig({});
    const started = tiers.start();
    await Promise.resolve();
    made[0]?.sink?.failed('at once');
    await started;
    await settle();
    expect(tiers.status()).toMatchObject({
      running: 'eslogger',
      refused: { 'endpoint-security': 'at once' },
    });
  });

  test('is not heard any more', async () => {
    const { tiers, sink, made, die } = rig({});
    await tiers.start();
    await die('killed');
    const before = sink.gaps.length;
    made[0]?.sink?.observe(observation());
    made[0]?.sink?.gap({ sensor: 'endpoint-security', reason: 'x', from: 0, to: 0, detail: '' });
    made[0]?.sink?.failed('again');
    expect(sink.observed).toEqual([]);
    expect(sink.gaps).toHaveLength(before);
    expect(tiers.status().running).toBe('eslogger');
  });
});

describe('a better tier that comes back', () => {
  test('takes over: it starts before the other one ends, and the switch is a gap record', async () => {
    const { tiers, sink, refusals, pass, clock } = rig({
      'endpoint-security': 'no entitlement',
      eslogger: 'no Full Disk Access',
    });
    await tiers.start();
    delete refusals.eslogger;
    const before = clock.now();
    await pass(1_000);
    expect(tiers.status()).toMatchObject({
      running: 'eslogger',
      reason: 'endpoint-security: no entitlement',
      refused: { 'endpoint-security': 'no entitlement' },
    });
    expect(sink.log).toEqual(['+process-scan', '+eslogger', '-process-scan']);
    expect(sink.gaps).toMatchObject([
      { reason: 'tier-switch', detail: 'from scan to eslogger, which can be used now' },
    ]);
    expect(sink.gaps[0]?.from).toBeGreaterThanOrEqual(before);
  });

  test('is tried with growing pauses, and what it says is logged once', async () => {
    const { tiers, made, pass, said } = rig({ 'endpoint-security': 'a', eslogger: 'b' });
    await tiers.start();
    const at: number[] = [];
    for (let second = 1; second <= 40; second++) {
      const before = made.length;
      await pass(1_000);
      if (made.length > before) at.push(second);
    }
    expect(at).toEqual([1, 3, 7, 15, 23, 31, 39]);
    expect(said).toEqual([
      { name: 'endpoint-security', reason: 'a' },
      { name: 'eslogger', reason: 'b' },
    ]);
  });

  test('for want of what only a person can give is tried once a day, and keeps no other from being tried', async () => {
    const { tiers, made, pass } = rig({ 'endpoint-security': 'a', eslogger: 'b' }, 'auto', {
      'endpoint-security': 'not-entitled',
      eslogger: 'not-permitted',
    });
    await tiers.start();
    const tried = () => made.map(({ kind }) => kind).slice(3);
    await pass(86_000_000);
    expect(tried()).toEqual([]);
    await pass(400_000);
    expect(tried()).toEqual(['endpoint-security', 'eslogger']);
    await pass(86_000_000);
    expect(tried()).toHaveLength(2);

    const other = rig({ 'endpoint-security': 'a', eslogger: 'b' }, 'auto', { eslogger: 'not-permitted' });
    await other.tiers.start();
    for (let minute = 0; minute < 60; minute++) await other.pass(60_000);
    const again = other.made.slice(3).map(({ kind }) => kind);
    expect(again.length).toBeGreaterThan(3);
    expect(new Set(again)).toEqual(new Set(['endpoint-security']));
  });

  test('is tried at once when a person says that something has changed', async () => {
    const { tiers, made, pass, refusals, sink } = rig({ 'endpoint-security': 'a', eslogger: 'b' }, 'auto', {
      'endpoint-security': 'not-entitled',
      eslogger: 'not-permitted',
    });
    await tiers.start();
    delete refusals.eslogger;
    await tiers.retry();
    expect(made.slice(3).map(({ kind }) => kind)).toEqual(['endpoint-security', 'eslogger']);
    expect(tiers.status().running).toBe('eslogger');
    expect(sink.gaps.at(-1)).toMatchObject({ reason: 'tier-switch' });
    await pass(80_000_000);
    expect(made).toHaveLength(5);

    const best = rig({});
    await best.tiers.start();
    await best.tiers.retry();
    expect(best.made).toHaveLength(1);
  });

  test('that lost its permission while it ran is asked once more, and then once a day', async () => {
    const { tiers, made, pass, die, refusals } = rig({}, 'auto', { 'endpoint-security': 'not-permitted' });
    await tiers.start();
    refusals['endpoint-security'] = 'no Full Disk Access';
    await die('no Full Disk Access');
    await pass(3_600_000);
    expect(made.filter(({ kind }) => kind === 'endpoint-security')).toHaveLength(2);
    delete refusals['endpoint-security'];
    await pass(86_400_000);
    expect(tiers.status().running).toBe('endpoint-security');
  });

  test('and dies again and again is tried ever less often', async () => {
    const { tiers, made, pass, die } = rig({});
    await tiers.start();
    const at: number[] = [];
    await die('flaps');
    for (let second = 1; second <= 40; second++) {
      const before = made.length;
      await pass(1_000);
      if (made.length === before) continue;
      at.push(second);
      await die('flaps');
    }
    expect(at).toEqual([1, 3, 7, 15, 23, 31, 39]);
    expect(tiers.status().running).not.toBe(null);
  });

  test('is not tried when the best one runs, nor after stop', async () => {
    const best = rig({});
    await best.tiers.start();
    await best.pass(100_000);
    expect(best.made).toHaveLength(1);
    const low = rig({ 'endpoint-security': 'a' });
    await low.tiers.start();
    await low.tiers.stop();
    await low.pass(100_000);
    expect(low.made).toHaveLength(2);
    expect(low.made[1]?.stops).toBe(1);
    expect(low.sink.log).toEqual(['+eslogger', '-eslogger']);
  });
});
