import { expect, test } from 'vitest';
import { maxHold, Watermark } from '../../../src/agent/watermark.js';

const second = 1_000_000;

test('the slowest sensor decides', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.advance('a', 10 * second);
  watermark.advance('b', 10 * second - 1000);
  expect(watermark.at(10 * second)).toBe(10 * second - 1000);
});

test('a sensor that says nothing is waited for only so long', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.advance('a', 10 * second);
  expect(watermark.at(10 * second)).toBe(10 * second - maxHold);
});

test('a sensor that ended is not waited for', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.advance('a', 10 * second);
  watermark.remove('b');
  expect(watermark.at(10 * second)).toBe(10 * second);
});

test('it never goes back, not even when the clock does', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.advance('a', 10 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
  watermark.advance('a', 9 * second);
  expect(watermark.at(5 * second)).toBe(10 * second);
});

test('a sensor whose clock runs ahead does not push it past now', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.advance('a', 20 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
});
