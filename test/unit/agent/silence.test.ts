import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Budget } from '../../../src/agent/budget.js';
import { CanaryKeeper } from '../../../src/agent/canary.js';
import { DataFolderWatch } from '../../../src/agent/data-folder.js';
import { Forwarding } from '../../../src/agent/forwarding.js';
import { ClockWatch } from '../../../src/agent/health.js';
import { HealthWatch } from '../../../src/agent/health-watch.js';
import { OwnFiles } from '../../../src/agent/own-files.js';
import { rulesGone } from '../../../src/agent/rules-gone.js';
import { Tiers } from '../../../src/agent/tiers.js';
import { judgeHealth, type VerdictFacts } from '../../../src/agent/verdict.js';
import { silentLogger } from '../../../src/base/log.js';
import { parseTime } from '../../../src/base/time.js';
import { canaryOps } from '../../../src/canary/index.js';
import type { Settings } from '../../../src/config/index.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Gap } from '../../../src/event/event.js';
import { lockOf } from '../../helpers/lock.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { FakeSensor, RecordingSet } from '../agent-tiers/fake-sensor.js';
import { ScriptedDestination, target } from '../forward/fakes.js';
import { context, detection, start, temporaryFolder, temporaryStore } from '../store/samples.js';

const log = silentLogger;
const limitMs = 60_000;

/** The parts of the agent that tell of it, over a real store, with two receivers, on a clock that the test owns. */
function rig() {
  const clock = new ManualClock(start);
  const dataDir = path.join(temporaryFolder(), 'data');
  const store = temporaryStore({ dataDir, clock, keepGoing: true });
  const receivers = ['siem', 'other'].map((name) => new ScriptedDestination(name));
  const [siem, other] = receivers as [ScriptedDestination, ScriptedDestination];
  const forwarding = new Forwarding({
    settings: {
      forward: { dead_rows: 100, dead_age: 1e9, parked_age: 1e9, heartbeat: 300_000 },
    } as unknown as Settings,
    ...{ store, clock, log },
    targets: receivers.map((one) => target(one)),
    version: '1',
    agentId: 'agent-1',
    host: {},
    simulated: false,
    delivered: () => {},
    health: () => ({}),
  });
  const gap = (one: Gap) => {
    store.gaps.add(one);
    forwarding.gap(one);
  };
  const facts = {
    tier: { running: 'scan', wanted: 'auto', reason: '', refused: {}, lost: [] },
    sensors: [
      { kind: 'file-watch', running: true, notes: [], counters: {} },
      { kind: 'process-scan', running: true, notes: [], counters: {} },
    ],
    rules: { passedOver: 0, muted: 0 },
  } satisfies Partial<VerdictFacts>;
  const health = new HealthWatch({
    ...{ clock, log },
    judge: () =>
      judgeHealth({
        ...facts,
        store: store.condition(),
        destinations: forwarding.forwarder.status(),
      }),
    changed: (change) => forwarding.health(change),
  });
  forwarding.start();
  onTestFinished(async () => {
    health.stop();
    await forwarding.forwarder.stop(0);
  });
  return { clock, dataDir, store, siem, other, forwarding, gap, folder: path.dirname(dataDir) };
}

type Rig = ReturnType<typeof rig>;

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Lets time pass until a status document other than a heartbeat has come to `receiver`; undefined after a minute. */
async function told(
  { clock, store, gap }: Rig,
  receiver: ScriptedDestination,
  from: number,
): Promise<EcsDocument | undefined> {
  for (let passed = 0; passed <= limitMs; passed += 500) {
    await turns();
    const docs = receiver.requests
      .slice(from)
      .flat()
      .map(({ body }) => JSON.parse(body) as EcsDocument);
    const found = docs.find(({ event }) => !['heartbeat', 'rule-match'].includes(String(event?.action)));
    if (found !== undefined) return found;
    clock.pass(500);
    store.tend();
    for (const notice of store.takeNotices()) gap({ sensor: 'agent', ...notice });
  }
  return undefined;
}

async function dyingTier({ gap, clock }: Rig, reason: string, others: readonly string[]): Promise<void> {
  const made: FakeSensor[] = [];
  const sink = Object.assign(new RecordingSet(), { gap });
  const tiers = new Tiers({
    ...{ wanted: 'auto', clock, log, sink },
    choices: [
      { name: 'eslogger', make: () => made[made.push(new FakeSensor('eslogger')) - 1] as FakeSensor },
      ...others.map(() => ({ name: 'scan' as const, make: () => new FakeSensor('process-scan') })),
    ],
  });
  onTestFinished(() => tiers.stop());
  await tiers.start();
  made[0]?.sink?.failed(reason);
}

function ownFiles({ folder, clock, gap }: Rig) {
  const job = path.join(folder, 'com.launchwarden.agent.plist');
  const script = path.join(folder, 'app', 'bin', 'launchwarden.js');
  const module = path.join(folder, 'app', 'dist', 'agent', 'agent.js');
  for (const file of [script, module]) mkdirSync(path.dirname(file), { recursive: true });
  for (const file of [job, script, module]) writeFileSync(file, 'as it was');
  let known: string | undefined;
  const watch = () =>
    new OwnFiles({
      ...{ clock, log, job, known },
      program: { node: process.execPath, script },
      remember: (text) => {
        known = text;
      },
      changed: gap,
    });
  return { job, module, watch };
}

const faults: Readonly<Record<string, (rig: Rig) => void | Promise<void>>> = {
  'access lost': (one) => dyingTier(one, 'eslogger lacks Full Disk Access', ['scan']),
  'agent stopped': ({ forwarding }) => void forwarding.stop(5_000, { last: true }),
  'sensor dead': (one) => dyingTier(one, 'it ended', []),
  'clock set': ({ clock, gap }) => {
    const watch = new ClockWatch(clock, gap);
    onTestFinished(() => watch.stop());
    clock.step(-3_600_000);
  },
  // A disk that is full refuses a commit as a lock does.
  'disk full': ({ dataDir, store }) => {
    onTestFinished(lockOf(dataDir, 'launchwarden.db'));
    store.transaction(() => store.alerts.upsert(detection('a'), context, []));
  },
  'database gone': ({ dataDir, clock, gap }) => {
    const now = clock.now();
    const lost = (detail: string) =>
      gap({ sensor: 'agent', reason: 'data-lost', from: now, to: now, detail });
    const watch = new DataFolderWatch(dataDir, clock, lost);
    onTestFinished(() => watch.stop());
    rmSync(path.join(dataDir, 'launchwarden.db'));
  },
  'destination refused': ({ siem, store, forwarding }) => {
    siem.answer = (items) =>
      items.map(() => ({
        kind: 'pause',
        cause: 'auth',
        reason: 'the token is not valid (401)',
        certain: true,
      }));
    store.alerts.upsert(detection('a'), context, ['siem']);
    forwarding.forwarder.wake();
  },
  'rules gone': ({ store, clock, gap }) => {
    const times = () => ({ before: clock.now(), now: clock.now() });
    expect(
      rulesGone(
        store,
        new Map([
          ['1', 'One'],
          ['2', 'Two'],
        ]),
        times(),
      ),
    ).toBeUndefined();
    const gone = rulesGone(store, new Map([['1', 'One']]), times());
    if (gone !== undefined) gap(gone);
  },
  'job edited': (one) => {
    const { job, watch } = ownFiles(one);
    const watching = watch();
    onTestFinished(() => watching.stop());
    appendFileSync(job, ' no more');
  },
  'program edited': (one) => {
    const { module, watch } = ownFiles(one);
    const watching = watch();
    onTestFinished(() => watching.stop());
    appendFileSync(module, ' no more');
  },
  'budget exceeded': ({ clock, gap }) => {
    new Budget({
      ...{ settings: { cpu: 0.1, memory: undefined }, clock, gap },
      load: () => ({ cpu: 0.5, memory: 0 }),
    }).tick();
  },
  'canary failed': ({ store, clock, gap }) => {
    const keeper = new CanaryKeeper({
      ...{ store, clock, log, failed: gap, everyMs: undefined, destinations: [] },
      place: { kind: 'daemon' },
      ruleTrouble: () => undefined,
      destinationTrouble: () => undefined,
      sightTrouble: () => undefined,
      launch: () => {},
      reopen: () => {},
    });
    const call = (op: string, args?: unknown) => keeper.handlers()[op]?.(args);
    const { item } = call(canaryOps.begin) as { item: { label: string } };
    call(canaryOps.end, { label: item.label, steps: [], aborted: false });
  },
};

test('there are twelve', () => expect(Object.keys(faults)).toHaveLength(12));

test.each(Object.entries(faults))('%s reaches the SIEM within a minute', async (name, fault) => {
  const one = rig();
  await turns();
  const receiver = name === 'destination refused' ? one.other : one.siem;
  const from = receiver.requests.length;
  const begun = one.clock.now();
  await fault(one);
  const doc = await told(one, receiver, from);
  expect(doc, 'nothing came').toBeDefined();
  const { not_seen, since } = (doc?.launchwarden?.['status'] ?? {}) as { not_seen?: string; since?: string };
  expect(not_seen?.length).toBeGreaterThan(10);
  // Of the hour that the clock was set back the beginning lies before.
  const time = parseTime(String(since))?.time ?? 0;
  expect(time).toBeGreaterThan(begun - 3_700_000_000);
  expect(time).toBeLessThanOrEqual(begun + limitMs * 1000);
  expect(doc?.event).toMatchObject({ outcome: 'failure', start: since });
});

test('while all is well nothing is told but heartbeats', async () => {
  const one = rig();
  const { watch } = ownFiles(one);
  const watching = watch();
  onTestFinished(() => watching.stop());
  await turns();
  expect(await told(one, one.siem, 0)).toBeUndefined();
});

test('a destination that is well again is told, too', async () => {
  const one = rig();
  await faults['destination refused']?.(one);
  expect(await told(one, one.other, 0)).toBeDefined();
  const from = one.other.requests.length;
  one.siem.answer = (items) => items.map(() => ({ kind: 'delivered' }));
  one.forwarding.forwarder.resume('siem');
  const doc = await told(one, one.other, from);
  expect(doc).toMatchObject({ message: 'launchwarden is healthy again', event: { outcome: 'success' } });
});

test('what was edited while no agent ran is told by the next start', async () => {
  const one = rig();
  const { job, module, watch } = ownFiles(one);
  watch().stop();
  one.clock.pass(5_000);
  watch().stop();
  expect(one.store.gaps.list()).toEqual([]);
  appendFileSync(job, ' no more');
  appendFileSync(module, ' no more');
  watch().stop();
  const reasons = () => one.store.gaps.list().map(({ reason }) => reason);
  expect(reasons().sort()).toEqual(['job-changed', 'program-changed']);
  // Told once.
  watch().stop();
  expect(reasons()).toHaveLength(2);
});

test('a code cache is a part of the program', () => {
  const one = rig();
  const { module, watch } = ownFiles(one);
  const cache = path.join(path.dirname(module), 'run.cache');
  writeFileSync(cache, 'as it was');
  watch().stop();
  writeFileSync(cache, 'something else');
  watch().stop();
  expect(one.store.gaps.list().map(({ reason }) => reason)).toEqual(['program-changed']);
});

test('a job that is written anew as it was is no edit', async () => {
  const one = rig();
  const { job, watch } = ownFiles(one);
  const watching = watch();
  onTestFinished(() => watching.stop());
  writeFileSync(job, 'as it was');
  one.clock.pass(60_000);
  expect(one.store.gaps.list()).toEqual([]);
});
