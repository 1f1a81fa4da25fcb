import { describe, expect, test } from 'vitest';
import type { StepCondition } from '../../../src/rules/ast.js';
import { parseEql, planConditions } from '../../../src/rules/index.js';

function eql(text: string): StepCondition {
  const parsed = parseEql(text);
  if (!('query' in parsed) || parsed.query.kind !== 'event') throw new Error(JSON.stringify(parsed));
  return parsed.query;
}

function hits(conditions: readonly string[], args: unknown): number[] {
  const found: number[] = [];
  planConditions(conditions.map(eql)).match(
    { event: { category: ['process'] }, process: { args, pid: 7 } },
    found,
  );
  return found;
}

/** The one that counts behind so many others. */
const padded = (last: unknown, count = 12_000) => [
  ...Array.from({ length: count }, (_, n) => `pad${n}`),
  last,
];

describe('what stands behind ten thousand other values of a list', () => {
  test.each([
    'process where length(process.args) == 30',
    'process where endsWith(process.args, "needle-needle")',
    'process where stringContains(process.args, "needle")',
    'process where indexOf(process.args, "needle") == 17',
    'process where concat(process.args, "!") == "the value of the needle-needle!"',
    'process where length(process.args) + process.pid == 37',
    'process where process.args like "*needle*"',
    'process where process.args == "the value of the needle-needle"',
  ])('%s', (query) => {
    expect(hits([query], padded('the value of the needle-needle'))).toEqual([0]);
    expect(hits([query], padded('something else'))).toEqual([]);
  });

  test('in a set of conditions that are looked up by what they require', () => {
    const many = Array.from({ length: 20 }, (_, n) => `process where process.args == "needle${n}"`);
    expect(hits(many, padded('needle7'))).toEqual([7]);
    // Lists in lists count too.
    expect(hits(many, [padded('needle3', 6_000), padded('needle9', 6_000), 'needle11'])).toEqual([3, 9, 11]);
    expect(hits(many, padded('none'))).toEqual([]);
  });
});
