import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { type Destination, Forwarder, type OutboxItem, type Verdict } from '../../../src/forward/index.js';
import { type Outbox, openStore, type Store } from '../../../src/store/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { fc } from '../../helpers/property.js';
import { context, detection, fileEvent, sampleRule } from '../store/sample-data.js';
import { target, wideCaps } from './fakes.js';

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];

/** How a receiver treats the documents of a request: what it keeps, and what it says. */
const manners = ['well', 'lost-answer', 'partly', 'refuse', 'poison-one', 'split', 'down', 'throw'] as const;
type Manner = (typeof manners)[number];

interface World {
  readonly folder: string;
  readonly clock: ManualClock;
  store: Store;
  forwarder: Forwarder;
  readonly receivers: Record<Name, Receiver>;
  readonly committed: Record<Name, string[]>;
  /** Alerts that grew, with the newest revision. */
  readonly grown: Record<Name, Map<string, number>>;
  configured: Name[];
  diskFull: boolean;
  serial: number;
}

const keyOf = ({ lane, id }: OutboxItem) => `${lane} ${id}`;

class Receiver implements Destination {
  readonly type = 'model';
  readonly network = false;
  readonly limits = { maxItems: 5, maxBytes: 1e6 };
  readonly name: Name;
  manner: Manner = 'well';
  /** By document the newest revision that it holds. */
  readonly kept = new Map<string, number>();
  readonly refused = new Set<string>();

  constructor(name: Name) {
    this.name = name;
  }

  async send(items: readonly OutboxItem[]): Promise<readonly Verdict[]> {
    const keep = (item: OutboxItem): Verdict => {
      const known = this.kept.get(keyOf(item));
      // As Elasticsearch does: a document of that id is there, whatever its revision.
      const again = known !== undefined && item.update !== true;
      if (!again) this.kept.set(keyOf(item), Math.max(known ?? 0, item.revision));
      return again ? { kind: 'duplicate' } : { kind: 'delivered' };
    };
    switch (this.manner) {
      case 'well':
        return items.map(keep);
      case 'lost-answer':
        items.forEach(keep);
        return items.map(() => ({ kind: 'retry', reason: 'timed out' }));
      case 'partly':
        return items.map((item, n) => (n % 2 === 0 ? keep(item) : { kind: 'retry', reason: 'busy' }));
      case 'refuse':
        return items.map(() => ({ kind: 'pause', reason: '401', cause: 'auth' }));
      case 'poison-one':
        return items.map((item, n) => {
          if (n > 0) return keep(item);
          this.refused.add(keyOf(item));
          return { kind: 'poison', reason: 'bad' };
        });
      case 'split':
        return items.map((item) => (items.length > 1 ? { kind: 'split', reason: '413' } : keep(item)));
      case 'down':
        return items.map(() => ({ kind: 'retry', reason: 'refused' }));
      case 'throw':
        throw new Error('broken');
    }
  }

  async probe() {
    return { ok: true, detail: '' };
  }

  async close() {}
}

function start(world: World): void {
  const { clock } = world;
  // A disk that fills up: whatever would be written fails, until it is free again.
  const full = (name: string) => ['settle', 'patch', 'add', 'addEvents'].includes(name);
  const outbox = new Proxy(world.store.outbox, {
    get(real, name: keyof Outbox) {
      const value = real[name];
      if (typeof value !== 'function') return value;
      return (...args: never[]) => {
        if (world.diskFull && full(name))
          throw Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' });
        return (value as (...all: never[]) => unknown).apply(real, args);
      };
    },
  });
  const targets = world.configured.map((name) =>
    target(world.receivers[name], { caps: { ...wideCaps, alertRows: 40, eventRows: 25 } }),
  );
  world.forwarder = new Forwarder({ outbox, targets, clock, log: silentLogger, random: () => 0.5 });
  world.forwarder.start();
}

/** Lets whatever can happen without time passing happen. */
async function settle(world: World): Promise<void> {
  await world.forwarder.flush();
}

type Action = (world: World) => Promise<void>;

function commitAlerts(count: number): Action {
  return async (world) => {
    for (let n = 0; n < count; n++) {
      const rule = sampleRule(n % 3 === 0 ? 'critical' : 'low');
      const { alert } = world.store.alerts.upsert(
        detection(`a${world.serial++}`, { rule }),
        context,
        world.configured,
      );
      for (const name of world.configured) world.committed[name].push(`alert ${alert.id}`);
      if (n % 4 !== 3) continue;
      // Some grow at once: sent in place of the first, or as an update.
      const grown = world.store.alerts.upsert(
        detection(`a${world.serial - 1}`, { rule, repeats: 1 }),
        context,
        world.configured,
      );
      for (const name of world.configured) world.grown[name].set(`alert ${grown.alert.id}`, 2);
    }
    world.forwarder.wake();
    await settle(world);
  };
}

function commitEvents(count: number): Action {
  return async (world) => {
    const events = Array.from({ length: count }, () => fileEvent(`e${world.serial++}`));
    world.store.events.append(events);
    world.store.outbox.addEvents(events, world.configured);
    for (const name of world.configured) world.committed[name].push(...events.map(({ id }) => `event ${id}`));
    world.forwarder.wake();
    await settle(world);
  };
}

const restart: Action = async (world) => {
  await world.forwarder.stop(0);
  world.store.close();
  world.store = openStore({ dataDir: path.join(world.folder, 'data'), clock: world.clock });
  start(world);
  await settle(world);
};

const action: fc.Arbitrary<readonly [string, Action]> = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((n) => [`commit ${n} alerts`, commitAlerts(n)] as const),
  fc.integer({ min: 1, max: 12 }).map((n) => [`commit ${n} events`, commitEvents(n)] as const),
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...manners)).map(([name, manner]) => {
    const act: Action = async (world) => {
      world.receivers[name].manner = manner;
      await settle(world);
    };
    return [`${name} behaves: ${manner}`, act] as const;
  }),
  fc.constantFrom(500, 5_000, 400_000, 4_000_000).map((ms) => {
    const act: Action = async (world) => {
      world.clock.pass(ms);
      await settle(world);
    };
    return [`${ms} ms pass`, act] as const;
  }),
  fc.constantFrom(-86_400_000 * 365, -3_600_000, 3_600_000, 86_400_000 * 3650).map((ms) => {
    const act: Action = async (world) => {
      world.clock.step(ms);
      await settle(world);
    };
    return [`the clock is set by ${ms} ms`, act] as const;
  }),
  fc.constant(['crash and restart', restart] as const),
  fc.subarray([...names]).map((configured) => {
    const act: Action = async (world) => {
      world.configured = configured;
      await restart(world);
    };
    return [`configured: ${configured.join() || 'none'}`, act] as const;
  }),
  fc.boolean().map((full) => {
    const act: Action = async (world) => {
      world.diskFull = full;
      await settle(world);
    };
    return [full ? 'the disk is full' : 'the disk has room', act] as const;
  }),
);

test('whatever happens in whatever order: nothing unacknowledged disappears but what was counted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-model-'));
      const clock = new ManualClock();
      const world: World = {
        folder,
        clock,
        store: openStore({ dataDir: path.join(folder, 'data'), clock }),
        forwarder: undefined as never,
        receivers: { one: new Receiver('one'), two: new Receiver('two') },
        committed: { one: [], two: [] },
        grown: { one: new Map(), two: new Map() },
        configured: [...names],
        diskFull: false,
        serial: 0,
      };
      try {
        start(world);
        for (const [, act] of actions) await act(world);
        // Everything gets well again, and time passes.
        world.diskFull = false;
        world.configured = [...names];
        for (const name of names) world.receivers[name].manner = 'well';
        await restart(world);
        for (let n = 0; n < 200 && !(await world.forwarder.flush()); n++) world.clock.pass(300_000);
        for (const name of names) check(world, name);
        expect(world.store.check()).toEqual([]);
      } catch (error) {
        throw new Error(`${actions.map(([name]) => name).join('; ')}\n${String(error)}`, { cause: error });
      } finally {
        await world.forwarder.stop(0);
        world.store.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 60, examples: [] },
  );
}, 120_000);

function check(world: World, name: Name): void {
  const { store, receivers, committed, grown } = world;
  const state = store.outbox.state(name);
  const left = store.outbox.depth(name, 'alert').rows + store.outbox.depth(name, 'event').rows;
  expect(left).toBe(0);
  const dead = new Set(store.outbox.dead.list({ destination: name }).map(({ lane, id }) => `${lane} ${id}`));
  const gone = committed[name].filter((key) => !receivers[name].kept.has(key) && !dead.has(key));
  // What is neither there nor a dead letter was given up by a cap, or died and was forgotten of age: both are counted.
  expect(gone.length, gone.join()).toBeLessThanOrEqual(state.evicted + state.dead - dead.size);
  const done = state.delivered + state.duplicates + state.dead + state.evicted;
  expect(done).toBeGreaterThanOrEqual(committed[name].length);
  expect(done).toBeLessThanOrEqual(committed[name].length + 2 * grown[name].size);
  // What it holds of a grown alert is the newest revision, unless that is a dead letter or was given up.
  const stale = [...grown[name]].filter(
    ([key, revision]) => receivers[name].kept.has(key) && receivers[name].kept.get(key) !== revision,
  );
  expect(stale.length, stale.join()).toBeLessThanOrEqual(state.evicted + state.dead);
  // Nothing arrives that was never committed.
  const known = new Set(committed[name]);
  expect([...receivers[name].kept.keys()].filter((key) => !known.has(key))).toEqual([]);
  expect([...dead].filter((key) => !known.has(key))).toEqual([]);
}
