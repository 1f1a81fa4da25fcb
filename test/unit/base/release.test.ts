import { expect, test } from 'vitest';
import { release } from '../../../src/base/release.js';

test('bytes with a buffer of their own are gone at once', () => {
  const bytes = new Uint8Array(1_000_000).fill(1);
  const { buffer } = bytes;
  release(bytes);
  expect([bytes.length, buffer.byteLength]).toEqual([0, 0]);
  release(bytes);
});

test('what shares a buffer with others, or is small, stays as it is', () => {
  const whole = new Uint8Array(1_000_000).fill(1);
  release(whole.subarray(1));
  const small = Buffer.from('of a pool');
  release(small);
  expect(whole[0]).toBe(1);
  expect(small.toString()).toBe('of a pool');
});

test('many files of a megabyte never stand in memory together', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  let most = 0;
  for (let count = 0; count < 300; count++) {
    const bytes = new Uint8Array(1_000_000).fill(count);
    release(bytes);
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }
  expect(most).toBeLessThan(150_000_000);
});
