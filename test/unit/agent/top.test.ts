import { expect, test } from 'vitest';
import { Figures } from '../../../src/agent/figures.js';
import { Top } from '../../../src/agent/top.js';
import type { Event } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const event = (doc: object): Event => ({ id: 'x', time: 0, nanos: 0, sequence: 0, doc: doc as never });

function topOf() {
  const clock = new ManualClock();
  const hits = new Map([
    ['r1', 5],
    ['r2', 0],
  ]);
  const top = new Top({ clock, hits: () => new Map(hits), nameOf: (id) => `rule ${id}` });
  return { clock, hits, top };
}

test('programs and folders are counted by events, rules by what they met since', () => {
  const { clock, hits, top } = topOf();
  const cc = event({ process: { executable: '/usr/bin/cc' } });
  top.observed([cc, cc, event({ file: { path: '/Users/a/x' } }), event({ file: { path: '/x' } })]);
  hits.set('r2', 4);
  clock.pass(2_000);
  expect(top.status()).toEqual({
    seconds: 2,
    events: 4,
    processes: [{ name: '/usr/bin/cc', events: 2, per_second: 1, error: 0 }],
    paths: [
      { name: '/', events: 1, per_second: 0.5, error: 0 },
      { name: '/Users/a', events: 1, per_second: 0.5, error: 0 },
    ],
    rules: [{ id: 'r2', name: 'rule r2', events: 4, per_second: 2, error: 0 }],
  });
});

test('what is not just now any more is forgotten', () => {
  const { clock, top } = topOf();
  top.observed([event({ process: { executable: '/old' } })]);
  clock.pass(30_000);
  top.tick();
  top.observed([event({ process: { executable: '/new' } })]);
  expect((top.status() as { processes: unknown[] }).processes).toHaveLength(2);
  clock.pass(30_000);
  expect(top.status()).toMatchObject({ processes: [{ name: '/new' }] });
  clock.pass(300_000);
  expect(top.status()).toMatchObject({ processes: [] });
});

test('rates and shares are of the last minute, and gaps are counted', () => {
  const clock = new ManualClock();
  let observed = 0;
  let cpu = 0;
  const figures = new Figures({
    clock,
    sensors: () => [
      { kind: 'file-watch', running: true, notes: [], counters: { observed } },
      { kind: 'process-scan', running: false, notes: [], counters: {} },
    ],
    usage: () => ({ cpu, memory: 1000 }),
  });
  expect(figures.tick()).toBe(true);
  for (let second = 0; second < 120; second++) {
    clock.pass(1_000);
    // Busy in the first minute only.
    observed += second < 60 ? 100 : 2;
    cpu += second < 60 ? 900_000 : 10_000;
    figures.tick();
  }
  expect(figures.load.cpu).toBeCloseTo(0.01, 5);
  figures.gap({ sensor: 'agent', reason: 'sleep', from: 0, to: 1e6, detail: 'x' });
  expect(figures.status()).toMatchObject({
    seconds: 60,
    cpu_share: 0.01,
    memory_bytes: 1000,
    sensors: { 'file-watch': { per_second: 2 }, 'process-scan': { since: null } },
    gaps: { since_start: 1, last: { reason: 'sleep' } },
  });
});
