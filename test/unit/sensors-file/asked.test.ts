import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock, type Timer } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/log.js';
import { RootMap } from '../../../src/base/root.js';
import { FileWatchSensor } from '../../../src/sensors/file-watch/index.js';
import { waitFor } from '../../simulation/mac.js';
import { agents, Rig } from './rig.js';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.remove());

const path = `${agents}/x.plist`;

test('asked again at each word, it does not spin while something holds it back', async () => {
  rig.write(path);
  const sensor = new FileWatchSensor({
    root: new RootMap(rig.root),
    clock: systemClock,
    logger: silentLogger,
    boot: 'boot',
    patterns: [],
    // What is gone may only be renamed: it is told after 155 ms.
    limits: { lagMs: 150 },
  });
  let words = 0;
  let complete = 0;
  let wanted = 0;
  let gone = false;
  // As the agent does.
  const askAgain = () => queueMicrotask(() => complete < wanted && sensor.ask(wanted));
  await sensor.start({
    observe: ({ event }) => {
      gone ||= event.doc.event?.action === 'deletion';
    },
    completeThrough: (time) => {
      words++;
      complete = Math.max(complete, time);
      askAgain();
    },
    gap: () => {},
    failed: () => {},
  });
  const begun = performance.now();
  rmSync(rig.host(path));
  wanted = systemClock.now();
  askAgain();
  await waitFor('all to be told', () => (gone && complete >= wanted) || undefined);
  expect(words).toBeLessThan(10 + (performance.now() - begun) / 5);
  await sensor.stop();
});

test('no timer is left after stop, whoever asked just before', async () => {
  const { clock, waiting } = countingClock();
  const sensor = await rig.start({ clock });
  // Its hash waits until it has come to rest, so that the next tick is wanted.
  rig.write(path, Buffer.alloc(2 * 1024 * 1024));
  await rig.event(path);
  sensor.ask(clock.now() - 1_000_000);
  await rig.stop();
  expect(waiting.size).toBe(0);
});

function countingClock(): { clock: Clock; waiting: Set<Timer> } {
  const waiting = new Set<Timer>();
  const counted = (start: (timer: Timer) => Timer): Timer => {
    const timer: Timer = {
      cancel: () => {
        waiting.delete(timer);
        inner.cancel();
      },
    };
    waiting.add(timer);
    const inner = start(timer);
    return timer;
  };
  const clock: Clock = {
    ...systemClock,
    after: (milliseconds, run) =>
      counted((timer) =>
        systemClock.after(milliseconds, () => {
          waiting.delete(timer);
          run();
        }),
      ),
    every: (milliseconds, run) => counted(() => systemClock.every(milliseconds, run)),
  };
  return { clock, waiting };
}
