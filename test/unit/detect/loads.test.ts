import { describe, expect, test } from 'vitest';
import { Detector, QueryRun } from '../../../src/detect/index.js';
import { alertDocument, type Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import { alertId } from '../../../src/event/ids.js';
import type { Rule } from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { event, fileEvent, launchctl, rule, second } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const evilPath = `${folder}/evil.plist`;
const decoyPath = `${folder}/decoy.plist`;
const evil = fileEvent('evil', 0, evilPath, { inode: '1' });
const decoy = fileEvent('decoy', 1, decoyPath, { inode: '2' });
const load = (id: string, at: number, ...args: string[]) => launchctl(id, at, ['load', ...args]);

const builtin = sourceRules();
const loaded = builtin.find(({ meta }) => meta.name.startsWith('Launch agent written')) as Rule;

function detect(events: readonly Event[], rules: readonly Rule[] = builtin, limits = {}) {
  const told: Detection[] = [];
  const detector = new Detector({ rules, limits, onDetection: (one) => told.push(one) });
  for (const one of events) detector.process(one);
  detector.finish();
  return { told, detector, alerts: [...new Map(told.map((one) => [one.id, one])).values()] };
}

/** The events of each alert, and its candidates with what links them, as they were told last. */
function shown(events: readonly Event[], rules?: readonly Rule[], limits?: object): string[] {
  return detect(events, rules, limits).alerts.map(({ events: matched, candidates, repeats }) => {
    const files = candidates.map(
      ({ event: { id }, link, process }) =>
        `${id} ${link}${process === undefined ? '' : ` by ${process.id}`}`,
    );
    const times = repeats === 0 ? '' : ` +${repeats}`;
    return `${matched.map((one) => one?.id ?? '-').join(' ')}${times}: ${files.join(', ')}`;
  });
}

describe('a decoy that was written and loaded first', () => {
  test('does not hide that the real file is loaded after it', () => {
    const events = [evil, decoy, load('p1', 2, decoyPath), load('p2', 3, evilPath)];
    expect(shown(events)).toEqual(['decoy p1: decoy path, evil window', 'evil p2: evil path, decoy window']);
    const { alerts, detector } = detect(events);
    expect(alerts[1]).toMatchObject({
      id: alertId(loaded.meta.id, ['evil', 'p2']),
      kind: 'match',
      time: load('', 3).time,
      joinKeys: ['mac-1'],
      repeats: 0,
    });
    expect(detector.counters()).toMatchObject({ matches: 1, loads: 1, alerts: 2, repeats: 0 });
  });

  const labelled: Event = { ...evil, doc: { ...evil.doc, launchwarden: { plist: { label: 'com.evil' } } } };
  const anyVerb = rule(
    'eql',
    'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]',
  );
  const links: readonly (readonly [string, readonly string[]])[] = [
    ['path', ['bootstrap', 'gui/501', evilPath]],
    ['directory', ['load', folder]],
    ['directory', ['load', '-D', 'user']],
    ['label', ['enable', 'gui/501/com.evil']],
    ['label', ['kickstart', '-k', 'gui/501/com.evil']],
  ];
  for (const [link, args] of links) {
    test(`nor when it is named by ${link}: ${args.join(' ')}`, () => {
      const events = [labelled, decoy, load('p1', 2, decoyPath), launchctl('p2', 3, args)];
      expect(shown(events, [anyVerb])[1]).toMatch(new RegExp(`^evil p2: evil ${link}, decoy `));
      expect(shown(events, [anyVerb])).toHaveLength(2);
    });
  }

  test('nor any of the others that are loaded one by one', () => {
    const other = fileEvent('other', 1.5, `${folder}/other.plist`, { inode: '3' });
    const events = [
      ...[evil, decoy, other, load('p1', 2, decoyPath)],
      ...[load('p2', 3, evilPath), load('p3', 4, `${folder}/other.plist`)],
    ];
    // `other` is what the rule language matched; the alert is about the decoy all the same.
    expect(shown(events)).toEqual([
      'other p1: decoy path, other matched, evil window',
      'evil p2: evil path, other window, decoy window',
      'other p3: other path, decoy window, evil window',
    ]);
  });

  test('not after a restart either: what is judged again stands where it stood', () => {
    const stored = [evil, decoy, load('p1', 2, decoyPath)];
    const next = [load('p2', 3, evilPath), load('p3', 4, evilPath)];
    const told: Detection[] = [];
    const again = new Detector({ rules: builtin, onDetection: (one) => told.push(one) });
    for (const one of stored) again.process(one);
    told.length = 0;
    for (const one of next) again.process(one);
    expect(told.map(({ id }) => id)).toEqual([alertId(loaded.meta.id, ['evil', 'p2'])]);
    const straight = detect([...stored, ...next]).told;
    expect(JSON.stringify(told)).toBe(JSON.stringify(straight.slice(1)));
  });
});

describe('no second alert', () => {
  const first = [evil, decoy, load('p1', 2, decoyPath), load('p2', 3, evilPath)];

  test('for an unrelated load, nor for the same load once more', () => {
    const { told } = detect([
      ...first,
      ...[load('q1', 4, '/tmp/y.plist'), load('q2', 5, decoyPath), load('q3', 6, evilPath)],
      ...[load('q4', 7, folder), load('q5', 8), load('q6', 9, '-D', 'all')],
    ]);
    expect(told).toHaveLength(2);
    const simple = [evil, load('p1', 2, evilPath), load('q1', 3, '/tmp/y.plist'), load('q2', 4, evilPath)];
    expect(detect(simple).told).toHaveLength(1);
  });

  test('for a file that stands in an alert as named: one call may name several', () => {
    const both = load('p1', 2, evilPath, decoyPath);
    const events = [evil, decoy, both, load('p2', 3, evilPath), load('p3', 4, decoyPath)];
    expect(shown(events)).toEqual(['decoy p1: decoy path, evil path']);
    const whole = [evil, decoy, load('p1', 2, folder), load('p2', 3, evilPath), load('p3', 4, decoyPath)];
    expect(shown(whole)).toEqual(['decoy p1: decoy directory, evil directory']);
  });

  test('for several files that one later call names', () => {
    const third = fileEvent('third', 1.5, `${folder}/third.plist`, { inode: '3' });
    const events = [evil, decoy, third, load('p1', 2, `${folder}/third.plist`), load('p2', 3, folder)];
    expect(shown(events)).toEqual([
      'third p1: third path, decoy window, evil window',
      'decoy p2: decoy directory, third directory, evil directory',
    ]);
  });

  test('for another event of the same file', () => {
    const created = fileEvent('created', 0, evilPath, { inode: '1' });
    const touched = fileEvent('touched', 0.5, evilPath, { inode: '1' });
    const events = [created, touched, load('p1', 2, evilPath), load('p2', 3, evilPath)];
    expect(shown(events)).toEqual(['touched p1: touched path, created path']);
  });

  test('outside the window, of another Mac, before the write, or by another program', () => {
    const decoys = [evil, decoy, load('p1', 2, decoyPath)];
    const far = launchctl('p2', 3, ['load', evilPath]);
    const others: readonly Event[] = [
      load('p2', 60.001, evilPath),
      { ...far, doc: { ...far.doc, host: { id: 'mac-2', os: { type: 'macos' } } } },
      load('p2', 3, `${folder}/evil.plis`),
      load('p2', 3, `/tmp/evil.plist`),
      { ...far, doc: { ...far.doc, process: { name: 'cat', args: ['cat', 'load', evilPath] } } },
    ];
    for (const other of others) expect(detect([...decoys, other]).told).toHaveLength(1);
    expect(detect([...decoys, load('p2', 60, evilPath)]).told).toHaveLength(2);
    const late = fileEvent('evil', 4, evilPath);
    expect(detect([decoy, load('p1', 2, decoyPath), load('p2', 3, evilPath), late]).told).toHaveLength(1);
  });

  test('for a call that takes the job away', () => {
    const any = rule(
      'eql',
      'sequence by host.id with maxspan=1m [file where true] [process where process.name == "launchctl"]',
    );
    const decoys = [evil, decoy, load('p1', 2, decoyPath)];
    for (const args of [
      ['unload', '-w', evilPath],
      ['bootout', 'gui/501', evilPath],
      ['asuser', '501', 'launchctl', 'unload', evilPath],
    ]) {
      expect(detect([...decoys, launchctl('p2', 3, args)], [any]).told).toHaveLength(1);
    }
    const wrapped = ['asuser', '501', 'launchctl', 'load', evilPath];
    expect(detect([...decoys, launchctl('p2', 3, wrapped)], [any]).told).toHaveLength(2);
  });
});

test('an alert on an unrelated load learns who loads its file, instead of a second one', () => {
  const events = [evil, load('p1', 1, '/tmp/x.plist'), load('p2', 2, evilPath), load('p3', 3, evilPath)];
  const { told } = detect(events);
  expect(told.map(({ id }) => id)).toEqual([told[0]?.id, told[0]?.id]);
  expect(told.map(({ candidates, repeats }) => [candidates[0]?.link, repeats])).toEqual([
    ['matched', 0],
    ['path', 0],
  ]);
  expect(shown(events)).toEqual(['evil p1: evil path by p2']);
});

test('a match that names one file with an alert and one without is an alert on the latter', () => {
  const third = fileEvent('third', 3, `${folder}/third.plist`, { inode: '3' });
  const events = [evil, decoy, load('p1', 2, decoyPath), third, load('p2', 4, decoyPath, evilPath)];
  expect(shown(events)).toEqual([
    'decoy p1: decoy path, evil window',
    'third p2: evil path, decoy path, third matched',
  ]);
});

test('that holds for as long as the window of the rule, be it longer than repeats are counted', () => {
  const slow = rule(
    'eql',
    'sequence by host.id with maxspan=20m [file where true] [process where process.name == "launchctl"]',
  );
  const events = [evil, load('p1', 1, '/tmp/x.plist'), load('p2', 1000, evilPath)];
  expect(shown(events, [slow])).toEqual(['evil p1: evil path by p2']);
});

test('only what met the first step is taken for it, and only what came before the call for its window', () => {
  const odd = load('odd', 2, decoyPath);
  const withFile = { ...odd, doc: { ...odd.doc, file: { path: evilPath } } };
  expect(detect([decoy, withFile, load('p2', 3, evilPath)]).told).toHaveLength(1);
  const after = fileEvent('after', 5, decoyPath);
  expect(shown([evil, after, load('late', 2, evilPath)])).toEqual(['evil late: evil path']);
});

test('what is held back is held back, and listed', () => {
  const one = { ...loaded, meta: { ...loaded.meta, maxSignals: 1 } };
  const events = [evil, decoy, load('p1', 2, decoyPath), load('p2', 3, evilPath), load('p3', 4, evilPath)];
  const { alerts } = detect(events, [one]);
  expect(alerts.map(({ kind, suppressed }) => [kind, suppressed])).toEqual([
    ['match', 0],
    ['summary', 1],
  ]);
  expect(alerts[1]?.candidates).toMatchObject([
    { event: { id: 'evil' }, named: true, link: 'path', process: { id: 'p2' } },
  ]);
});

test('what a later step asks of the earlier one holds for each file by itself', () => {
  const bound = rule(
    'eql',
    `sequence by host.id with maxspan=1m
      [file where file.path : "*/LaunchAgents/*"] as written
      [process where process.name == "launchctl" and process.args == written.file.path]`,
  );
  const events = [evil, decoy, load('p1', 2, decoyPath), load('p2', 3, folder), load('p3', 4, evilPath)];
  expect(shown(events, [bound])).toEqual([
    'decoy p1: decoy path, evil window',
    'evil p3: evil path, decoy window',
  ]);
});

const otherShapes = [
  'sequence by host.id [file where true] [process where true]',
  'sequence by host.id with maxspan=1m [file where true] [process where true] until [any where tag == "x"]',
  'sequence by host.id with maxspan=1m [file where true] with runs=2 [process where true]',
  'sequence by host.id with maxspan=1m [file where true] [file where true] [process where true]',
  'sequence by host.id with maxspan=1m [file where true] [process where true] [process where true]',
  'sequence by host.id with maxspan=1m [file where true] ![any where tag == "x"] [process where true]',
  'sequence by host.id with maxspan=1m [file where true] [process where true] ![any where tag == "x"]',
  'sequence by host.id with maxspan=1m [any where event.category == "file"] [process where true]',
  'sequence by host.id with maxspan=1m [file where true] [any where event.category == "process"]',
];

test('sequences of another shape give what the language gives, and hunts always do', () => {
  const events = [
    ...[evil, decoy, load('p1', 2, decoyPath), load('p2', 3, evilPath)],
    ...[load('p3', 4, decoyPath), load('p4', 5, folder)],
  ];
  const pure = (one: Rule) => {
    const matches: string[] = [];
    const take = (match: { events: readonly (Event | null)[] }) =>
      matches.push(match.events.map((each) => each?.id).join(' '));
    const run = new QueryRun({ query: one.query, onMatch: take });
    for (const each of events) run.process(each);
    run.finish();
    return matches;
  };
  const matched = (one: Rule) =>
    detect(events, [one]).alerts.map((each) => each.events.map((part) => part?.id).join(' '));
  for (const text of otherShapes) {
    const one = rule('eql', text);
    expect(matched(one), text).toEqual(pure(one));
  }
  expect(pure(loaded)).toEqual(['decoy p1']);
  expect(matched(loaded)).toEqual(['decoy p1', 'evil p2']);
});

describe('a file whose event comes late', () => {
  const late = fileEvent('late', 1.5, evilPath, { inode: '1' });

  test('is put to the alert of the call that names it, first', () => {
    const events = [decoy, load('p1', 2, evilPath), late];
    const { told, detector } = detect(events);
    expect(told.map(({ id }) => id)).toEqual([told[0]?.id, told[0]?.id]);
    expect(shown(events)).toEqual(['decoy p1: late path, decoy matched']);
    expect(told[1]).toMatchObject({ repeats: 0, time: told[0]?.time });
    expect(detector.counters()).toMatchObject({ alerts: 1, late_files: 1 });
  });

  test('ranks by its link', () => {
    const named = fileEvent('named', 1, evilPath, { inode: '9' });
    const other = fileEvent('other', 1.5, `${folder}/other.plist`, { inode: '3' });
    const call = load('p1', 2, evilPath, folder);
    expect(shown([decoy, named, call, other])).toEqual([
      'named p1: named path',
      'decoy p1: decoy directory, other directory',
    ]);
  });

  test('makes it an alert on that file: the other one, when it is loaded, has one of its own', () => {
    const events = [decoy, load('p1', 2, evilPath), late, load('p2', 3, decoyPath), load('p3', 4, evilPath)];
    expect(shown(events)).toEqual([
      'decoy p1: late path, decoy matched',
      'decoy p2: decoy path, late window',
    ]);
  });

  test('gives the alert that it would have given in time, when there is none yet', () => {
    const call = load('p1', 2, evilPath);
    const [inTime, tooLate] = [detect([late, call]).alerts, detect([call, late]).alerts];
    expect(tooLate).toEqual(inTime);
    expect(tooLate).toHaveLength(1);
    const later = [load('p2', 3, '/tmp/y.plist'), load('p3', 4, evilPath)];
    expect(detect([call, late, ...later]).told).toHaveLength(1);
  });

  test('changes nothing when nobody names it, when it is there already, and outside the window', () => {
    const call = load('p1', 61, evilPath);
    const before = fileEvent('before', 60, evilPath, { inode: '1' });
    for (const one of [
      fileEvent('x', 59, `${folder}/x.plist`),
      fileEvent('same', 59, evilPath, { inode: '1' }),
      fileEvent('moved', 59, evilPath, { inode: '7' }),
      fileEvent('old', 0.9, evilPath, { hash: { sha256: 'b'.repeat(64) } }),
    ]) {
      expect(detect([before, call, one]).told, one.id).toHaveLength(1);
    }
    expect(detect([fileEvent('d', 60, decoyPath), call, fileEvent('old', 0.9, evilPath)]).told).toHaveLength(
      1,
    );
    expect(detect([fileEvent('d', 60, decoyPath), call, fileEvent('old', 1, evilPath)]).told).toHaveLength(2);
  });

  test('is shown beside the one of another content that took its place', () => {
    const sha = (digit: string) => ({ inode: '1', type: 'file', hash: { sha256: digit.repeat(64) } });
    const real = fileEvent('real', 0.5, evilPath, sha('a'));
    const harmless = fileEvent('harmless', 1, evilPath, sha('b'));
    expect(shown([harmless, load('p1', 2, evilPath), real])).toEqual([
      'harmless p1: harmless path, real path',
    ]);
  });

  test('is found as long as the window, among a bounded number of calls', () => {
    const calls = Array.from({ length: 5 }, (_, index) =>
      load(`p${index}`, 2 + index, `/tmp/${index}.plist`),
    );
    const [first, ...others] = [load('first', 1.8, evilPath), ...calls];
    const events = [decoy, first as Event, ...others, late];
    expect(shown(events)).toEqual(['decoy first: late path, decoy matched']);
    expect(shown(events, builtin, { loads: 3 })).toEqual(['decoy first: decoy matched']);
    expect(detect(events, builtin, { loads: 3 }).detector.counters()['evicted_loads']).toBe(3);
    const { doc } = late;
    const elsewhere: Event = { ...late, doc: { ...doc, host: { id: 'mac-2', os: { type: 'macos' } } } };
    expect(detect([decoy, first as Event, ...others, elsewhere]).told).toHaveLength(1);
    const together = fileEvent('together', 1.8, evilPath);
    // As in order: not the call of the same moment that came before it, but the next one ends it.
    expect(shown([decoy, first as Event, ...others, together])).toEqual(
      shown([decoy, first as Event, together, ...others]),
    );
    const much = fileEvent('much', 61.9, `${folder}/much.plist`);
    expect(detect([decoy, first as Event, much, late]).told).toHaveLength(1);
    const after = event('', 61.9);
    const { told, detector } = detect([decoy, first as Event]);
    detector.advance(after.time);
    detector.process(late);
    expect(told).toHaveLength(1);
  });

  test('reaches the summary when its alert was held back', () => {
    const none = { ...loaded, meta: { ...loaded.meta, maxSignals: 0 } };
    const { alerts } = detect([decoy, load('p1', 2, evilPath), late], [none]);
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({
      suppressed: 1,
      candidates: [{ event: { id: 'late' }, link: 'path', process: { id: 'p1' } }],
    });
  });
});

test('whatever is written and loaded, in time or late: each file that is named has one alert, and only those', () => {
  const step = fc.record({ gap: fc.nat(20), file: fc.nat(4), write: fc.boolean(), lag: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.boolean(), (steps, inTime) => {
      let at = 0;
      const made = steps.map(({ gap, file, write, lag }, index) => {
        at += gap + 1;
        const path = `${folder}/${file}.plist`;
        const one = write
          ? fileEvent(`f${index}`, at, path, { inode: String(file) })
          : load(`p${index}`, at, path);
        return { one, arrives: one.time + (write && !inTime ? lag * 10 * second : 0), path, write };
      });
      const arrival = [...made].sort((a, b) => a.arrives - b.arrives).map(({ one }) => one);
      const { alerts } = detect(arrival, [loaded]);
      const isNamed = (path: string) =>
        alerts.some(({ candidates }) =>
          candidates.some((each) => each.named && each.event.doc.file?.path === path),
        );
      for (const { path } of made) {
        const expected = made.some(
          (call) =>
            !call.write &&
            call.path === path &&
            made.some(
              (file) =>
                file.write &&
                file.path === path &&
                file.one.time < call.one.time &&
                call.one.time - file.one.time <= 60 * second &&
                // One that comes when the call has been forgotten.
                file.arrives - call.one.time <= 30 * second,
            ),
        );
        if (expected) expect(isNamed(path)).toBe(true);
      }
      // A second alert on a file is five minutes later. What comes late may turn one into an alert on another file.
      const about = new Map<string, number>();
      for (const { time, candidates } of alerts) {
        const path = candidates[0]?.event.doc.file?.path as string;
        const last = about.get(path);
        if (last !== undefined && inTime) expect(time - last).toBeGreaterThan(300 * second);
        about.set(path, time);
      }
      expect(JSON.stringify(detect(arrival, [loaded]).told)).toBe(
        JSON.stringify(detect(arrival, [loaded]).told),
      );
    }),
    { numRuns: 500 },
  );
});

test('a rule that asks for a link counts only calls that name a file of the window, or may', () => {
  const linked = rule(
    'eql',
    'sequence by host.id with maxspan=10m [file where true] [process where process.name == "launchctl"]',
    { launchwarden: { linked: true } },
  );
  expect(detect([evil, load('p', 2, '/tmp/other.plist')], [linked]).told).toEqual([]);
  expect(shown([evil, decoy, load('p', 300, evilPath)], [linked])).toEqual([
    'decoy p: evil path, decoy matched',
  ]);
  // The call that names nothing uses up the state of the language, and hides no later one.
  const events = [evil, load('p1', 2, '/tmp/other.plist'), load('p2', 3, evilPath)];
  expect(shown(events, [linked])).toEqual(['evil p2: evil path']);
  const cut = load('cut', 2, 'x');
  const hidden = { ...cut, doc: { ...cut.doc, launchwarden: { process: { args_cut: true } } } };
  expect(shown([evil, hidden], [linked])).toEqual(['evil cut: evil possible']);
});

describe('a call that names none of the files', () => {
  const about = (events: readonly Event[]) =>
    detect(events).told.map((one) => {
      const { file, event: said, launchwarden } = alertDocument(one, documentContext);
      return { file: file?.path, reason: said?.['reason'], findings: launchwarden?.findings };
    });
  const documentContext = { version: '0', agentId: 'a', created: 0, sensors: [], simulated: false };

  test('gives an alert, since the rule language joins them, which claims no file', () => {
    const [alert] = about([evil, load('p', 2, '/tmp/x.plist')]);
    expect(alert).toEqual({
      file: undefined,
      reason: `process launchctl load /tmp/x.plist, it names none of the files that changed before, the newest of them: ${evilPath}`,
      findings: ['not-the-loaded-item'],
    });
  });

  test('until a later one names it', () => {
    const alerts = about([evil, load('p', 2, '/tmp/x.plist'), load('q', 3, evilPath)]);
    expect(alerts.at(-1)).toMatchObject({ file: evilPath, findings: undefined });
  });

  test('when it may name one it claims the newest as ever', () => {
    const relative = load('p', 2, 'somewhere.plist');
    expect(about([evil, relative])).toMatchObject([{ file: evilPath, findings: undefined }]);
    const cut = load('p', 2, '/tmp/x.plist');
    const hidden = { ...cut, doc: { ...cut.doc, launchwarden: { process: { args_cut: true } } } };
    expect(about([evil, hidden])[0]).toMatchObject({ file: evilPath, findings: undefined });
  });
});
