import { expect, test } from 'vitest';
import type { Owner } from '../../../src/sensors/file-watch/owner.js';
import type { Folder } from '../../../src/sensors/file-watch/tree.js';
import { type Cause, WorkQueue } from '../../../src/sensors/file-watch/work-queue.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const system: Owner = { name: '', system: true };
const [alice, bob] = ['alice', 'bob'].map((user): Owner => ({ name: `user ${user}`, system: false })) as [
  Owner,
  Owner,
];

/** A queue whose every poll takes a millisecond. */
function rig() {
  const clock = new ManualClock();
  const polled: string[] = [];
  const glanced: string[] = [];
  const behind: [string, boolean][] = [];
  const listings = new Map<Folder, string[]>();
  const done: Folder[] = [];
  const queue = new WorkQueue({
    clock,
    list: (folder) => ({ names: listings.get(folder) ?? [], complete: true }),
    look: (_, name) => {
      polled.push(name);
      clock.pass(1);
    },
    listed: (folder) => done.push(folder),
    onBehind: (owner, is) => behind.push([owner.name, is]),
    isUrgent: (_, name) => {
      glanced.push(name);
      return name.startsWith('urgent');
    },
  });
  const folder = (owner: Owner, level: number | undefined = 0) =>
    ({
      owner,
      level,
      closed: false,
      queued: new Map(),
      items: new Map(),
      folders: new Map(),
    }) as unknown as Folder;
  const wake = (): Cause => ({ kind: 'wake', turn: 1, at: clock.monotonic(), after: 0 });
  return { clock, queue, polled, glanced, behind, listings, done, folder, wake };
}

test('a user with a long backlog delays another by one piece of work, and the system by none', () => {
  const { queue, polled, folder, wake } = rig();
  const [hers, his, ours] = [folder(alice), folder(bob), folder(system)];
  for (let n = 0; n < 5_000; n++) queue.add(hers, `noise${n}`, wake());
  queue.run(3);
  queue.add(his, 'his', wake());
  queue.add(ours, 'ours', wake());
  polled.length = 0;
  queue.run(4);
  expect(polled[0]).toBe('ours');
  expect(polled.slice(0, 4)).toContain('his');
});

test('names that nothing is known of come first, from both ends', () => {
  const { queue, polled, folder, wake } = rig();
  const hers = folder(alice);
  for (let n = 0; n < 500; n++) {
    hers.items.set(`known${n}`, {} as never);
    queue.add(hers, `known${n}`, wake());
  }
  for (let n = 0; n < 500; n++) queue.add(hers, `new${n}`, wake());
  queue.run(10);
  expect(polled).toEqual(expect.arrayContaining(['new0', 'new499']));
  expect(polled.filter((name) => name.startsWith('known')).length).toBeLessThan(3);
});

test('nor can new names without end keep a change of a known one from being polled', () => {
  const { queue, polled, folder, wake } = rig();
  const hers = folder(alice);
  hers.items.set('known', {} as never);
  queue.add(hers, 'known', wake());
  for (let n = 0; n < 100; n++) {
    queue.add(hers, `a${n}`, wake());
    queue.add(hers, `b${n}`, wake());
    queue.run(0.5);
  }
  expect(polled).toContain('known');
});

test('while one user floods names, the listing of another goes on', () => {
  const { queue, done, listings, folder, wake } = rig();
  const [hers, his] = [folder(alice), folder(bob)];
  listings.set(
    his,
    Array.from({ length: 50 }, (_, n) => `old${n}`),
  );
  queue.add(his, undefined, { kind: 'first' });
  for (let n = 0; n < 5_000; n++) queue.add(hers, `noise${n}`, wake());
  for (let n = 0; n < 60; n++) queue.run(2);
  expect(done).toEqual([his]);
});

test('a backlog that grew too old holds nobody back; that it did, and that it is over, is said', () => {
  const { clock, queue, behind, folder, wake } = rig();
  const [hers, his] = [folder(alice), folder(bob)];
  queue.add(hers, 'noise', wake());
  expect(queue.since).toBe(0);
  clock.pass(2_000);
  queue.add(his, 'his', wake());
  expect(queue.since).toBe(2_000);
  expect(behind).toEqual([['user alice', true]]);
  queue.finish();
  expect(queue.since).toBeUndefined();
  expect(behind).toEqual([
    ['user alice', true],
    ['user alice', false],
  ]);
});

test('what was read and is not reported yet holds the watermark back, and is reported after what may vanish', () => {
  const { clock, queue, polled, folder, wake } = rig();
  const hers = folder(alice);
  clock.pass(10);
  queue.report(alice, 4, 0, () => polled.push('report'));
  queue.add(hers, 'new', wake());
  expect(queue.since).toBe(4);
  queue.run(100);
  expect(polled).toEqual(['new', 'report']);
  expect(queue.since).toBeUndefined();
});

test('a name that waits keeps the bounds of its first wake-up', () => {
  const { clock, queue, folder } = rig();
  const causes: Cause[] = [];
  const hers = folder(alice);
  queue.add(hers, 'x', { kind: 'wake', turn: 1, at: 5, after: 3 });
  queue.add(hers, 'x', { kind: 'wake', turn: 2, at: 9, after: 8 });
  const waiting = hers.queued.get('x');
  if (waiting !== undefined) causes.push(waiting.cause);
  expect(causes).toEqual([{ kind: 'wake', turn: 2, at: 5, after: 3 }]);
  expect(clock.monotonic()).toBe(0);
});

test('in a crowd of new names what looks urgent comes first, its report too', () => {
  const { queue, polled, glanced, folder, wake, clock } = rig();
  const hers = folder(alice);
  const reported: string[] = [];
  const names = Array.from({ length: 20_000 }, (_, n) => (n === 9_000 ? 'urgent' : `noise${n}`));
  for (const name of names) queue.add(hers, name, wake());
  for (const name of names.slice(0, 3_000))
    queue.report(alice, clock.monotonic(), 10, () => reported.push(name));
  for (let runs = 0; runs < 15; runs++) queue.run(400);
  expect(polled).toContain('urgent');
  expect(polled.length + reported.length).toBeLessThan(600);
  queue.finish();
  expect(polled.filter((name) => name === 'urgent')).toHaveLength(1);
  expect(polled).toHaveLength(20_000);
  expect(reported).toHaveLength(3_000);
  expect(new Set(glanced).size).toBe(glanced.length);
});

test('so it is where the names of a crowd are only found in their folder', () => {
  const { queue, polled, listings, folder } = rig();
  const hers = folder(alice);
  listings.set(hers, [
    ...Array.from({ length: 5_000 }, (_, n) => `noise${n}`),
    'urgent',
    ...Array(50).fill('x'),
  ]);
  queue.add(hers, undefined, { kind: 'scan' });
  queue.run(30);
  expect(polled).toContain('urgent');
});

test('a few new names are not glanced at', () => {
  const { queue, glanced, folder, wake } = rig();
  for (let n = 0; n < 60; n++) queue.add(folder(alice), `urgent${n}`, wake());
  queue.finish();
  expect(glanced).toEqual([]);
});
