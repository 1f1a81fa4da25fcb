import { expect, test } from 'vitest';
import { LikelyWriters } from '../../../src/agent/likely-writers.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import type { Event } from '../../../src/event/event.js';
import type { NativeHolders } from '../../../src/sensors/addon/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';

type Holder = NativeHolders['holders'][number];

function rig(answer: (paths: readonly string[]) => readonly Holder[], wanted = () => true) {
  const clock = new ManualClock();
  const events = new Map<string, Event>();
  const amended: Event[] = [];
  const asked: (readonly string[])[] = [];
  const writers = new LikelyWriters({
    root: new RootMap('/nowhere'),
    clock,
    log: silentLogger,
    wanted,
    find: async (paths) => {
      asked.push(paths);
      return { holders: answer(paths), cut: false, tookUs: 2_000 };
    },
    processes: () => [
      {
        ...{ pid: 7, ppid: 1, pgid: 7, sid: 7, startKey: '1', uid: 501, shortName: 'cp' },
        executable: '/bin/cp',
        args: ['cp', 'a'],
      },
    ],
    stored: (id) => events.get(id),
    amend: (event) => amended.push(event),
  });
  const change = (id: string, more: object = {}): Event => {
    const doc = { event: { id, type: ['change'] }, file: { path: `/Library/LaunchAgents/${id}` }, ...more };
    const event = { id, time: clock.now(), nanos: 0, sequence: 0, doc } as Event;
    events.set(id, event);
    writers.changed(event);
    return event;
  };
  return {
    clock,
    writers,
    amended,
    asked,
    change,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

const holder = (how: Holder['how'], pid = 7): Holder => ({
  path: 0,
  pid,
  how,
  executable: '/bin/cp',
  uid: 501,
});

test('who had the file open for writing is the likely writer, and how that is known is told', async () => {
  const { change, amended, settle, writers } = rig(() => [
    holder('folder', 8),
    holder('write'),
    holder('read', 9),
  ]);
  const event = change('a');
  await settle();
  expect(amended.map(({ doc }) => doc.launchwarden?.likely_writers)).toEqual([
    [
      {
        ...{ pid: 7, name: 'cp', executable: '/bin/cp', command_line: 'cp a', user: { id: '501' } },
        ...{ how: 'open-for-writing', seen: expect.any(String) },
      },
    ],
  ]);
  // A newer document of the event keeps it; nobody else's gets it.
  expect(writers.completed(event).doc.launchwarden?.likely_writers).toHaveLength(1);
  expect(writers.completed({ ...event, id: 'b' }).doc.launchwarden?.likely_writers).toBeUndefined();
});

test('a folder that is open counts when nobody writes; who merely reads does not', async () => {
  const folder = rig(() => [holder('folder')]);
  folder.change('a');
  await folder.settle();
  expect(folder.amended[0]?.doc.launchwarden?.likely_writers?.[0]?.how).toBe('folder-open');
  const reads = rig(() => [holder('read')]);
  reads.change('a');
  await reads.settle();
  expect(reads.amended).toEqual([]);
});

test('nobody guesses where the writer is known, the change is a deletion, or long ago', async () => {
  const { change, asked, clock, settle, writers } = rig(() => []);
  change('known', { process: { pid: 1 } });
  change('gone', { event: { id: 'gone', type: ['deletion'] } });
  writers.changed({ ...change('now'), time: clock.now() - 10_000_000 });
  await settle();
  expect(asked).toHaveLength(1);
  const off = rig(
    () => [],
    () => false,
  );
  off.change('a');
  await off.settle();
  expect(off.asked).toEqual([]);
});

test('a flood is searched for seldom, the newest changes first to be kept', async () => {
  const { change, asked, clock, settle } = rig(() => []);
  for (let n = 0; n < 200; n++) change(`f${n}`);
  await settle();
  expect(asked).toHaveLength(1);
  for (let n = 0; n < 100; n++) {
    clock.pass(10);
    await settle();
  }
  // 2 ms each at 5 % of the time: no more than one in 40 ms.
  expect(asked.length).toBeLessThan(27);
  expect(asked.flat().at(-1)).toMatch(/f199$/);
});
