import { expect, test } from 'vitest';
import { Detector, QueryRun } from '../../../src/detect/index.js';
import { fc } from '../../helpers/property.js';
import { sourceRules } from '../../helpers/source-rules.js';
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

test('fields of any type are judged without an error', () => {
  const name = fc.constantFrom(
    'event',
    'category',
    'type',
    'file',
    'path',
    'inode',
    'hash',
    'process',
    'name',
    'args',
    'host',
    'id',
    'os',
  );
  const known = fc.constantFrom(
    'file',
    'process',
    'start',
    'macos',
    'launchctl',
    'load',
    '/Library/LaunchAgents/x',
    'h',
  );
  const anything = fc.anything({
    key: name,
    maxDepth: 4,
    values: [known, fc.nat(), fc.boolean(), fc.constant(null)],
    withNullPrototype: true,
  });
  const doc = fc.record({
    event: fc.oneof(fc.record({ category: fc.oneof(known, anything), type: anything }), anything),
    host: fc.record({ id: fc.oneof(known, anything), os: fc.record({ type: fc.constant('macos') }) }),
    file: fc.record({ path: fc.oneof(known, anything), inode: anything, hash: anything, type: anything }),
    process: fc.record({
      name: fc.oneof(known, anything),
      args: fc.oneof(fc.array(known), anything),
      working_directory: anything,
    }),
  });
  const source = sourceRules();
  fc.assert(
    fc.property(fc.array(doc, { maxLength: 8 }), (docs) => {
      const rules = [
        ...source,
        rule('eql', 'sequence by host.id [file where true] [process where true]', { id: 'pairs' }),
        rule('kuery', 'file.path:*', { id: 'terms', newTerms: { fields: ['file.path'], historyWindow: 1 } }),
        rule('kuery', 'file.path:*', { id: 'counts', threshold: { fields: ['host.id'], value: 2 } }),
      ];
      const detector = new Detector({ rules, onDetection() {} });
      for (const [index, one] of docs.entries()) detector.process(event(String(index), index, one));
      detector.finish();
      expect(detector.counters()['errors']).toBe(0);
    }),
    { numRuns: 200 },
  );
});
