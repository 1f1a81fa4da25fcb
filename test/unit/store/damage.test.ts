import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openStore, type Store } from '../../../src/store/index.js';
import { context, detection, fileEvent, standingClock, start, temporaryFolder } from './samples.js';

const files = ['launchwarden.db', 'events.db'] as const;

/** A small generator of chance with a seed (mulberry32): the same flips in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const item = (name: string) => ({
  path: `/Library/LaunchAgents/${name}`,
  inode: '7',
  ctimeNanos: 1_795_326_829_391_123_456n,
  size: 3,
  mode: 0o644,
  uid: 0,
  gid: 0,
  type: 'file' as const,
});

const alertCount = 40;

/** A data folder with something in every table, all of it in the files themselves. */
function filledFolder(): string {
  const dataDir = path.join(temporaryFolder(), 'data');
  const store = openStore({ dataDir, clock: standingClock() });
  store.outbox.configure(['siem', 'file'], 1, 0);
  for (let n = 0; n < alertCount; n++) {
    const { alert } = store.alerts.upsert(detection(`a${n}`), context, ['siem', 'file']);
    if (n % 4 === 0) store.alerts.addNote(alert.id, { author: 'x', text: 'looked at' });
    const bytes = new Uint8Array(500 + n * 40).fill(n);
    store.evidence.put(`hash-${n}`, { bytes, size: bytes.length, truncated: false }, { path: `/p${n}` });
  }
  const events = Array.from({ length: 120 }, (_, n) => fileEvent(`e${n}`, {}, start + n));
  store.events.append(events);
  store.items.apply(Array.from({ length: 60 }, (_, n) => item(`i${n}`)));
  store.outbox.addEvents(
    events.slice(0, 30).map(({ id }) => id),
    ['siem'],
  );
  store.gaps.add({ sensor: 'agent', reason: 'restart', from: start, to: start + 5, detail: 'x' });
  for (let n = 0; n < 20; n++) store.termHistory.seen('rule', `t${n}`, start + n);
  store.meta.set('agent.id', 'agent-1');
  store.progress.set('complete_through', String(start));
  store.close();
  return dataDir;
}

/** Everything that an agent and a person do with a store; what fails on the way is thrown. */
function useAll(store: Store, name: string): void {
  const event = fileEvent(`new-${name}`, {}, start + 5_000);
  store.meta.get('agent.id');
  store.progress.get('complete_through');
  store.items.load();
  [...store.events.scan()];
  store.events.transaction(() => {
    store.events.append([event]);
    store.items.apply([item(`new-${name}`), { path: '/Library/LaunchAgents/i1', gone: true }]);
  });
  store.evidence.put(`new-${name}`, { bytes: new Uint8Array(900), size: 900, truncated: false });
  store.transaction(() => store.alerts.upsert(detection(`new-${name}`), context, ['siem', 'file']));
  store.alerts.amendEvent({ ...event, doc: { ...event.doc, message: 'more' } }, ['siem']);
  store.events.replace(event);
  store.alerts.list();
  store.alerts.changesSince(0);
  store.alerts.counts();
  for (const lane of ['status', 'alert', 'event'] as const) {
    const now = start / 1000 + 60_000;
    const rows = store.outbox.take('siem', lane, { maxItems: 1000, maxBytes: 1e9, now });
    store.outbox.depth('siem', lane);
    store.outbox.nextReady('siem', lane);
    const settlements = rows.slice(0, 5).map(({ seq }) => ({ seq, outcome: 'delivered' as const }));
    store.outbox.settle('siem', lane, { settlements, now });
  }
  store.outbox.states();
  store.outbox.dead.list();
  store.gaps.list();
  store.termHistory.seen('rule', `new-${name}`, start + 9);
  store.events.prune(1, 0);
  store.alerts.prune(start * 2);
  store.progress.set('complete_through', String(start + 1));
  store.tend();
  store.condition();
}

test.each(files)(
  '%s with flipped bits never keeps an agent from starting, judging and delivering',
  (file) => {
    const whole = filledFolder();
    const random = chance(file.length);
    let damaged = 0;
    let kept = 0;
    const rounds = 15;
    for (let round = 0; round < rounds; round++) {
      const dataDir = path.join(temporaryFolder(), 'data');
      mkdirSync(dataDir, { mode: 0o700 });
      for (const name of files) copyFileSync(path.join(whole, name), path.join(dataDir, name));
      const bytes = readFileSync(path.join(dataDir, file));
      for (let flip = 0; flip < 40; flip++) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
      }
      writeFileSync(path.join(dataDir, file), bytes);
      const clock = standingClock();
      const store = openStore({ dataDir, clock, keepGoing: true });
      try {
        useAll(store, 'first');
        useAll(store, 'second');
      } catch (error) {
        throw new Error(`round ${round}`, { cause: error });
      }
      const notices = store.takeNotices();
      const aside = readdirSync(dataDir).filter((name) => /\.damaged-\d+$/.test(name));
      expect(aside.length > 0, `round ${round}: ${JSON.stringify(notices)}`).toBe(notices.length > 0);
      if (aside.length > 0) damaged++;
      const ids = store.alerts.ids();
      for (const name of ['first', 'second'])
        expect([round, ids.includes(detection(`new-${name}`).id)]).toEqual([round, true]);
      kept += store.alerts.list().length - 2;
      store.close();
      const again = openStore({ dataDir, clock, keepGoing: true });
      useAll(again, 'third');
      again.close();
    }
    // The test means something, and most is kept.
    expect(damaged).toBeGreaterThan(rounds / 4);
    expect(kept / rounds).toBeGreaterThan(alertCount / 2);
  },
);
