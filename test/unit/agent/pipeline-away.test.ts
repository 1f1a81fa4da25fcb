import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pipeline } from '../../../src/agent/pipeline.js';
import { silentLogger } from '../../../src/base/log.js';
import { formatMicros } from '../../../src/base/time.js';
import type { Event } from '../../../src/event/event.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fileEvent, launchctl, rule } from '../detect/events.js';

let dataDir: string;
let store: Store;
let clock: ManualClock;

const day = 86_400_000;
const listPath = '/Library/LaunchDaemons/evil.plist';

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-away-'));
  clock = new ManualClock();
  store = openStore({ dataDir, clock });
});

afterEach(() => {
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A run of the agent that has not judged anything yet. */
function begun(boot = 'boot'): Pipeline {
  const line = new Pipeline({
    store,
    enricher: { enrich: ({ event }: { event: Event }) => [event] } as never,
    rules: [
      rule('eql', 'file where true', { id: 'one' }),
      rule('eql', 'sequence by host.id with maxspan=1m [file where true] [process where true]', {
        id: 'two',
      }),
    ],
    clock,
    log: silentLogger,
    destinations: [],
    muted: () => false,
    ask: () => {},
    context: () => ({ version: '1', agentId: 'a', created: clock.now(), sensors: [], simulated: true }),
    journaled: () => {},
    committed: () => {},
    boot,
  });
  line.watermark.add('sensor');
  return line;
}

function opened(boot?: string): Pipeline {
  const line = begun(boot);
  line.open();
  return line;
}

/** What a scan finds, which dates it by the file. */
const found = (id: string, agoMs: number): Event =>
  at(fileEvent(id, 0, `/Library/LaunchDaemons/${id}.plist`), agoMs);

function at(one: Event, agoMs: number): Event {
  const time = clock.now() - agoMs * 1000;
  return { ...one, time, doc: { ...one.doc, '@timestamp': formatMicros(time) } };
}

const alerted = () =>
  store.alerts
    .list({ limit: 100 })
    .map(({ ruleId, doc }) => `${ruleId} ${doc.file?.path}`)
    .sort();

for (const [words, agoMs] of [
  ['a minute', 60_000],
  ['an hour', 3_600_000],
  ['two days', 2 * day],
  ['three years', 1_000 * day],
] as const)
  test(`what changed ${words} before the start, while no agent ran, is judged by the start`, () => {
    opened().stop();
    clock.pass(4 * day);
    for (const boot of ['boot', 'another boot']) {
      const line = begun(boot);
      line.observe({ event: found(boot, agoMs) });
      line.open();
      expect(alerted()).toContain(`one /Library/LaunchDaemons/${boot}.plist`);
      line.stop();
    }
  });

test('a sequence that came about while no agent ran is found whole', () => {
  opened().stop();
  clock.pass(4 * day);
  const line = begun();
  line.observe({ event: at(launchctl('call', 0, ['load', listPath]), 2 * day - 5_000) });
  line.observe({ event: found('evil', 2 * day) });
  line.open();
  expect(alerted()).toEqual([`one ${listPath}`, `two ${listPath}`]);
});

test('what was stored by a start that died before it judged is judged by the next one, once', () => {
  opened().stop();
  clock.pass(4 * day);
  const died = begun();
  died.observe({ event: found('evil', 2 * day) });
  died.flush();
  expect(store.events.get('evil')).toBeDefined();
  expect(alerted()).toEqual([]);
  for (let starts = 0; starts < 3; starts++) {
    opened().stop();
    expect(alerted()).toEqual([`one ${listPath}`]);
  }
});

test('what an earlier run has judged is not judged again, however old its time is', () => {
  const line = opened();
  for (let count = 0; count < 50; count++) line.observe({ event: found(`old ${count}`, 2 * day) });
  line.flush(true);
  expect(alerted()).toHaveLength(50);
  clock.pass(200_000);
  line.flush();
  clock.pass(200_000);
  line.flush();
  line.stop();
  expect(opened().detectorCounters()).toMatchObject({ events: 0 });
});

test('a file that a step of the clock puts far into the past is judged all the same', () => {
  const line = opened();
  clock.step(-day);
  clock.pass(2_000);
  line.flush();
  line.stop();
  clock.pass(3_000);
  clock.step(day);
  const wall = clock.now();
  clock.step(day);
  const next = begun();
  next.observe({ event: at(fileEvent('evil', 0, listPath), (clock.now() - wall) / 1000) });
  next.open();
  expect(alerted()).toEqual([`one ${listPath}`]);
});

test('when an earlier run ended is told by the clock as it was set since', () => {
  const line = opened();
  const ended = clock.now();
  line.stop();
  clock.pass(5_000);
  for (const step of [-day, 3 * day, -3_600_000]) {
    clock.step(step);
    expect(opened().asSetNow(clock.now() - 1_000_000)).toBe(clock.now() - 1_000_000);
    clock.pass(1_000);
  }
  const moved = (2 * day - 3_600_000) * 1000;
  expect(opened().asSetNow(ended)).toBe(ended + moved);
});
