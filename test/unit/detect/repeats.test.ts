import { expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { event, fileEvent, launchctl, rule, start } from './events.js';

function detect(rules: readonly Rule[], events: readonly Event[]): Detection[] {
  const found: Detection[] = [];
  const detector = new Detector({ rules, onDetection: (one) => found.push(one) });
  for (const one of events) detector.process(one);
  detector.finish();
  return found;
}

/** Ids of the alerts in the order of their first appearance, with the last count of each. */
function tally(found: readonly Detection[]): [string, number][] {
  const last = new Map<string, Detection>();
  for (const one of found) last.set(one.id, one);
  return [...last.values()].map(({ events, repeats }) => [events[0]?.id ?? 'summary', repeats]);
}

const changed = rule('eql', 'file where file.path : "/watched/*"');
const at = (id: string, time: number, more = {}) =>
  fileEvent(id, time, '/watched/x', { inode: '1', type: 'file', ...more });
const sha = (digit: string) => ({ hash: { sha256: digit.repeat(64) } });

test('the same path and inode within five minutes is a repeat, later an alert of its own', () => {
  expect(
    tally(detect([changed], [at('a', 0), at('b', 299), at('c', 300), at('d', 301), at('e', 302)])),
  ).toEqual([
    ['a', 2],
    ['d', 1],
  ]);
});

test('another inode or another path is another file', () => {
  expect(
    tally(
      detect(
        [changed],
        [at('a', 0), at('b', 1, { inode: '2' }), fileEvent('c', 2, '/watched/y', { inode: '1' })],
      ),
    ),
  ).toEqual([
    ['a', 0],
    ['b', 0],
    ['c', 0],
  ]);
});

test('another content of a regular file is an alert of its own; an unknown one and that of a folder are not', () => {
  expect(
    tally(
      detect(
        [changed],
        [at('a', 0, sha('1')), at('b', 1), at('c', 2, sha('1')), at('d', 3, sha('2')), at('e', 4, sha('2'))],
      ),
    ),
  ).toEqual([
    ['a', 2],
    ['d', 1],
  ]);
  const folder = { type: 'dir' };
  expect(
    tally(
      detect([changed], [at('a', 0, { ...folder, ...sha('1') }), at('b', 1, { ...folder, ...sha('2') })]),
    ),
  ).toEqual([['a', 1]]);
});

test('for a rule that asks for contents another inode with the same content is a repeat', () => {
  const minded = rule('eql', 'file where file.path : "/watched/*"', { launchwarden: { news: 'content' } });
  const events = [
    ...[at('a', 0, sha('1')), at('b', 1, { inode: '2', ...sha('1') })],
    ...[at('c', 2, { inode: '3', ...sha('2') }), at('d', 3, { inode: '4' })],
  ];
  expect(tally(detect([minded], events))).toEqual([
    ['a', 1],
    ['c', 0],
    ['d', 0],
  ]);
  expect(tally(detect([changed], events))).toHaveLength(4);
});

test('rules do not share repeats, and rules without files have none', () => {
  const other = rule('eql', 'file where true', { id: 'rule-2' });
  expect(detect([changed, other], [at('a', 0)])).toHaveLength(2);
  const process = rule('eql', 'process where true');
  expect(tally(detect([process], [launchctl('p', 0, ['x']), launchctl('q', 1, ['x'])]))).toEqual([
    ['p', 0],
    ['q', 0],
  ]);
});

test('of a sequence the file is the one that the process names: a decoy hides no second attack', () => {
  const loaded = rule('eql', 'sequence by host.id with maxspan=1m [file where true] [process where true]');
  const decoy = (id: string, time: number) => fileEvent(id, time, '/a/decoy.plist', { inode: '9' });
  const events = [
    fileEvent('evil1', 0, '/a/evil1.plist', { inode: '1' }),
    decoy('decoy1', 1),
    launchctl('p1', 2, ['load', '/a/evil1.plist']),
    fileEvent('evil2', 10, '/a/evil2.plist', { inode: '2' }),
    decoy('decoy2', 11),
    launchctl('p2', 12, ['load', '/a/evil2.plist']),
    decoy('decoy3', 20),
    launchctl('p3', 21, ['load', '/a/evil2.plist']),
  ];
  const found = detect([loaded], events);
  expect(tally(found)).toEqual([
    ['decoy1', 0],
    ['decoy2', 1],
  ]);
  expect(found.at(-1)?.candidates.map((one) => one.event.id)).toContain('decoy3');
});

test('after max_signals one summary counts the rest; the next interval begins anew', () => {
  const few = rule('eql', 'any where tag == "x"', { maxSignals: 3, interval: '1m' });
  const events = Array.from({ length: 20 }, (_, index) => event(`e${index}`, index * 5, { tag: 'x' }));
  const found = detect([few], events);
  const alerts = found.filter(({ kind }) => kind === 'match').map(({ events: [first] }) => first?.id);
  expect(alerts).toEqual(['e0', 'e1', 'e2', 'e12', 'e13', 'e14']);
  const summaries = found.filter(({ kind }) => kind === 'summary');
  expect(new Set(summaries.map(({ id }) => id)).size).toBe(2);
  const growth = summaries.filter(({ id }) => id === summaries[0]?.id).map(({ suppressed }) => suppressed);
  expect(growth).toEqual([1, 2, 3, 4, 6, 9]);
  expect(summaries.at(-1)).toMatchObject({ suppressed: 5, events: [], time: start + 95e6 });
});

test('a summary is brought up to date when its interval ends, whatever comes next', () => {
  const few = rule('eql', 'any where tag == "x"', { maxSignals: 1, interval: '1m' });
  const found: Detection[] = [];
  const detector = new Detector({ rules: [few], onDetection: (one) => found.push(one) });
  for (let index = 0; index < 4; index++) detector.process(event(`e${index}`, index, { tag: 'x' }));
  expect(found.map(({ suppressed }) => suppressed)).toEqual([0, 1, 2]);
  detector.process(event('other', 61, { tag: 'y' }));
  expect(found.map(({ suppressed }) => suppressed)).toEqual([0, 1, 2, 3]);
});

test('a repeat of what was held back is held back', () => {
  const few = { ...changed, meta: { ...changed.meta, maxSignals: 1 } };
  const found = detect(
    [few],
    [
      at('a', 0),
      fileEvent('b', 1, '/watched/y', { inode: '2' }),
      fileEvent('c', 2, '/watched/y', { inode: '2' }),
    ],
  );
  expect(found.map(({ kind, suppressed }) => [kind, suppressed])).toEqual([
    ['match', 0],
    ['summary', 1],
  ]);
});

test('alerts from before a restart are repeated, not told again', () => {
  const found: Detection[] = [];
  const detector = new Detector({ rules: [changed], onDetection: (one) => found.push(one) });
  expect(detector.horizon).toBe(300e6);
  detector.remember([{ ruleId: 'rule-1', time: start, file: { path: '/watched/x', inode: '1' } }]);
  detector.process(at('b', 10));
  detector.process(at('c', 301));
  expect(found.map(({ events: [first] }) => first?.id)).toEqual(['c']);
});

test('the same events give the same ids, and other events give others', () => {
  const events = [at('a', 0), at('b', 400), fileEvent('c', 401, '/watched/z')];
  const ids = (list: readonly Event[]) => detect([changed], list).map(({ id }) => id);
  expect(ids(events)).toEqual(ids(events));
  expect(new Set(ids(events)).size).toBe(3);
});

test('a file that is renamed into place is one alert, about the name that it keeps', () => {
  const bundles = rule('eql', 'file where file.path : "/watched/*" and event.type != "deletion"');
  const renamed = (id: string, time: number, path: string, from: string, inode = '1') => {
    const one = fileEvent(id, time, path, { inode, Ext: { original: { path: from } } });
    return { ...one, doc: { ...one.doc, event: { ...one.doc.event, action: 'rename' } } };
  };
  const written = fileEvent('tmp', 0, '/watched/.x.tmp', { inode: '1' });
  const found = detect([bundles], [written, renamed('final', 0.1, '/watched/x', '/watched/.x.tmp')]);
  expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  expect(found.at(-1)).toMatchObject({
    events: [{ id: 'final' }],
    repeats: 0,
    candidates: [{ event: { id: 'final' } }, { event: { id: 'tmp' }, link: 'window' }],
  });
  // Another file under the old name, and one that was renamed from elsewhere, are alerts of their own.
  const other = renamed('final', 0.1, '/watched/x', '/watched/.x.tmp', '2');
  expect(tally(detect([bundles], [written, other]))).toHaveLength(2);
  const later = fileEvent('again', 1, '/watched/x', { inode: '1' });
  const last = detect([bundles], [written, renamed('final', 0.1, '/watched/x', '/watched/.x.tmp'), later]);
  expect(last.at(-1)).toMatchObject({ repeats: 1, events: [{ id: 'final' }] });
});
