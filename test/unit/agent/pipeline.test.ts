import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pipeline, type PipelineOptions } from '../../../src/agent/pipeline.js';
import { type Logger, silentLogger } from '../../../src/base/log.js';
import type { Event, Observation } from '../../../src/event/event.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fileEvent, launchctl, rule, start } from '../detect/events.js';

let dataDir: string;
let store: Store;
let clock: ManualClock;
let disk: { full: boolean; refuses: string | undefined };
let said: string[];
let asked: [string, number][];
let onAsk: (sensor: string) => void;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-pipeline-'));
  clock = new ManualClock(start);
  store = openStore({ dataDir, clock });
  disk = { full: false, refuses: undefined };
  said = [];
  asked = [];
  onAsk = () => {};
});

afterEach(() => {
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The store on a disk that the test fills, and that refuses one alert for ever. */
function onDisk(): Store {
  const full = () => {
    if (disk.full) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  };
  const guarded = <T extends object>(part: T, writes: readonly string[]): T =>
    new Proxy(part, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (writes.includes(String(key))) full();
          const [first] = args as [{ events?: Event[] } | undefined];
          if (key === 'upsert' && first?.events?.[0]?.id === disk.refuses) throw new TypeError('odd alert');
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  return {
    ...store,
    events: guarded(store.events, ['transaction', 'append', 'replace']),
    alerts: guarded(store.alerts, ['upsert', 'amendEvent']),
    transaction: (run) => {
      full();
      return store.transaction(run);
    },
  };
}

function pipeline(
  query = 'file where true',
  keep: (observation: Observation) => void = () => {},
  more: Partial<PipelineOptions> = {},
): Pipeline {
  const log: Logger = { ...silentLogger, error: (_, message) => said.push(message) };
  const made = new Pipeline({
    store: onDisk(),
    enricher: { enrich: ({ event }: { event: Event }) => [event] } as never,
    rules: [rule('eql', query)],
    clock,
    log,
    destinations: [],
    muted: () => false,
    ask: (sensor, time) => {
      asked.push([sensor, time]);
      onAsk(sensor);
    },
    context: () => ({ version: '1', agentId: 'a', created: clock.now(), sensors: [], simulated: true }),
    journaled: () => {},
    committed: () => {},
    keep,
    ...more,
  });
  made.open();
  return made;
}

const written = (id: string, sha256?: string) =>
  fileEvent(id, 0, `/Library/LaunchAgents/${id}.plist`, sha256 === undefined ? {} : { hash: { sha256 } });
const hashes = () => store.alerts.list().map(({ doc }) => doc.file?.hash?.sha256);

test('contents of files are kept and given back before a sensor has handed over all that it has', () => {
  const kept: number[] = [];
  const line = pipeline('file where true', ({ content }) => kept.push(content?.bytes.length ?? 0));
  let held = 0;
  let most = 0;
  for (let count = 0; count < 50; count++) {
    const bytes = new Uint8Array(1_000_000);
    held++;
    most = Math.max(most, held);
    const content = { bytes, size: bytes.length, truncated: false, release: () => held-- };
    line.observe({ event: written(`large ${count}`), content });
  }
  expect(most).toBeLessThan(10);
  line.flush(true);
  expect(kept).toEqual(new Array(50).fill(1_000_000));
  expect(held).toBe(0);
  expect(store.alerts.list({ limit: 100 })).toHaveLength(50);
});

test('over its budget events that no rule needs are not stored, and everything is judged all the same', () => {
  const seen: string[] = [];
  const line = pipeline('file where file.path == "/private/tmp/wanted.plist"', undefined, {
    thins: () => true,
    stores: () => false,
    observed: (events) => seen.push(...events.map(({ id }) => id)),
  });
  for (const id of ['wanted', 'other']) line.observe({ event: fileEvent(id, 0, `/private/tmp/${id}.plist`) });
  line.flush(true);
  expect(seen).toEqual(['wanted', 'other']);
  expect(store.events.get('wanted')).toBeDefined();
  expect(store.events.get('other')).toBeUndefined();
  expect(store.alerts.list()).toHaveLength(1);
});

test('what the watcher remembers of a file that grew is stored with the event that holds it, or not at all', () => {
  const line = pipeline();
  line.observe({ event: written('grown', 'begun') });
  line.flush(true);
  const stored: unknown[] = [];
  const { transaction } = store.events;
  store.events.transaction = (run) => {
    const result = transaction.call(store.events, run) as ReturnType<typeof run>;
    stored.push([store.events.get('grown')?.doc.file?.hash?.sha256, store.items.load()[0]?.sha256]);
    return result;
  };
  line.observe({ event: written('grown', 'whole'), amends: true });
  const path = '/Library/LaunchAgents/grown.plist';
  const state = { inode: '1', ctimeNanos: 1n, size: 5, mode: 0o644, uid: 0, gid: 0, type: 'file' as const };
  line.remember({ path, ...state, sha256: 'whole', told: '{}' });
  line.flush(true);
  expect(stored).toEqual([['whole', 'whole']]);
  expect(store.items.load()[0]?.told).toBe('{}');
});

test.each([true, false])('the newer document of an event is written once (remembered: %s)', (remembered) => {
  const line = pipeline();
  line.observe({ event: written('grown', 'begun') });
  line.flush(true);
  const { replace } = store.events;
  let writes = 0;
  store.events.replace = (event) => {
    writes++;
    replace.call(store.events, event);
  };
  line.observe({ event: written('grown', 'whole'), amends: true });
  const state = { inode: '1', ctimeNanos: 1n, size: 5, mode: 0o644, uid: 0, gid: 0, type: 'file' as const };
  if (remembered) line.remember({ path: '/Library/LaunchAgents/grown.plist', ...state });
  line.flush(true);
  expect([writes, store.events.get('grown')?.doc.file?.hash?.sha256]).toEqual([1, 'whole']);
  expect(hashes()).toEqual(['whole']);
});

test('what is told of an event while the disk is full stands in its alert once there is room', () => {
  const line = pipeline();
  line.observe({ event: written('stored') });
  line.flush(true);
  disk.full = true;
  line.observe({ event: written('held back') });
  line.flush(true);
  line.observe({ event: written('stored', 'aa'), amends: true });
  line.observe({ event: written('held back', 'bb'), amends: true });
  line.flush(true);
  expect(hashes()).toEqual([undefined]);
  disk.full = false;
  line.flush(true);
  expect(hashes().sort()).toEqual(['aa', 'bb']);
});

test('a disk that stays full is said now and then, not at every turn', () => {
  const line = pipeline();
  disk.full = true;
  line.observe({ event: written('one') });
  for (let turn = 0; turn < 1_000; turn++) {
    line.flush(true);
    clock.pass(50);
  }
  expect(said.filter((message) => message === 'alerts could not be stored')).toHaveLength(5);
  expect(line.judgedThrough).toBe(0);
  disk.full = false;
  line.flush(true);
  expect(store.alerts.list()).toHaveLength(1);
  expect(line.judgedThrough).toBeGreaterThan(0);
});

test('an alert that the store will never take does not keep the others from it', () => {
  const line = pipeline();
  disk.refuses = 'odd';
  for (const id of ['one', 'odd', 'two']) line.observe({ event: written(id) });
  line.flush(true);
  expect(store.alerts.list()).toHaveLength(2);
  expect(line.counters.lost_detections).toBe(1);
  expect(said).toContain('alert given up');
  expect(line.judgedThrough).toBeGreaterThan(0);
});

test('a clock that is set back, or forth and back, blinds no sequence', () => {
  const line = pipeline('sequence by host.id with maxspan=1m [file where true] [process where true]');
  line.watermark.add('sensor');
  const turns = (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      clock.pass(50);
      line.flush();
    }
  };
  for (const [round, step] of [-3_600_000, 7_200_000, -7_200_000].entries()) {
    // What was known of the host before is over.
    turns(70_000);
    clock.step(step);
    turns(1_000);
    const at = (clock.now() - start) / 1_000_000;
    line.observe({ event: { ...written(`file ${round}`), time: clock.now() } });
    turns(1_000);
    line.observe({ event: launchctl(`load ${round}`, at + 1, ['load', 'x']) });
    turns(1_000);
    expect(store.alerts.list()).toHaveLength(round + 1);
  }
});

test('in a flood what no rule needs is journaled many at a time, and at once together with what one needs', async () => {
  const batches: number[] = [];
  const line = pipeline('file where true', undefined, {
    journaled: (events) => batches.push(events.length),
  });
  let count = 0;
  const turns = async (most: number) => {
    for (let turn = 0; turn < most; turn++) {
      line.observe({ event: launchctl(`plain ${count++}`, 0, ['list']) });
      await Promise.resolve();
    }
  };
  await turns(100);
  expect(batches).toEqual(new Array(32).fill(1));
  clock.pass(50);
  expect(batches.slice(32)).toEqual([68]);
  await turns(10);
  expect(batches.slice(33)).toEqual([]);
  line.observe({ event: written('wanted') });
  await Promise.resolve();
  expect(batches.slice(33)).toEqual([11]);
  await turns(10);
  line.stop();
  expect(batches.slice(34)).toEqual([10]);
  expect(store.events.extent().rows).toBe(121);
  expect(line.detectorCounters()).toMatchObject({ events: 121, alerts: 1 });
});

test('only what no rule needs, from a sensor that tells once, is stored in passing', () => {
  const line = pipeline('process where process.name == "wanted"');
  const told = (id: string, name: string, kind = 'eslogger'): Event => {
    const event = launchctl(id, 0, []);
    const { doc } = event;
    const sensor = { ...doc.launchwarden?.sensor, kind };
    return {
      ...event,
      doc: { ...doc, process: { pid: 5, name }, launchwarden: { ...doc.launchwarden, sensor } as never },
    };
  };
  disk.full = true;
  const late = told('late', 'wanted');
  line.observe({ event: late });
  line.flush(true);
  disk.full = false;
  clock.pass(2_000);
  const direct = told('direct', 'wanted');
  const scanned = told('scanned', 'other', 'process-scan');
  const other = told('other', 'other');
  for (const event of [direct, scanned, other]) line.observe({ event });
  line.flush(true);
  const stored = (event: Event) => store.events.get(event.id)?.id;
  expect([late, direct, scanned, other].map(stored)).toEqual([late.id, direct.id, scanned.id, undefined]);
  expect(store.events.find(other.id)?.doc.process?.name).toBe('other');
  // Told again under rules that need it.
  line.replaceRules([rule('eql', 'process where process.name == "other"')]);
  line.observe({ event: other });
  line.flush(true);
  expect(store.events.extent().rows).toBe(4);
});

test('rules that are replaced judge what concerned none of those before and is not due yet', () => {
  const line = pipeline('file where file.path : "*.plist"');
  line.watermark.add('files');
  line.observe({ event: fileEvent('other', 0, '/Library/LaunchAgents/other.txt') });
  line.observe({ event: written('both') });
  line.flush();
  line.replaceRules([rule('eql', 'file where true')]);
  expect(store.alerts.list()).toEqual([]);
  line.completeThrough('files', start);
  line.flush();
  const paths = store.alerts.list().map(({ doc }) => doc.file?.path);
  expect(paths.sort()).toEqual(['/Library/LaunchAgents/both.plist', '/Library/LaunchAgents/other.txt']);
  expect(line.detectorCounters()).toMatchObject({ events: 2, revised: 0 });
});

test('sensors are asked in a while about what concerns no rule when one asks who descends from whom', () => {
  const line = pipeline('process where descendant of [process where process.name == "evil"]');
  line.watermark.add('files');
  line.observe({ event: fileEvent('other', 0, '/Library/LaunchAgents/other.txt') });
  line.flush();
  expect(asked).toEqual([]);
  clock.pass(200);
  expect(asked).toEqual([['files', start]]);
});

test('sensors are asked at once about what a rule may have a use for, and not about anything else', () => {
  const line = pipeline('file where file.path : "*.plist"');
  line.watermark.add('files');
  line.watermark.add('processes');
  line.observe({ event: fileEvent('other', 0, '/Library/LaunchAgents/other.txt') });
  line.flush();
  clock.pass(1_000);
  expect(asked).toEqual([]);
  line.observe({ event: fileEvent('one', 1, '/Library/LaunchAgents/one.plist') });
  line.completeThrough('processes', start + 2_000_000);
  line.flush();
  expect(asked).toEqual([['files', start + 1_000_000]]);
  line.completeThrough('files', start + 1_000_000);
  line.flush();
  expect(store.alerts.list()).toHaveLength(1);
  asked = [];
  clock.pass(10_000);
  expect(asked).toEqual([]);
});

test('a sensor that hangs delays no alert by more than it is waited for, however many events come', async () => {
  const line = pipeline();
  line.watermark.add('hangs');
  const left = new Map<string, number>();
  let worst = 0;
  for (let passed = 0; passed < 15_000; passed += 10) {
    if (passed % 250 === 0) {
      const id = `file ${passed}`;
      left.set(`/Library/LaunchAgents/${id}.plist`, passed);
      line.observe({ event: { ...written(id), time: clock.now() } });
    }
    await Promise.resolve();
    clock.pass(10);
    for (const { doc } of store.alerts.list()) {
      const told = left.get(doc.file?.path ?? '');
      if (told !== undefined) worst = Math.max(worst, passed + 10 - told);
      left.delete(doc.file?.path ?? '');
    }
  }
  // The last event may wait still.
  expect(left.size).toBeLessThan(3);
  expect(worst).toBeLessThan(500);
});

test('of an event in the future sensors are not asked again and again', async () => {
  const line = pipeline();
  line.watermark.add('sensor');
  // One that answers at once, with all that it can know.
  onAsk = (sensor) => {
    clock.pass(0.001);
    if (asked.length < 1_000) line.completeThrough(sensor, clock.now());
  };
  line.observe({ event: { ...written('a'), time: start + 60_000_000 } });
  line.observe({ event: { ...written('b'), time: start } });
  for (let turn = 0; turn < 5_000; turn++) await Promise.resolve();
  expect(asked.length).toBeLessThan(10);
  expect(store.alerts.list()).toHaveLength(1);
  clock.pass(61_000);
  expect(store.alerts.list()).toHaveLength(2);
});

test('no timer is left after stop', () => {
  const line = pipeline();
  line.watermark.add('sensor');
  line.observe({ event: written('a') });
  line.flush();
  line.stop();
  expect(store.alerts.list()).toHaveLength(1);
  expect(clock.waiting).toBe(0);
});

test('after a restart one more change between the two steps makes no second alert, neither at once nor when it grows', () => {
  const query =
    'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]';
  const plist = '/Library/LaunchAgents/a.plist';
  const named = (event: Event): Event => ({
    ...event,
    doc: { ...event.doc, event: { ...event.doc.event, id: event.id } },
  });
  const before = pipeline(query);
  before.observe({ event: named(fileEvent('write', 0, plist, { inode: '1' })) });
  before.observe({ event: named(launchctl('load', 2, ['load', plist])) });
  before.flush(true);
  const [alert] = store.alerts.list();
  // The sensor that starts anew tells of a change that the run before it had not known of.
  const told = { inode: '1', hash: { sha256: 'bb' } };
  store.events.append([named(fileEvent('another write', 1, plist, told))]);
  const after = pipeline(query);
  expect(store.alerts.list().map(({ id }) => id)).toEqual([alert?.id]);
  after.observe({ event: named(fileEvent('a third write', 3, plist, told)) });
  after.observe({ event: named(launchctl('load again', 4, ['load', plist])) });
  after.flush(true);
  expect(store.alerts.list().map(({ id }) => id)).toEqual([alert?.id]);
});

test('rules are replaced without losing what half-finished sequences have seen, and nothing is alerted twice', () => {
  const pair = (name: string, more = {}) =>
    rule(
      'eql',
      `sequence by host.id with maxspan=1m [file where true] [process where process.name == "${name}"]`,
      {
        name,
        ...more,
      },
    );
  const line = pipeline(
    'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]',
  );
  line.watermark.add('sensor');
  const observe = (event: Event) => {
    line.observe({ event });
    clock.pass(1_000);
    line.completeThrough('sensor', clock.now());
    line.flush();
  };
  observe(fileEvent('first write', 0.1, '/Library/LaunchAgents/a.plist'));
  observe(launchctl('first load', 1.1, ['load', 'a']));
  expect(store.alerts.list()).toHaveLength(1);
  observe(fileEvent('second write', 2.1, '/Library/LaunchAgents/b.plist'));
  // An event that still waits for the watermark is judged once, by the new rules.
  line.observe({ event: fileEvent('ahead', 3.2, '/Library/LaunchAgents/c.plist') });
  line.flush();
  line.replaceRules([pair('launchctl', { severity: 'high' }), pair('other', { id: 'rule-2' })]);
  expect(store.alerts.list()).toHaveLength(1);
  observe(launchctl('second load', 3.5, ['load', 'b']));
  const [newest, first] = store.alerts.list();
  expect([newest?.severity, first?.severity]).toEqual(['high', 'low']);
  expect(store.alerts.list()).toHaveLength(2);
  const events = (newest as unknown as { doc: { Events: { file?: { path?: string } }[] } }).doc.Events;
  expect(events.map(({ file }) => file?.path)).toContain('/Library/LaunchAgents/c.plist');
});

test('rules that cannot be run are refused, and the ones before go on', () => {
  const line = pipeline();
  const impossible = { ...rule('eql', 'file where true'), query: undefined } as never;
  expect(() => line.replaceRules([impossible])).toThrow();
  line.observe({ event: written('one') });
  line.flush(true);
  expect(store.alerts.list()).toHaveLength(1);
});
