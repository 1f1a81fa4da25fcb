import { expect, test } from 'vitest';
import { Detector, userOf } from '../../../src/detect/index.js';
import { alertDocument, type Detection } from '../../../src/event/alert.js';
import type { EcsDocument, LaunchwardenFields } from '../../../src/event/document.js';
import type { Event } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { event, fileEvent, launchctl, rule } from './events.js';

const context = { version: '1', agentId: 'a', created: 0, sensors: [], simulated: true };
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

test('a file that comes late is listed also when what stands for its load has been named by another one', () => {
  const late = fileEvent('f-late', 0.95, path('late'), { inode: 'late' });
  const [written, load] = pair('b', 1, path('late'));
  const namesB = launchctl('later', 2, ['load', path('b')]);
  const held = [...pair('a', 0), written as Event, load as Event, namesB, late];
  expect(lines(summaries(held).at(-1))).toEqual(['f-late path by p-b', 'f-b path by later']);
  // Both files of one call are.
  const both = launchctl('both', 1.1, ['load', path('b'), path('late')]);
  const found = summaries([...pair('a', 0), written as Event, both, late]);
  expect(lines(found.at(-1))).toEqual(['f-late path by both', 'f-b path by both']);
});

test('an alert that is about no file is listed by its event', () => {
  const any = rule('eql', 'any where tag == "x"', { maxSignals: 1 });
  const events = ['a', 'b', 'c'].map((id, index) => event(id, index, { tag: 'x' }));
  expect(lines(summaries(events, [any]).at(-1))).toEqual(['c matched', 'b matched']);
  const changed = rule('eql', 'file where true', { maxSignals: 0 });
  expect(lines(summaries([fileEvent('f', 0, '/x')], [changed]).at(-1))).toEqual(['f matched']);
});

const agents = (user: string, name: string) => `/Users/${user}/Library/LaunchAgents/${name}.plist`;
const ten = rule(
  'eql',
  'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]',
  { maxSignals: 10 },
);

function attackOf(user: string, name: string, at: number, more: LaunchwardenFields = {}): Event[] {
  const place = user === 'system' ? `/Library/LaunchDaemons/${name}.plist` : agents(user, name);
  const uid = user === 'system' ? '0' : '501';
  const written = fileEvent(`f-${name}`, at, place, { inode: name, uid });
  const doc = { ...written.doc, launchwarden: more };
  return [{ ...written, doc }, launchctl(`p-${name}`, at + 0.01, ['load', place])];
}

const told = (events: readonly Event[], one = ten): Detection[] => {
  const found: Detection[] = [];
  const detector = new Detector({ rules: [one], onDetection: (each) => found.push(each) });
  for (const each of events) detector.process(each);
  detector.finish();
  return [...new Map(found.map((each) => [each.id, each])).values()];
};
const alerted = (found: readonly Detection[]) =>
  found.filter(({ kind }) => kind === 'match').map(({ candidates: [best] }) => best?.event.id);

test('one user uses up no place of another, nor of the system', () => {
  const noise = Array.from({ length: 50 }, (_, index) => attackOf('alice', `a${index}`, index / 10)).flat();
  const found = told([
    ...noise,
    ...attackOf('bob', 'bobs', 6),
    ...attackOf('system', 'daemon', 7),
    ...attackOf('alice', 'last', 8),
  ]);
  expect(alerted(found)).toEqual([
    ...noise.filter((_, index) => index < 20 && index % 2 === 0).map(({ id }) => id),
    'f-bobs',
    'f-daemon',
  ]);
  const [summary, ...others] = found.filter(({ kind }) => kind === 'summary');
  expect(others).toEqual([]);
  expect(summary).toMatchObject({
    suppressed: 41,
    flood: { user: 'alice', newest: { event: { id: 'f-last' } } },
  });
  const { event, launchwarden } = alertDocument(summary as Detection, context);
  expect(event?.['reason']).toBe(
    `41 more alerts of "${ten.meta.name}" were held back by max_signals: the 10 of alice are used up; newest: ${agents('alice', 'last')}`,
  );
  expect(launchwarden?.['alert']).toMatchObject({ user: 'alice', suppressed: 41 });
});

test('an item with ever new contents leaves room for those that had no alert yet', () => {
  const sha = (digit: number) => ({
    hash: { sha256: digit.toString(16).repeat(64).slice(0, 64) },
    type: 'file',
  });
  const rewritten = Array.from({ length: 40 }, (_, index) => [
    fileEvent(`f-r${index}`, index / 10, agents('alice', 'same'), { inode: '1', ...sha(index + 16) }),
    launchctl(`p-r${index}`, index / 10 + 0.01, ['load', agents('alice', 'same')]),
  ]).flat();
  const found = alerted(told([...rewritten, ...attackOf('alice', 'other', 5)]));
  expect(found).toHaveLength(4);
  expect(found).toContain('f-other');
});

test('what is odd has a place when the others are used up, and is named by the summary beyond that', () => {
  const noise = Array.from({ length: 30 }, (_, index) => attackOf('alice', `a${index}`, index / 10)).flat();
  const odd = (name: string, at: number, finding: string) =>
    attackOf('alice', name, at, { findings: [finding, 'hidden'] });
  const found = told([
    ...noise,
    ...odd('odd', 5, 'x'),
    ...odd('odder', 6, 'y'),
    ...attackOf('alice', 'z', 7),
  ]);
  expect(alerted(found).slice(10)).toEqual(['f-odd']);
  const summary = found.find(({ kind }) => kind === 'summary') as Detection;
  expect(alertDocument(summary, context).event?.['reason']).toContain(
    `newest: ${agents('alice', 'z')}; odd: ${agents('alice', 'odder')} (y, hidden)`,
  );
  // It stands before those that are like all others.
  expect(summary.candidates[0]?.event.id).toBe('f-odder');
});

test('the severe one behind 10,000 odd decoys has an alert of its own, and beyond its places is named first and at once', () => {
  const single = rule('eql', 'file where true', { maxSignals: 100 });
  const told: Detection[] = [];
  const detector = new Detector({ rules: [single], onDetection: (one) => told.push(one) });
  const found = (name: string, at: number, findings: string[]) => {
    const one = fileEvent(`f-${name}`, at, path(name), { inode: name });
    return { ...one, doc: { ...one.doc, launchwarden: { findings } } };
  };
  const kinds = ['symlink', 'hard-link', 'plist-doctype', 'wrong-type', 'hidden-name'];
  for (let n = 0; n < 10_000; n++)
    detector.process(
      found(`d${n}`, n / 1_000, [...kinds.filter((_, bit) => (n >> bit) % 2 === 1).slice(0, 1), `x${n % 7}`]),
    );
  const evil = ['remote-script', 'apple-label', 'dyld-environment'];
  for (let n = 0; n < 30; n++) {
    const before = told.length;
    detector.process(found(`evil${n}`, 10 + n / 1_000, n === 29 ? [...evil, 'encoded-command'] : evil));
    const news = told
      .slice(before)
      .map(({ kind, events, flood }) => (kind === 'summary' ? flood?.odd[0]?.event.id : events[0]?.id));
    if (n < 10) expect(news).toEqual([`f-evil${n}`]);
  }
  detector.finish();
  const last = told.findLast(({ kind }) => kind === 'summary');
  // One that is odd in a way of its own had a place of that kind.
  expect(told.some(({ kind, events }) => kind === 'match' && events[0]?.id === 'f-evil29')).toBe(true);
  // The count is exact, and a severe one stands at the top.
  const alerts = new Set(told.filter(({ kind }) => kind === 'match').map(({ id }) => id)).size;
  expect(last?.suppressed).toBe(10_030 - alerts);
  expect(last?.candidates[0]?.event.id).toBe('f-evil28');
  expect(alertDocument(last as Detection, context).launchwarden?.['alert']).toMatchObject({
    priority: { level: 'critical' },
  });
});

test('whose an alert is: the home of its file, its owner, the user of the process, else the system', () => {
  const process = (user: object) => ({ process: { name: 'launchctl' }, user }) as EcsDocument;
  const file = (path: unknown, more: object = {}) => ({ file: { path, ...more } }) as EcsDocument;
  const cases: readonly (readonly [EcsDocument, string])[] = [
    [file('/Users/Alice/Library/LaunchAgents/x.plist', { uid: '0' }), 'alice'],
    [file('/Users/Shared/x', { uid: '502', owner: 'bob' }), 'bob'],
    [file('/Library/LaunchAgents/x.plist', { uid: '0', owner: 'root' }), 'system'],
    [file('/Library/LaunchAgents/x.plist', { uid: '501' }), '501'],
    [file('/Library/LaunchAgents/x.plist', { uid: '89', owner: '_www' }), 'system'],
    [file('/Users/x'), 'system'],
    [file('/Users//x/y'), 'system'],
    [file({ length: 3 }), 'system'],
    [process({ id: '501', name: 'alice' }), 'alice'],
    [process({ id: '0' }), 'system'],
    [process({ id: 501 }), '501'],
    [process({ name: ['alice'] }), 'system'],
    [{}, 'system'],
    [{ file: null, user: 'x', launchwarden: 7 } as never, 'system'],
  ];
  for (const [doc, user] of cases) expect(userOf(doc), JSON.stringify(doc)).toBe(user);
  expect(userOf(file(`/Users/${'a'.repeat(10_000)}/x`)).length).toBe(64);
});

test('the noise of one user drops nothing of another: candidates, keys, repeats and calls', () => {
  const limits = { candidates: 20, allCandidates: 40, keys: 20, repeats: 20, loads: 20 };
  const evicted: Record<string, Set<string>> = {};
  const found: Detection[] = [];
  const byFile = rule('eql', 'sequence by file.path with maxspan=1m [file where true] [file where true]', {
    id: 'by-file',
  });
  const detector = new Detector({
    rules: [{ ...ten, meta: { ...ten.meta, maxSignals: 1_000 } }, byFile],
    limits,
    onDetection: (one) => found.push(one),
    onEvicted: (what, user) => {
      evicted[what] ??= new Set();
      evicted[what].add(user);
    },
  });
  const bobs = fileEvent('bobs', 0, agents('bob', 'x'), { inode: 'b' });
  const late = fileEvent('late', 0.5, agents('bob', 'late'), { inode: 'l' });
  const call = launchctl('bobs-call', 0.6, ['load', agents('bob', 'late')]);
  detector.process(bobs);
  detector.process({ ...call, doc: { ...call.doc, user: { id: '502', name: 'bob' } } });
  for (let index = 0; index < 300; index++) {
    const [written, loaded] = attackOf('alice', `a${index}`, 1 + index / 10) as [Event, Event];
    detector.process(written);
    detector.process({ ...loaded, doc: { ...loaded.doc, user: { id: '501', name: 'alice' } } });
  }
  detector.process(late);
  detector.process(launchctl('again', 40, ['load', agents('bob', 'x')]));
  detector.process(fileEvent('bobs2', 41, agents('bob', 'x'), { inode: 'b' }));
  const pairs = found.map(({ candidates }) =>
    candidates.filter(({ named }) => named).map(({ event }) => event.id),
  );
  expect(pairs.flat()).toEqual(expect.arrayContaining(['late', 'bobs']));
  expect(found.some(({ rule: { id }, events }) => id === 'by-file' && events[0]?.id === 'bobs')).toBe(true);
  for (const what of ['candidates', 'keys', 'repeats', 'loads'])
    expect([...(evicted[what] ?? [])], what).toEqual(['alice']);
});

test('the real one behind 102 decoys is named within seconds, an odd one at once', () => {
  const hundred = { ...attack, meta: { ...attack.meta, maxSignals: 100 } };
  const decoys = Array.from({ length: 102 }, (_, index) => pair(`decoy${index}`, index / 100)).flat();
  const told: { readonly at: string; readonly reason: string }[] = [];
  const judge = (events: readonly Event[]) => {
    told.length = 0;
    let now = '';
    const detector = new Detector({
      rules: [hundred],
      onDetection: (one) => {
        if (one.kind !== 'summary') return;
        const reason = alertDocument(one, context).event?.['reason'];
        told.push({ at: now, reason: String(reason) });
      },
    });
    for (const one of events) {
      now = one.id;
      detector.process(one);
    }
    return told.filter(({ reason }) => reason.includes('real.plist')).map(({ at }) => at);
  };
  const later = [event('soon', 3, {}), event('then', 6, {})];
  expect(judge([...decoys, ...pair('real', 2), ...later])).toEqual(['then']);
  const [written, call] = pair('real', 2) as [Event, Event];
  const odd = { ...written, doc: { ...written.doc, launchwarden: { findings: ['program-in-tmp'] } } };
  // Ten places are kept for odd ones: each of these has its own alert, the next one is named at once.
  const findings = Array.from({ length: 10 }, (_, index) => {
    const [file, load] = pair(`odd${index}`, 1.5 + index / 100) as [Event, Event];
    return [{ ...file, doc: { ...file.doc, launchwarden: { findings: [`odd-${index}`] } } }, load];
  }).flat();
  expect(judge([...decoys, ...findings, odd, call])).toEqual([call.id]);
});
