import { describe, expect, test } from 'vitest';
import { PacedChunks } from '../../../src/sensors/eslogger/paced-chunks.js';
import { ManualClock } from '../../helpers/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const seen: string[] = [];
  const chunks = new PacedChunks(clock, (chunk) => seen.push(chunk.toString('utf8', 0, 8)));
  const write = (name: string, bytes = 8) => chunks.write(Buffer.from(name.padEnd(bytes)));
  let written = 0;
  /** Until one has to wait. */
  const flood = () => {
    while (seen.length === written) write(`${written++}`);
    return seen.splice(0).length;
  };
  return { clock, chunks, seen, write, flood };
}

describe('pieces of a stream', () => {
  test('are passed on at once while there are few', () => {
    const { clock, seen, write } = setUp();
    for (let count = 1; count <= 1_000; count++) {
      write('one');
      expect(seen.length).toBe(count);
      clock.pass(8);
    }
    expect(clock.waiting).toBe(0);
  });

  test('in a flood wait for each other a few milliseconds, and come in their order', () => {
    const { clock, seen, write, flood } = setUp();
    expect(flood()).toBeGreaterThan(32);
    write('second');
    clock.pass(7);
    write('third');
    expect(seen).toEqual([]);
    clock.pass(1);
    expect(seen.map((one) => one.trim())).toEqual([expect.stringMatching(/^\d+$/), 'second', 'third']);
    write('fourth');
    expect(seen.length).toBe(3);
    clock.pass(8);
    expect(seen.length).toBe(4);
  });

  test('do not wait when they are many bytes', () => {
    const { seen, write, flood } = setUp();
    flood();
    write('large', 40_000);
    expect(seen).toEqual([]);
    write('larger', 40_000);
    expect(seen.length).toBe(3);
  });

  test('are passed on when the stream has ended, and once', () => {
    const { clock, chunks, seen, flood } = setUp();
    flood();
    chunks.pass();
    expect(seen.length).toBe(1);
    clock.pass(1_000);
    expect(seen.length).toBe(1);
  });
});
