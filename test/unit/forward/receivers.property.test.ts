import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { Drain } from '../../../src/forward/drain.js';
import type { Destination, Lane, OutboxItem, Verdict } from '../../../src/forward/index.js';
import { fuzzRuns } from '../../helpers/fuzz-runs.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { MemorySource } from '../../helpers/memory-source.js';
import { fc } from '../../helpers/property.js';

const minute = 60_000;
const hour = 60 * minute;

/** What a receiver, or what stands before it, does for a while. Only `well` judges documents. */
const moods = [
  'well',
  'down',
  'throws',
  'busy',
  'busy for an hour',
  'server error',
  'rejects all',
  'names all bad',
  'names the first',
  'unauthorized',
  'forbidden',
  'not found',
  'too large',
  'stores and says nothing',
  'takes half',
  'answers too little',
  'one lane refused',
  'one of three machines rejects',
] as const;
type Mood = (typeof moods)[number];

interface Document {
  readonly lane: Lane;
  /** The receiver never takes it. */
  readonly bad: boolean;
  readonly at: number;
}

interface Schedule {
  /** How it says that a document is bad: by item, by naming the first one, or about the whole request. */
  readonly style: 'item' | 'named' | 'whole';
  readonly maxItems: number;
  readonly latency: number;
  readonly moods: readonly { readonly mood: Mood; readonly lasts: number }[];
  readonly documents: readonly Document[];
  readonly steps: readonly number[];
  readonly seed: number;
}

function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Days of a receiver's life, on a clock of the test's own. */
class Receiver implements Destination {
  readonly name = 'siem';
  readonly type = 'model';
  readonly network = true;
  readonly limits: { maxItems: number; maxBytes: number };
  /** Monotonic milliseconds of the first delivery of each document. */
  readonly kept = new Map<string, number>();
  readonly #schedule: Schedule;
  readonly #clock: ManualClock;
  readonly #bad: ReadonlySet<string>;
  #requests = 0;

  constructor(schedule: Schedule, clock: ManualClock, bad: ReadonlySet<string>) {
    this.#schedule = schedule;
    this.#clock = clock;
    this.#bad = bad;
    this.limits = { maxItems: schedule.maxItems, maxBytes: 1e6 };
  }

  get mood(): Mood {
    let end = 0;
    for (const { mood, lasts } of this.#schedule.moods) {
      end += lasts;
      if (this.#clock.monotonic() < end) return mood;
    }
    return 'well';
  }

  async send(items: readonly OutboxItem[]): Promise<readonly Verdict[]> {
    expect(items.length).toBeGreaterThan(0);
    expect(items.length).toBeLessThanOrEqual(this.limits.maxItems);
    expect(new Set(items.map(({ lane }) => lane)).size).toBe(1);
    this.#requests++;
    this.#clock.pass(this.#schedule.latency);
    const all = (verdict: Verdict) => items.map(() => verdict);
    switch (this.mood) {
      case 'down':
        return all({ kind: 'retry', reason: 'ECONNREFUSED' });
      case 'throws':
        throw new Error('boom');
      case 'busy':
        return all({ kind: 'retry', reason: '429', afterMs: 1_000 });
      case 'busy for an hour':
        return all({ kind: 'retry', reason: '429', afterMs: hour });
      case 'server error':
        return all({ kind: 'retry', reason: '503' });
      case 'rejects all':
        return all({ kind: 'split', reason: '400 of a gateway' });
      case 'names all bad':
        return all({ kind: 'poison', reason: '400 by item, for a full cluster' });
      case 'names the first':
        return items.map((_, n) => ({ kind: n === 0 ? 'poison' : 'split', reason: 'event 0 is invalid' }));
      case 'unauthorized':
        return all({ kind: 'pause', reason: '401', cause: 'auth', certain: true });
      case 'forbidden':
        return all({ kind: 'pause', reason: '403', cause: 'auth' });
      case 'not found':
        return all({ kind: 'pause', reason: '404', cause: 'config' });
      case 'too large':
        return items.length > 1 ? all({ kind: 'split', reason: '413' }) : this.#judge(items);
      case 'stores and says nothing':
        this.#judge(items);
        return all({ kind: 'retry', reason: 'timed out' });
      case 'takes half':
        return this.#judge(items).map((verdict, n) =>
          n % 2 === 0 ? verdict : { kind: 'retry', reason: '429' },
        );
      case 'answers too little':
        return this.#judge(items).slice(0, 1);
      case 'one lane refused':
        return items[0]?.lane === 'status'
          ? all({ kind: 'pause', reason: '403', cause: 'auth', certain: true })
          : this.#judge(items);
      case 'one of three machines rejects':
        return this.#requests % 3 === 0 ? all({ kind: 'split', reason: '400 of one' }) : this.#judge(items);
      case 'well':
        return this.#judge(items);
    }
  }

  /** As the receiver's own rules have it. */
  #judge(items: readonly OutboxItem[]): readonly Verdict[] {
    const bad = (item: OutboxItem) => this.#bad.has(item.id);
    const first = items.findIndex(bad);
    if (first !== -1 && this.#schedule.style !== 'item') {
      const named = this.#schedule.style === 'named';
      return items.map((_, n) => ({ kind: named && n === first ? 'poison' : 'split', reason: '400' }));
    }
    return items.map((item) => {
      if (bad(item)) return { kind: 'poison', reason: 'mapping' };
      const again = this.kept.has(item.id);
      if (!again) this.kept.set(item.id, this.#clock.monotonic());
      return { kind: again ? 'duplicate' : 'delivered' };
    });
  }

  async probe() {
    return { ok: true, detail: '' };
  }

  async close() {}
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  style: fc.constantFrom('item', 'named', 'whole'),
  maxItems: fc.constantFrom(1, 2, 5, 500),
  latency: fc.constantFrom(0, 1, 50),
  moods: fc.array(
    fc.record({
      mood: fc.constantFrom(...moods),
      lasts: fc.constantFrom(5_000, 2 * minute, hour, 30 * hour),
    }),
    { maxLength: 8 },
  ),
  documents: fc.array(
    fc.record({
      lane: fc.constantFrom<Lane>('alert', 'alert', 'status', 'event'),
      bad: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      at: fc.constantFrom(0, 0, 1_000, 10 * minute, 3 * hour, 20 * hour),
    }),
    { minLength: 1, maxLength: 14 },
  ),
  steps: fc.array(fc.constantFrom(200, 5_000, minute, 10 * minute, hour, 8 * hour), {
    minLength: 10,
    maxLength: 25,
  }),
  seed: fc.integer(),
});

/** Lives through a schedule, then through days in which the receiver is well and more documents come. */
async function live(schedule: Schedule): Promise<void> {
  const clock = new ManualClock();
  const source = new MemorySource();
  const bad = new Set<string>();
  const receiver = new Receiver(schedule, clock, bad);
  const random = chance(schedule.seed);
  const drain = new Drain({ destination: receiver, outbox: source, clock, log: silentLogger, random });
  const committed = new Map<string, number>();
  const left = schedule.documents.map((document, n) => ({ ...document, id: `${document.lane}${n}` }));
  const commit = (lane: Lane, id: string) => {
    committed.set(id, clock.monotonic());
    source.add(lane, id);
  };
  const commitDue = () => {
    for (const document of left.splice(0)) {
      if (document.at > clock.monotonic()) left.push(document);
      else {
        if (document.bad) bad.add(document.id);
        commit(document.lane, document.id);
      }
    }
    drain.wake();
  };
  try {
    drain.start();
    for (const step of schedule.steps) {
      commitDue();
      await drain.flush();
      clock.pass(step);
    }
    const troubled = schedule.moods.reduce((sum, { lasts }) => sum + lasts, 0);
    clock.pass(Math.max(0, troubled - clock.monotonic()));
    const wellSince = clock.monotonic();
    clock.pass(20 * hour);
    commitDue();
    // What the receiver had refused may wait for an hour; it is taken then, whatever else waits.
    for (let n = 0; n < 40; n++) {
      await drain.flush();
      clock.pass(2 * minute);
    }
    const late = [...committed].filter(([id]) => !bad.has(id) && !receiver.kept.has(id));
    expect(late, 'not delivered').toEqual([]);
    // An alert of now, with all that is bad still waiting, goes at once.
    for (let n = 0; n < 3; n++) {
      commit('alert', `now${n}`);
      drain.wake();
      await drain.flush();
      expect(receiver.kept.get(`now${n}`), 'an alert that waited').toBeLessThanOrEqual(clock.monotonic());
    }
    expect(wellSince).toBeGreaterThanOrEqual(0);
    // Once enough others went through, what is bad is a dead letter.
    for (let n = 0; n < 12; n++) {
      for (const lane of ['alert', 'status', 'event'] as const) commit(lane, `more-${lane}${n}`);
      drain.wake();
      await drain.flush();
      clock.pass(10 * minute);
      await drain.flush();
    }
    expect(
      [...source.dead.keys()].filter((id) => !bad.has(id)),
      'sound ones that died',
    ).toEqual([]);
    expect([...committed.keys()].filter((id) => !bad.has(id) && !receiver.kept.has(id))).toEqual([]);
    expect([...receiver.kept.keys()].filter((id) => bad.has(id) || !committed.has(id))).toEqual([]);
    const dead = [...bad].filter((id) => source.dead.has(id));
    // A receiver that took back what it had rejected is believed less: then some of them wait on.
    expect(source.left).toBe(bad.size - dead.length);
  } finally {
    await drain.stop(0);
  }
}

test('random receivers, for days: what is sound is delivered, only what they truly reject dies, alerts wait for nobody', async () => {
  // A schedule takes milliseconds: five of them count as one run.
  await fc.assert(fc.asyncProperty(schedules, live), { numRuns: 5 * fuzzRuns(80) });
}, 3_600_000);
