import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pipeline } from '../../../src/agent/pipeline.js';
import { silentLogger } from '../../../src/base/log.js';
import { formatMicros } from '../../../src/base/time.js';
import type { Event, Gap } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fileEvent, launchctl, rule } from '../detect/events.js';

let dataDir: string;
let store: Store;
let clock: ManualClock;
let gaps: Gap[];
let serial = 0;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-time-'));
  clock = new ManualClock();
  store = openStore({ dataDir, clock });
  gaps = [];
});

afterEach(() => {
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** `boot`: another one, and the machine has been started again. */
function run(rules: readonly Rule[], boot = 'boot'): Pipeline {
  const line = new Pipeline({
    store,
    enricher: { enrich: ({ event }: { event: Event }) => [{ ...event, sequence: serial++ }] } as never,
    rules,
    clock,
    log: silentLogger,
    destinations: [],
    muted: () => false,
    ask: () => {},
    context: () => ({ version: '1', agentId: 'a', created: clock.now(), sensors: [], simulated: true }),
    journaled: () => {},
    committed: () => {},
    gap: (gap) => gaps.push(gap),
    boot,
  });
  line.watermark.add('sensor');
  line.open();
  return line;
}

function turns(line: Pipeline, milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed += 50) {
    clock.pass(50);
    line.flush();
  }
}

const evilPath = '/Users/alice/Library/LaunchAgents/evil.plist';
const dated = (one: Event, time = clock.now()): Event => ({
  ...one,
  time,
  doc: { ...one.doc, '@timestamp': formatMicros(time) },
});
const written = (time: number, size: number) =>
  dated(fileEvent('f', 0, evilPath, { inode: '1', type: 'file', size }), time);
const call = (id: string) => dated(launchctl(id, 0, ['load', evilPath]));
const pair = rule(
  'eql',
  'sequence by host.id with maxspan=1m [file where file.size > 10] [process where process.name == "launchctl"]',
);
const [large, empty] = [
  rule('eql', 'file where file.size > 10', { id: 'large' }),
  rule('eql', 'file where file.size == 0', { id: 'empty' }),
];
const stored = () =>
  store.alerts
    .list()
    .map(({ id, ruleId, doc }) => `${ruleId} ${doc.file?.size} ${id}`)
    .sort();
const kinds = () => stored().map((text) => text.split(' ', 2).join(' '));

for (const after of [0, 5, 100, 2_000, 30_000])
  test(`a file that is written ${after} ms after it was created is judged by what it holds, live and again`, () => {
    const rules = [large, empty, pair];
    const line = run(rules);
    const created = clock.now();
    line.observe({ event: written(created, 0) });
    turns(line, after);
    line.observe({ event: call('p') });
    line.observe({ event: written(created, 20), amends: true });
    turns(line, 2_000);
    expect(kinds()).toEqual(['empty 20', 'large 20', 'rule-1 20']);
    const before = stored();
    // Whether the alerts were committed or a crash lost them.
    for (const lost of [false, true]) {
      if (lost) for (const { id } of store.alerts.list()) forget(id);
      const again = run(rules);
      turns(again, 2_000);
      expect(stored()).toEqual(before);
    }
  });

/** As if it had not been committed. */
function forget(id: string): void {
  const { alerts } = store as unknown as { alerts: { list(): { id: string }[] } };
  expect(alerts.list().some((one) => one.id === id)).toBe(true);
  store.alerts.setStatus(id, 'closed', { author: 'test', text: '' });
  clock.pass(1);
  store.alerts.prune(clock.now() + 1);
}

test('a file that never stops growing is judged at each of its steps', () => {
  const line = run([large]);
  const created = clock.now();
  line.observe({ event: written(created, 0) });
  for (let size = 1; size <= 600 && store.alerts.list().length === 0; size++) {
    line.observe({ event: written(created, size), amends: true });
    turns(line, 100);
  }
  expect(clock.now() - created).toBeLessThan(5_000_000);
});

for (const step of [120_000, -120_000, 7_200_000, -7_200_000])
  test(`a clock that is set by ${step} ms between write and load changes nothing, nor does a restart`, () => {
    for (const restart of [false, true]) {
      store.close();
      rmSync(dataDir, { recursive: true, force: true });
      store = openStore({ dataDir, clock });
      let line = run([pair]);
      turns(line, 3_000);
      line.observe({ event: written(clock.now(), 20) });
      turns(line, 1_000);
      clock.step(step);
      turns(line, 1_000);
      if (restart) line = run([pair]);
      line.observe({ event: call('p') });
      turns(line, 2_000);
      expect(kinds()).toEqual(['rule-1 20']);
      // People see the time that the Mac showed.
      const [alert] = store.alerts.list();
      expect(alert?.time).toBe(store.events.get('p')!.time + step * 1000);
      expect(alert?.doc['@timestamp']).toBe(store.events.get('p')?.doc['@timestamp']);
    }
  });

test('a sensor that speaks first after the clock was set is waited for all the same', () => {
  const line = run([pair]);
  turns(line, 2_000);
  line.completeThrough('sensor', clock.now());
  clock.step(7_200_000);
  line.completeThrough('sensor', clock.now());
  turns(line, 1_000);
  line.observe({ event: call('p') });
  clock.pass(20);
  line.flush();
  // Nothing is known of the time since: a file may still be told.
  expect(line.judgedThrough).toBeLessThan(clock.now() - 20_000);
});

test('what is further apart than the window is no match, whatever the clock says', () => {
  const line = run([pair]);
  line.observe({ event: written(clock.now(), 20) });
  turns(line, 50_000);
  clock.step(-50_000);
  turns(line, 20_000);
  line.observe({ event: call('p') });
  turns(line, 2_000);
  expect(kinds()).toEqual([]);
});

test('after another start of the machine the wall clock counts', () => {
  const line = run([pair]);
  turns(line, 2_000);
  clock.step(7_200_000);
  turns(line, 2_000);
  line.observe({ event: written(clock.now(), 20) });
  turns(line, 2_000);
  const next = run([pair], 'another boot');
  next.observe({ event: call('p') });
  turns(next, 2_000);
  expect(kinds()).toEqual(['rule-1 20']);
});

test('what detection drops for want of room is a gap, with whose noise it was, and no more than one a minute', () => {
  const line = run([pair]);
  const flood = (round: string) => {
    for (let index = 0; index < 5_000; index++) {
      const one = fileEvent(
        `${round}${index}`,
        0,
        `/Users/alice/Library/LaunchAgents/${round}${index}.plist`,
        {
          inode: String(index),
          size: 20,
        },
      );
      line.observe({ event: dated(one, clock.now() + index) });
    }
    turns(line, 1_000);
  };
  flood('a');
  const told = gaps.filter(({ detail }) => detail.includes('files that a load could be about'));
  expect(told).toMatchObject([{ sensor: 'agent', reason: 'overflow' }]);
  expect(told[0]?.detail).toContain('alice: ');
  const before = gaps.length;
  flood('b');
  expect(gaps).toHaveLength(before);
  turns(line, 61_000);
  flood('c');
  expect(gaps.length).toBeGreaterThan(before);
});
