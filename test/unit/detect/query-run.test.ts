import { expect, test } from 'vitest';
import { Detector, QueryRun } from '../../../src/detect/index.js';
import { event, query, rule } from './events.js';

test('a head that has all it wants says so, and takes no more', () => {
  const found: string[] = [];
  const run = new QueryRun({
    query: query('eql', 'any where tag == "x" | head 2'),
    onMatch: ({ events }) => found.push(events[0]?.id as string),
  });
  const done = ['a', 'b', 'c'].map((id, index) => {
    run.process(event(id, index, { tag: 'x' }));
    return run.done;
  });
  run.finish();
  expect([found, done]).toEqual([
    ['a', 'b'],
    [false, true, true],
  ]);
});

test('a hunt tells every match: nothing is a repeat, nothing is too much', () => {
  const found: unknown[] = [];
  const run = new QueryRun({
    query: query('kuery', 'file.path:*'),
    onMatch: ({ joinKeys }) => found.push(joinKeys),
  });
  for (let index = 0; index < 300; index++) run.process(event(String(index), 0, { file: { path: '/x' } }));
  run.finish();
  expect(found).toHaveLength(300);
  expect(found[0]).toEqual([]);
});

test('tail keeps no more than it needs and tells at the end', () => {
  const found: string[] = [];
  const run = new QueryRun({
    query: query('eql', 'any where true | tail 3'),
    onMatch: ({ events }) => found.push(events[0]?.id as string),
  });
  for (let index = 0; index < 1000; index++) run.process(event(String(index), index));
  expect(found).toEqual([]);
  run.finish();
  expect(found).toEqual(['997', '998', '999']);
});

test('an event that no rule can judge stops nothing and is counted', () => {
  const broken = event('broken', 0);
  const trap = new Proxy(
    {},
    {
      get() {
        throw new Error('unreadable');
      },
    },
  );
  const found: string[] = [];
  const detector = new Detector({
    rules: [rule('eql', 'any where tag == "x"')],
    onDetection: ({ events }) => found.push(events[0]?.id as string),
  });
  detector.process({ ...broken, doc: trap });
  detector.process(event('fine', 1, { tag: 'x' }));
  expect(found).toEqual(['fine']);
  expect(detector.counters()).toMatchObject({ events: 2, errors: 1, alerts: 1 });
});
