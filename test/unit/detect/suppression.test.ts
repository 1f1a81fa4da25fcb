import { expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Rule } from '../../../src/rules/index.js';
import { event, rule, second } from './events.js';

function detectorOf(one: Rule) {
  const alerts = new Map<string, Detection>();
  const detector = new Detector({
    rules: [one],
    onDetection: (detection) => alerts.set(detection.id, detection),
  });
  return {
    detector,
    feed: (id: string, at: number, doc: object) => detector.process(event(id, at, { ...doc })),
    told: () =>
      [...alerts.values()].map(
        ({ events, repeats }) => `${events.map((one) => one?.id).join(' ')} +${repeats}`,
      ),
  };
}

const grouped = rule('kuery', 'tag:x', {
  suppression: { fields: ['host.id', 'user.name'], duration: 60 * second, missing: 'together' },
});
const doc = (host: unknown, user?: unknown) => ({
  tag: 'x',
  host: { id: host },
  ...(user === undefined ? {} : { user: { name: user } }),
});

test('one alert for a group of values within the duration, that counts the others', () => {
  const { feed, told } = detectorOf(grouped);
  feed('a', 0, doc('1', 'u'));
  feed('b', 10, doc('1', 'u'));
  feed('c', 20, doc('1', 'v'));
  feed('d', 59.9, doc('1', 'u'));
  feed('e', 60, doc('1', 'u'));
  feed('f', 61, doc('1', 'u'));
  expect(told()).toEqual(['a +2', 'c +0', 'e +1']);
});

test('what lacks a field is a group of its own, or is never suppressed', () => {
  const together = detectorOf(grouped);
  for (const id of ['a', 'b']) together.feed(id, 0, doc('1'));
  expect(together.told()).toEqual(['a +1']);
  const apart = detectorOf({ ...grouped, suppression: { fields: ['user.name'], missing: 'apart' } });
  for (const id of ['a', 'b']) apart.feed(id, 0, doc('1'));
  for (const id of ['c', 'd']) apart.feed(id, 0, doc('1', 'u'));
  expect(apart.told()).toEqual(['a +0', 'b +0', 'c +1']);
});

test('without a duration it is the interval of the rule; a list in another order is the same group', () => {
  const { feed, told } = detectorOf({
    ...grouped,
    suppression: { fields: ['host.id'], missing: 'together' },
  });
  feed('a', 0, doc(['1', '2']));
  feed('b', 299, doc(['2', '1', '2']));
  feed('c', 300, doc(['1', '2']));
  feed('d', 301, doc(['1']));
  expect(told()).toEqual(['a +1', 'c +0', 'd +0']);
});

test('sequences and thresholds are suppressed by what they end with, or by their buckets', () => {
  const pairs = detectorOf(
    rule('eql', 'sequence with maxspan=1m [any where tag == "a"] [any where tag == "x"]', {
      suppression: { fields: ['host.id'], duration: 60 * second, missing: 'together' },
    }),
  );
  for (const [index, tag] of ['a', 'x', 'a', 'x'].entries())
    pairs.feed(`${tag}${index}`, index, { ...doc('1'), tag });
  expect(pairs.told()).toEqual(['a0 x1 +1']);
  const counts = detectorOf(
    rule('kuery', 'tag:x', {
      type: 'threshold',
      threshold: { fields: ['host.id'], value: 1 },
      suppression: { fields: [], duration: 3600 * second, missing: 'together' },
    }),
  );
  counts.feed('a', 0, doc('1'));
  counts.feed('b', 301, doc('1'));
  counts.feed('c', 302, doc('2'));
  expect(counts.told()).toEqual(['a +1', 'c +0']);
});

test('events judged again after a start stand in the same groups', () => {
  const run = () => {
    const { feed, told, detector } = detectorOf(grouped);
    for (const [index, at] of [0, 10, 70, 80].entries()) feed(`e${index}`, at, doc('1', 'u'));
    expect(detector.horizon).toBeGreaterThanOrEqual(60 * second);
    return told();
  };
  expect(run()).toEqual(run());
});
