import { expect, test } from 'vitest';
import { maxHold, maxWorkingHold, Watermark } from '../../../src/agent/watermark.js';

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
  expect(watermark.at(10 * second, 10 * second)).toBe(10 * second - maxHold);
});

test('a sensor that ended is not waited for', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.advance('a', 10 * second);
  watermark.remove('b');
  expect(watermark.at(10 * second)).toBe(10 * second);
});

test('one that has much to do and says so is waited for longer, and not for ever', () => {
  const watermark = new Watermark();
  watermark.add('files');
  watermark.add('processes');
  for (let now = 10 * second; now <= 13 * second; now += 50_000) {
    watermark.advance('processes', now);
    watermark.advance('files', 10 * second);
    const expected = Math.max(10 * second, now - maxWorkingHold);
    expect(watermark.at(now, 10 * second + 1)).toBe(expected);
  }
  // It falls silent.
  watermark.advance('processes', 13.5 * second);
  for (let now = 13 * second; now <= 14 * second; now += 50_000) watermark.at(now, 12 * second);
  expect(watermark.at(14 * second, 12 * second)).toBe(14 * second - maxHold);
});

test('it does not go back, not even when the clock does by little', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.advance('a', 10 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
  watermark.advance('a', 9 * second);
  expect(watermark.at(9 * second)).toBe(10 * second);
});

test('a sensor whose clock runs ahead does not push it past now', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.advance('a', 20 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
});

test('after a stall of the whole agent a silent sensor gets its turn', () => {
  const watermark = new Watermark();
  watermark.add('files');
  watermark.add('processes');
  for (const sensor of ['files', 'processes']) watermark.advance(sensor, 10 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
  // Nothing ran for 400 ms; the process sensor is the first to speak.
  watermark.advance('processes', 10.4 * second);
  expect(watermark.at(10.4 * second, 10.05 * second)).toBeLessThan(10.05 * second);
  watermark.advance('files', 10.4 * second);
  expect(watermark.at(10.4 * second)).toBe(10.4 * second);
});

test('that turn is one of time, not of the next look; what happened a moment before is not late', () => {
  const watermark = new Watermark();
  for (const sensor of ['files', 'processes']) watermark.add(sensor);
  for (const sensor of ['files', 'processes']) watermark.advance(sensor, 10 * second);
  expect(watermark.at(10 * second)).toBe(10 * second);
  for (let now = 11 * second; now <= 11.1 * second; now += 5_000) {
    watermark.advance('processes', now);
    expect(watermark.at(now, 10.3 * second)).toBeLessThan(10.3 * second);
    if (now === 11 * second) expect(watermark.at(now, 10.3 * second)).toBeLessThan(10.2 * second);
  }
});

test('after a stall a sensor that stays silent is waited for no longer than twice the stall', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.at(10 * second);
  for (let now = 10.4 * second; now <= 11.2 * second; now += 50_000) {
    watermark.advance('a', now);
    watermark.at(now, 10.05 * second);
  }
  expect(watermark.at(11.2 * second, 10.05 * second)).toBe(11.2 * second - maxHold);
});

test('after a sleep nobody is waited for longer than ever', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.at(10 * second, 9.9 * second);
  expect(watermark.at(7200 * second, 9.9 * second)).toBe(7200 * second - maxHold);
});

test('while nothing waits, sensors that speak once a second hold it, and one that is dead does not for ever', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  for (const sensor of ['a', 'b']) watermark.advance(sensor, 10 * second);
  watermark.advance('a', 10.9 * second);
  expect(watermark.at(10.9 * second)).toBe(10 * second);
  // An event that comes now is still before it: it is not late.
  expect(watermark.at(10.9 * second, 10.5 * second)).toBeLessThan(10.5 * second);
  watermark.advance('a', 20 * second);
  expect(watermark.at(20 * second)).toBe(17 * second);
});

test('it names those whose word is still to come', () => {
  const watermark = new Watermark();
  watermark.add('a');
  watermark.add('b');
  watermark.advance('a', 10 * second);
  expect(watermark.behind(10 * second)).toEqual(['b']);
  expect(watermark.behind(10 * second + 1)).toEqual(['a', 'b']);
});
