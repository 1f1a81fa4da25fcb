import { expect, test } from 'vitest';
import { SameChanges } from '../../../src/agent/tiers-merge.js';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event, FileContent } from '../../../src/event/event.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { observation } from './fake-sensor.js';

const content: FileContent = { bytes: new Uint8Array([1]), size: 1, truncated: false };
const agent = '/Library/LaunchAgents/x.plist';

function change(kind: 'eslogger' | 'file-watch', more: Record<string, unknown> = {}, id?: string) {
  const ctime = kind === 'file-watch' ? '2026-11-22T09:00:00.123456789Z' : '2026-11-22T09:00:00.123456Z';
  return observation({
    event: {
      ...(id === undefined ? {} : { id }),
      category: ['file'],
      type: ['change'],
      action: 'modification',
    },
    file: { path: agent, inode: '7', ctime, type: 'file', ...more },
    launchwarden: { sensor: { kind } },
  });
}

test('a change that was told with its writer is not told again', () => {
  const changes = new SameChanges();
  changes.told({ ...change('eslogger'), content });
  expect(changes.rest({ ...change('file-watch'), content })).toBeUndefined();
  expect(changes.merged).toBe(1);
});

test.each([
  ['another path', { path: '/Library/LaunchAgents/y.plist' }],
  ['another inode', { inode: '8' }],
  ['another moment', { ctime: '2026-11-22T09:00:00.200000Z' }],
  ['no ctime', { ctime: undefined }],
])('%s is another change', (_name, more) => {
  const changes = new SameChanges();
  changes.told(change('eslogger'));
  const seen = change('file-watch', more);
  expect(changes.rest(seen)).toBe(seen);
});

test('a deletion is not the change before it', () => {
  const changes = new SameChanges();
  changes.told(change('eslogger'));
  const { event } = change('file-watch');
  const gone = {
    event: { ...event, doc: { ...event.doc, event: { ...event.doc.event, type: ['deletion'] } } },
  };
  expect(changes.rest(gone)).toBe(gone);
});

test('content that the other one could not read is kept', () => {
  const changes = new SameChanges();
  changes.told(change('eslogger'));
  const seen = { ...change('file-watch'), content };
  expect(changes.rest(seen)).toBe(seen);
});

test('what grows out of a withheld change is withheld while the other one tells it, and fresh when he does not', () => {
  const changes = new SameChanges();
  changes.told({ ...change('eslogger'), content });
  expect(changes.rest({ ...change('file-watch', {}, 'fw'), content })).toBeUndefined();
  const later = { ctime: '2026-11-22T09:00:00.300000Z' };
  const grown = { ...change('file-watch', later, 'fw'), content, amends: true };
  expect(changes.rest(grown)).toEqual({ event: grown.event, content });
  // From then on it is known by its id.
  expect(changes.rest(grown)).toBe(grown);

  const both = new SameChanges();
  both.told({ ...change('eslogger'), content });
  expect(both.rest({ ...change('file-watch', {}, 'fw'), content })).toBeUndefined();
  both.told({ ...change('eslogger', later), content, amends: true });
  expect(both.rest({ ...change('file-watch', later, 'fw'), content, amends: true })).toBeUndefined();
});

test('what it remembers is bounded', () => {
  const changes = new SameChanges();
  changes.told(change('eslogger', { inode: 'first' }));
  for (let inode = 0; inode < 5_000; inode++) changes.told(change('eslogger', { inode: String(inode) }));
  expect(changes.rest(change('file-watch', { inode: 'first' }))).toBeDefined();
  expect(changes.rest(change('file-watch', { inode: '4999' }))).toBeUndefined();
});

/** Two tellings of each change that were not merged, in both orders: detection makes one alert of each attack. */
test.each(['eslogger first', 'file-watch first'])('told twice is alerted once: %s', (order) => {
  const found: Detection[] = [];
  const detector = new Detector({ rules: sourceRules(), onDetection: (one) => found.push(one) });
  let time = Date.UTC(2026, 10, 22, 9) * 1000;
  const tell = (doc: Event['doc']) => {
    time += 1_000;
    const id = `${time}`;
    const host = { id: 'mac', os: { type: 'macos' } };
    detector.process({ id, time, nanos: 0, sequence: time, doc: { host, ...doc } });
  };
  const twice = (path: string) => {
    const kinds = ['eslogger', 'file-watch'] as const;
    for (const kind of order === 'eslogger first' ? kinds : [...kinds].reverse())
      tell(change(kind, { path, ctime: String(time) }).event.doc);
  };
  twice(agent);
  tell({
    event: { category: ['process'], type: ['start'], action: 'exec' },
    process: { name: 'launchctl', args: ['launchctl', 'load', agent] },
  });
  twice('/Library/DirectoryServices/PlugIns/x.dsplug');
  detector.finish();
  const alerts = new Map(found.map((one) => [one.id, one]));
  expect(
    [...alerts.values()].map(({ repeats, candidates }) => ({ repeats, files: candidates.length })),
  ).toEqual([
    { repeats: 0, files: 2 },
    { repeats: 1, files: 2 },
  ]);
});
