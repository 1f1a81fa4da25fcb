import { expect, test } from 'vitest';
import { Detector, MemoryTermHistory, type TermHistory } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Rule } from '../../../src/rules/index.js';
import { event, rule, second, start } from './events.js';

interface Feed {
  readonly found: Detection[];
  readonly detector: Detector;
  feed(id: string, at: number, doc: object): void;
}

function detectorOf(
  one: Rule,
  more: { history?: TermHistory; baseline?: number; limits?: object } = {},
): Feed {
  const found: Detection[] = [];
  const detector = new Detector({ rules: [one], ...more, onDetection: (detection) => found.push(detection) });
  return { found, detector, feed: (id, at, doc) => detector.process(event(id, at, { ...doc })) };
}

const idsOf = (found: readonly Detection[]) =>
  found.map(({ events }) => events.map((one) => one?.id).join(' '));

const counting = rule('kuery', 'tag:x', {
  type: 'threshold',
  from: 'now-1m',
  threshold: { fields: ['host.id'], value: 3 },
});

test('a threshold counts the events of the look-back for each value of its fields', () => {
  const { found, feed } = detectorOf(counting);
  feed('a', 0, { tag: 'x', host: { id: '1' } });
  feed('b', 1, { tag: 'x', host: { id: '2' } });
  feed('c', 2, { tag: 'y', host: { id: '1' } });
  feed('d', 30, { tag: 'x', host: { id: '1' } });
  feed('e', 60, { tag: 'x', host: { id: '1' } });
  expect(idsOf(found)).toEqual(['a d e']);
  expect(found[0]?.joinKeys).toEqual(['1']);
});

test('events leave the look-back, and what follows an alert within the interval is counted in it', () => {
  const { found, feed } = detectorOf(counting);
  feed('a', 0, { tag: 'x', host: { id: '1' } });
  feed('b', 1, { tag: 'x', host: { id: '1' } });
  feed('c', 60.5, { tag: 'x', host: { id: '1' } });
  expect(found).toEqual([]);
  feed('d', 61, { tag: 'x', host: { id: '1' } });
  expect(idsOf(found)).toEqual(['b c d']);
  feed('e', 62, { tag: 'x', host: { id: '1' } });
  feed('f', 63, { tag: 'x', host: { id: '1' } });
  expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  expect(found.at(-1)).toMatchObject({ repeats: 2 });
});

const x = { tag: 'x', host: { id: '1' } };

test('a bucket alerts once in an interval; behind it the count begins anew', () => {
  const { found, feed } = detectorOf({ ...counting, threshold: { fields: ['host.id'], value: 2 } });
  for (const at of [0, 1, 2, 299, 300.9]) feed(`a${at}`, at, x);
  expect(new Set(idsOf(found))).toEqual(new Set(['a0 a1']));
  // The interval is 5 minutes from the event that completed the count.
  feed('b', 301, x);
  expect(new Set(idsOf(found))).toEqual(new Set(['a0 a1']));
  feed('c', 302, x);
  feed('d', 303, x);
  expect(idsOf(found).at(-1)).toBe('b c');
  expect(new Set(found.map(({ id }) => id)).size).toBe(2);
});

test('an alert of a bucket grows with the doubling of its count, and says all of it at the end of the interval', () => {
  const { found, feed, detector } = detectorOf({ ...counting, threshold: { fields: ['host.id'], value: 1 } });
  for (let index = 0; index < 101; index++) feed(`a${index}`, index / 2, x);
  const counts = found.map(({ repeats }) => repeats);
  expect(counts).toEqual([0, 1, 2, 4, 8, 16, 32, 64]);
  detector.advance(found[0]!.time + 301 * second);
  expect(found.at(-1)?.repeats).toBe(100);
  const other = detectorOf({ ...counting, threshold: { fields: ['host.id'], value: 1 } });
  for (let index = 0; index < 4; index++) other.feed(`a${index}`, index, x);
  other.detector.finish();
  expect(other.found.at(-1)?.repeats).toBe(3);
});

test('every value of a list is a bucket with an alert of its own', () => {
  const { found, feed } = detectorOf({ ...counting, threshold: { fields: ['host.ip'], value: 2 } });
  feed('a', 0, { tag: 'x', host: { ip: ['1.1.1.1', '2.2.2.2'] } });
  feed('b', 1, { tag: 'x', host: { ip: ['2.2.2.2', '1.1.1.1'] } });
  expect(found.map(({ joinKeys }) => joinKeys[0]).sort()).toEqual(['1.1.1.1', '2.2.2.2']);
  expect(new Set(found.map(({ id }) => id)).size).toBe(2);
});

test('buckets that an alert stands for are bounded too', () => {
  const { detector, feed } = detectorOf(
    { ...counting, threshold: { fields: ['host.id'], value: 1 } },
    { limits: { counted: 4 } },
  );
  for (let index = 0; index < 10; index++)
    feed(`e${index}`, index, { tag: 'x', host: { id: String(index) } });
  expect(detector.counters()['evicted_counts']).toBe(6);
});

test('without fields all events count together; without the field none does', () => {
  const all = detectorOf({ ...counting, threshold: { fields: [], value: 2 } });
  all.feed('a', 0, { tag: 'x' });
  all.feed('b', 1, { tag: 'x', host: { id: '1' } });
  expect(idsOf(all.found)).toEqual(['a b']);
  const none = detectorOf({ ...counting, threshold: { fields: ['host.id'], value: 1 } });
  none.feed('a', 0, { tag: 'x' });
  expect(none.found).toEqual([]);
});

test('counted events are bounded, and a threshold beyond the bound is refused', () => {
  const { detector, feed } = detectorOf(counting, { limits: { counted: 4 } });
  for (let index = 0; index < 10; index++)
    feed(`e${index}`, index, { tag: 'x', host: { id: String(index) } });
  expect(detector.counters()['evicted_counts']).toBe(6);
  const huge = { ...counting, threshold: { fields: [], value: 5 } };
  expect(() => detectorOf(huge, { limits: { counted: 4 } })).toThrow(/counts to 5, more than the 4/);
});

const day = 24 * 3600;
const fresh = rule('kuery', 'tag:x', {
  type: 'new_terms',
  newTerms: { fields: ['host.id', 'process.name'], historyWindow: 7 * day * second },
});
const seen = (name: unknown, host = '1') => ({
  tag: 'x',
  host: { id: host },
  process: { name: name as string },
});

test('new terms: the values together, never seen within the window', () => {
  const { found, feed } = detectorOf(fresh);
  feed('a', 0, seen('zsh'));
  feed('b', 1, seen('zsh'));
  feed('c', 2, seen('bash'));
  feed('d', 3, seen('zsh', '2'));
  feed('e', 1 + 7 * day, seen('zsh'));
  feed('f', 2 + 14 * day, seen('zsh'));
  expect(idsOf(found)).toEqual(['a', 'c', 'd', 'f']);
});

test('new terms: types count, a missing field is no term, of several values any new one is', () => {
  const { found, feed } = detectorOf(fresh);
  feed('a', 0, seen('1'));
  feed('b', 1, seen(1));
  feed('c', 2, { tag: 'x', host: { id: '1' } });
  feed('d', 3, seen(['1', 'z']));
  feed('e', 4, seen(['1', 'z']));
  expect(idsOf(found)).toEqual(['a', 'b', 'd']);
});

test('new terms: each new value of a list is an alert of its own, once', () => {
  const { found, feed, detector } = detectorOf({
    ...fresh,
    newTerms: { fields: ['process.args'], historyWindow: day * second },
  });
  feed('a', 0, { tag: 'x', process: { args: ['p', 'q', 'p'] } });
  feed('b', 1, { tag: 'x', process: { args: ['q', 'r', 's'] } });
  expect(found.map(({ joinKeys }) => joinKeys[0])).toEqual(['p', 'q', 'r', 's']);
  expect(new Set(found.map(({ id }) => id)).size).toBe(4);
  // An event that grows gives an alert for what came, and none again for what was there.
  detector.judge(event('b', 1, { tag: 'x', process: { args: ['q', 'r', 's', 't'] } }));
  expect(new Set(found.map(({ id }) => id)).size).toBe(5);
  expect(found.at(-1)?.joinKeys).toEqual(['t']);
});

test('new terms: the path of a launch item that is told as such stands in Persistence.path', () => {
  const { found, feed } = detectorOf({
    ...fresh,
    newTerms: { fields: ['file.path'], historyWindow: day * second },
  });
  feed('a', 0, { tag: 'x', Persistence: { path: '/Library/LaunchAgents/a.plist' } });
  feed('b', 1, { tag: 'x', Persistence: { path: '/Library/LaunchAgents/a.plist' } });
  feed('c', 2, { tag: 'x', file: { path: '/b' }, Persistence: { path: '/c' } });
  expect(found.map(({ joinKeys }) => joinKeys[0])).toEqual(['/Library/LaunchAgents/a.plist', '/b']);
});

test('new terms: combinations of lists are terms', () => {
  const { found, feed } = detectorOf(fresh);
  feed('a', 0, { tag: 'x', host: { id: ['1', '2'] }, process: { name: ['n', 'm'] } });
  feed('b', 1, { tag: 'x', host: { id: '2' }, process: { name: ['m', 'o'] } });
  expect(found.map(({ joinKeys }) => joinKeys.join(' '))).toEqual(['1 n', '1 m', '2 n', '2 m', '2 o']);
});

test('a rule without history only learns for a day; after a restart it knows that it has learnt', () => {
  const history = new MemoryTermHistory(1000);
  const first = detectorOf(fresh, { history });
  first.feed('a', 0, seen('zsh'));
  first.feed('b', day - 1, seen('bash'));
  first.feed('c', day + 1, seen('zsh'));
  first.feed('d', day + 2, seen('perl'));
  expect(idsOf(first.found)).toEqual(['d']);
  const second_ = detectorOf(fresh, { history });
  second_.feed('e', day + 3, seen('ruby'));
  second_.feed('f', day + 4, seen('bash'));
  expect(idsOf(second_.found)).toEqual(['e']);
});

test('it learns from the time at which it begins to judge: the first match days later is an alert', () => {
  const history = new MemoryTermHistory(1000);
  const first = detectorOf(fresh, { history });
  first.detector.advance(start);
  first.feed('a', 2 * day, seen('zsh'));
  expect(idsOf(first.found)).toEqual(['a']);
  // Also when it was stopped in between.
  const other = new MemoryTermHistory(1000);
  detectorOf(fresh, { history: other }).detector.advance(start);
  const later = detectorOf(fresh, { history: other });
  later.detector.advance(start + 2 * day * second);
  later.feed('a', 2 * day + 1, seen('zsh'));
  expect(idsOf(later.found)).toEqual(['a']);
});

test('a rule that was stopped while it learnt goes on learning', () => {
  const history = new MemoryTermHistory(1000);
  detectorOf(fresh, { history }).feed('a', 0, seen('zsh'));
  const { found, feed } = detectorOf(fresh, { history });
  feed('b', 10, seen('bash'));
  expect(found).toEqual([]);
});

test('the same events judged again give the same alerts', () => {
  const history = new MemoryTermHistory(1000);
  const run = () => {
    const { found, feed } = detectorOf(fresh, { history, baseline: 0 });
    feed('a', 0, seen('zsh'));
    feed('b', 1, seen('zsh'));
    feed('c', 2, seen('bash'));
    return found.map(({ id }) => id);
  };
  const before = run();
  expect(before).toHaveLength(2);
  expect(run()).toEqual(before);
});

test('the history forgets the longest unseen', () => {
  const history = new MemoryTermHistory(2);
  expect(history.seen('r', 'a', 1)).toBeUndefined();
  expect(history.seen('r', 'b', 2)).toBeUndefined();
  expect(history.seen('r', 'a', 3)).toBe(1);
  expect(history.seen('r', 'c', 4)).toBeUndefined();
  expect(history.seen('r', 'a', 5)).toBe(3);
  expect(history.seen('r', 'b', 6)).toBeUndefined();
});
