import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evasions } from './catalog.js';
import { tiers } from './evasion.js';

const rows = readFileSync('docs/evasions.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, number = '', name, scan, eslogger] = line.split('|').map((cell) => cell.trim());
    return /^\d+$/.test(number) ? [{ number: Number(number), name, expected: { scan, eslogger } }] : [];
  });

test('each of the 57 is played, and has a verdict for every tier', () => {
  expect(evasions.map(({ number }) => number)).toEqual(Array.from({ length: 57 }, (_, index) => index + 1));
});

test('what is not detected says why', () => {
  const silent = evasions.filter(
    ({ expected, why }) => why === undefined && tiers.some((tier) => expected[tier] !== 'detected'),
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('docs/evasions.md lists them with the verdicts that the tests hold', () => {
  expect(rows).toEqual(evasions.map(({ number, name, expected }) => ({ number, name, expected })));
});
