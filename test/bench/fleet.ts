// A thousand agents whose receiver is away for an hour, in simulated time: the real forwarder of each, on one clock.
import type { Clock, Timer } from '../../dist/base/clock.js';
import { silentLogger } from '../../dist/base/log.js';
import { Forwarder, type OutboxItem, type Verdict } from '../../dist/forward/index.js';
import type { Lane, Outbox, OutboxRow, Settled, TakeLimits } from '../../dist/store/index.js';
import { seeded } from './documents.js';
import type { Row } from './row.js';

const agents = 1_000;
const alertsEach = 20;
const outageMs = 3_600_000;
/** More than the longest back-off twice. */
const recoveryMs = 1_200_000;

interface Waiting {
  due: number;
  readonly order: number;
  readonly period: number;
  readonly run: () => void;
  live: boolean;
}

/** Time that moves from timer to timer; a binary heap holds them. */
class SimulatedClock implements Clock {
  time = 0;
  readonly #heap: Waiting[] = [];
  #order = 0;

  now(): number {
    return this.time * 1000;
  }

  monotonic(): number {
    return this.time;
  }

  after(milliseconds: number, run: () => void): Timer {
    return this.#push({ due: this.time + milliseconds, order: this.#order++, period: 0, run, live: true });
  }

  every(period: number, run: () => void): Timer {
    return this.#push({ due: this.time + period, order: this.#order++, period, run, live: true });
  }

  /** Runs the next timer due before `end`; false when there is none. */
  step(end: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.due > end) return false;
    this.#pop();
    if (!next.live) return true;
    this.time = Math.max(this.time, next.due);
    if (next.period > 0) this.#push(Object.assign(next, { due: this.time + next.period }));
    next.run();
    return true;
  }

  #push(waiting: Waiting): Timer {
    const heap = this.#heap;
    heap.push(waiting);
    for (let n = heap.length - 1; n > 0; ) {
      const parent = (n - 1) >> 1;
      if (!before(heap[n]!, heap[parent]!)) break;
      [heap[n], heap[parent]] = [heap[parent]!, heap[n]!];
      n = parent;
    }
    return {
      cancel: () => {
        waiting.live = false;
      },
    };
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Waiting;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let n = 0; ; ) {
      const [left, right] = [2 * n + 1, 2 * n + 2];
      let least = n;
      if (heap[left] !== undefined && before(heap[left], heap[least]!)) least = left;
      if (heap[right] !== undefined && before(heap[right], heap[least]!)) least = right;
      if (least === n) return;
      [heap[n], heap[least]] = [heap[least]!, heap[n]!];
      n = least;
    }
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** The alert lane alone, in memory: a thousand databases would measure the disk. */
function memoryOutbox(count: number): Outbox {
  const rows = new Map<number, OutboxRow>();
  for (let seq = 1; seq <= count; seq++)
    rows.set(seq, { seq, lane: 'alert', id: `a${seq}`, revision: 1, body: '{}', attempts: 0 });
  const state = { name: 'siem', fails: 0, delivered: 0, duplicates: 0, warnings: 0, dead: 0, evicted: 0 };
  const mine = (lane: Lane) => lane === 'alert' && rows.size > 0;
  return {
    configure: () => 0,
    take: (_name, lane, { maxItems, only }: TakeLimits) =>
      mine(lane)
        ? [...rows.values()].filter(({ seq }) => only === undefined || seq === only).slice(0, maxItems)
        : [],
    nextReady: (_name, lane) => (mine(lane) ? 0 : undefined),
    settle: (_name, _lane, { settlements }: Settled) => {
      for (const { seq, outcome } of settlements) if (outcome !== 'retry') rows.delete(seq);
    },
    release: () => undefined,
    state: () => state,
    patch: () => undefined,
    states: () => [state],
    depth: (_name, lane) => ({ rows: mine(lane) ? rows.size : 0, bytes: 0 }),
    add: () => undefined,
    addEvents: () => 0,
    enforce: () => ({ events: 0, alerts: 0 }),
    dead: { list: () => [], body: () => undefined, retry: () => 0, purge: () => 0, cap: () => 0 },
  };
}

export async function fleetRows(): Promise<Row[]> {
  const clock = new SimulatedClock();
  const random = seeded(7);
  const served: number[] = [];
  let delivered = 0;
  const outboxes: Outbox[] = [];
  for (let n = 0; n < agents; n++) {
    const outbox = memoryOutbox(alertsEach);
    outboxes.push(outbox);
    const send = async (items: readonly OutboxItem[]): Promise<readonly Verdict[]> => {
      if (clock.time < outageMs) return items.map(() => ({ kind: 'retry', reason: 'connection refused' }));
      served.push(clock.time);
      delivered += items.length;
      return items.map(() => ({ kind: 'delivered' }));
    };
    const destination = {
      ...{ name: 'siem', type: 'bench', network: true, limits: { maxItems: 500, maxBytes: 5e6 }, send },
      probe: async () => ({ ok: true, detail: '' }),
      close: async () => undefined,
    };
    const caps = {
      eventRows: 1,
      eventBytes: 1,
      alertRows: 1e6,
      alertBytes: 1e9,
      policy: 'drop_oldest_events',
    } as const;
    const targets = [{ destination, caps, simulated: false, rawEvents: 'off' as const }];
    new Forwarder({ outbox, targets, clock, log: silentLogger, random }).start();
  }
  const left = () => outboxes.some((outbox) => outbox.depth('siem', 'alert').rows > 0);
  for (let n = 0; clock.step(outageMs + recoveryMs); n++) {
    // What a timer started goes on in promises, which need a turn of their own before time moves on.
    await new Promise((resolve) => setImmediate(resolve));
    if (n % 4096 === 0 && delivered >= agents * alertsEach && !left()) break;
  }
  const perSecond = new Map<number, number>();
  for (const time of served)
    perSecond.set(Math.floor(time / 1000), (perSecond.get(Math.floor(time / 1000)) ?? 0) + 1);
  const peak = Math.max(...perSecond.values());
  const seconds = (Math.max(...served) - outageMs) / 1000;
  const mean = served.length / seconds;
  const name = `${agents} agents after an hour without their receiver`;
  return [
    {
      name: `${name}: busiest second`,
      value: peak,
      unit: 'requests',
      against: 'the mean second until all was sent',
      ratio: peak / mean,
    },
    { name: `${name}: until all was sent`, value: seconds, unit: 's' },
    {
      name: `${name}: delivered`,
      value: delivered,
      unit: 'alerts',
      against: 'all that waited',
      ratio: delivered / (agents * alertsEach),
    },
  ];
}
