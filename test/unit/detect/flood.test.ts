import { expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { event, fileEvent, launchctl, rule } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const path = (name: string) => `${folder}/${name}.plist`;
const attack = rule(
  'eql',
  'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]',
  { maxSignals: 1 },
);

/** A file is written, and something is loaded a moment later. */
function pair(name: string, at: number, what = path(name)): Event[] {
  const written = fileEvent(`f-${name}`, at, path(name), { inode: name });
  return [written, launchctl(`p-${name}`, at + 0.1, ['load', what])];
}

function summaries(events: readonly Event[], rules: readonly Rule[] = [attack], limits = {}): Detection[] {
  const told: Detection[] = [];
  const detector = new Detector({ rules, limits, onDetection: (one) => told.push(one) });
  for (const one of events) detector.process(one);
  detector.finish();
  return told.filter(({ kind }) => kind === 'summary');
}

const lines = (summary: Detection | undefined) =>
  summary?.candidates.map(
    ({ event: { id }, link, process }) => `${id} ${link}${process ? ` by ${process.id}` : ''}`,
  );

test('a summary lists what was held back: first what the process names, of that the newest', () => {
  const found = summaries([
    ...pair('a', 0),
    ...pair('b', 1, '/tmp/y.plist'),
    ...pair('c', 2),
    ...pair('d', 3, '/tmp/y.plist'),
    ...pair('e', 4, folder),
    ...pair('f', 5),
  ]);
  expect(found.at(-1)).toMatchObject({ suppressed: 5, events: [] });
  expect(lines(found.at(-1))).toEqual([
    'f-f path by p-f',
    'f-c path by p-c',
    'f-e directory by p-e',
    'f-d matched by p-d',
    'f-b matched by p-b',
  ]);
  // What was told before stays what it was.
  expect(found.map(({ candidates }) => candidates.length)).toEqual([1, 2, 4, 5]);
});

test('it lists a bounded number, the best of all, and counts the others', () => {
  const found = summaries(
    [
      ...pair('a', 0),
      ...Array.from({ length: 8 }, (_, index) => pair(`decoy${index}`, 1 + index, '/tmp/y.plist')).flat(),
      ...pair('real', 20),
    ],
    [attack],
    { held: 3 },
  );
  expect(found.at(-1)?.suppressed).toBe(9);
  expect(lines(found.at(-1))).toEqual([
    'f-real path by p-real',
    'f-decoy7 matched by p-decoy7',
    'f-decoy6 matched by p-decoy6',
  ]);
});

test('the next interval begins with an empty list', () => {
  const found = summaries([...pair('a', 0), ...pair('b', 1), ...pair('c', 400), ...pair('d', 401)]);
  expect(found.map(lines)).toEqual([['f-b path by p-b'], ['f-d path by p-d']]);
});

test('what is held back learns who names it, and that is told when the interval ends', () => {
  const events = [
    ...pair('a', 0),
    ...pair('b', 1, '/tmp/y.plist'),
    launchctl('later', 2, ['load', path('b')]),
  ];
  const found = summaries(events);
  expect(found.map(lines)).toEqual([['f-b matched by p-b'], ['f-b path by later']]);
  expect(found.map(({ id, suppressed }) => [id, suppressed])).toEqual([
    [found[0]?.id, 1],
    [found[0]?.id, 1],
  ]);
});

test('but nothing of an interval that is over, and nothing twice', () => {
  const short = { ...attack, meta: { ...attack.meta, interval: '10s' } };
  const events = [
    ...[...pair('a', 0), ...pair('b', 1, '/tmp/y.plist')],
    ...[...pair('c', 12), ...pair('d', 13), launchctl('later', 14, ['load', path('b')])],
  ];
  expect(summaries(events, [short]).map(lines)).toEqual([['f-b matched by p-b'], ['f-d path by p-d']]);
  const late = fileEvent('f-again', 1.05, path('b'), { inode: 'b' });
  expect(summaries([...pair('a', 0), ...pair('b', 1), late]).map(lines)).toEqual([['f-b path by p-b']]);
});

test('an alert that is about no file is listed by its event', () => {
  const any = rule('eql', 'any where tag == "x"', { maxSignals: 1 });
  const events = ['a', 'b', 'c'].map((id, index) => event(id, index, { tag: 'x' }));
  expect(lines(summaries(events, [any]).at(-1))).toEqual(['c matched', 'b matched']);
  const changed = rule('eql', 'file where true', { maxSignals: 0 });
  expect(lines(summaries([fileEvent('f', 0, '/x')], [changed]).at(-1))).toEqual(['f matched']);
});
