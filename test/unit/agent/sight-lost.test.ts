import { expect, test } from 'vitest';
import { sightLostEvent } from '../../../src/agent/sight-lost.js';
import { loadBuiltinRules, planConditions, type Rule } from '../../../src/rules/index.js';

const gap = {
  sensor: 'eslogger',
  reason: 'stopped',
  from: 1_000_000,
  to: 3_000_000,
  detail: 'stopped',
} as const;

test('a gap that somebody may have made on purpose is an event that a rule takes up', () => {
  const event = sightLostEvent({ ...gap, blinded: true }, 'boot');
  expect(event).toMatchObject({
    time: gap.to,
    doc: {
      event: { action: 'sight_lost' },
      launchwarden: { gap: { sensor: 'eslogger', reason: 'stopped' } },
    },
  });
  const { query } = loadBuiltinRules().find(({ meta }) => meta.file.includes('blinded')) as Rule;
  if (query.kind !== 'event') throw new Error('no event rule');
  const hits: number[] = [];
  const doc = { ...event?.doc, host: { os: { type: 'macos' } } };
  planConditions([{ category: query.category, condition: query.condition }]).match(doc, hits);
  expect(hits).toEqual([0]);
});

test('every other gap is none, and each has an id of its own', () => {
  expect(sightLostEvent(gap, 'boot')).toBeUndefined();
  const ids = [gap, { ...gap, from: 2 }, { ...gap, reason: 'ended' }].map(
    (one) => sightLostEvent({ ...one, blinded: true }, 'boot')?.id,
  );
  expect(new Set(ids).size).toBe(3);
});
