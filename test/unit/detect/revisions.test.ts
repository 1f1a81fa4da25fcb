import { describe, expect, test } from 'vitest';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import type { Event } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { event, fileEvent, launchctl, rule } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const evilPath = `${folder}/evil.plist`;

interface Run {
  readonly detector: Detector;
  readonly told: Detection[];
  readonly metBefore: Event[];
}

function begin(rules: readonly Rule[]): Run {
  const told: Detection[] = [];
  const metBefore: Event[] = [];
  const detector = new Detector({
    rules,
    onDetection: (one) => told.push(one),
    onMetBefore: (one) => metBefore.push(one),
  });
  return { detector, told, metBefore };
}

function judge(events: readonly Event[], rules: readonly Rule[]): Run {
  const run = begin(rules);
  // The detector takes them over.
  for (const one of events) run.detector.judge({ ...one });
  run.detector.finish();
  return run;
}

/** Each alert as it was told last: its events, and what the document of the first file among them holds. */
const shown = ({ told }: Run): string[] =>
  [...new Map(told.map((one) => [one.id, one])).values()].map(({ events, repeats }) => {
    const size = events.find((one) => one?.doc.file !== undefined)?.doc.file?.size;
    const ids = events.map((one) => one?.id ?? '-').join(' ');
    return `${ids}${size === undefined ? '' : ` ${size}`}${repeats === 0 ? '' : ` +${repeats}`}`;
  });

const file = (id: string, at: number, more: object = {}) =>
  fileEvent(id, at, evilPath, { inode: '1', type: 'file', ...more });
const load = (id: string, at: number, path = evilPath) => launchctl(id, at, ['load', path]);
const bash = (id: string, at: number): Event => {
  const one = launchctl(id, at, ['x']);
  return { ...one, doc: { ...one.doc, process: { ...one.doc.process, name: 'bash', args: ['bash'] } } };
};
const plist = (one: Event, facts: object): Event => ({
  ...one,
  doc: { ...one.doc, launchwarden: { plist: facts } },
});

const full = 'file where file.size > 10';
const launched = 'process where process.name == "launchctl"';

describe('a rule on what a file holds', () => {
  const kinds: readonly (readonly [string, string, Event])[] = [
    ['size', 'file.size > 10', file('f', 0, { size: 20 })],
    ['hash', 'file.hash.sha256 == "ab"', file('f', 0, { hash: { sha256: 'ab' } })],
    ['header', 'file.Ext.header_bytes : "cafe*"', file('f', 0, { Ext: { header_bytes: 'cafebabe' } })],
    ['a key', 'launchwarden.plist.program : "/tmp/*"', plist(file('f', 0), { program: '/tmp/x' })],
    [
      'a finding',
      'launchwarden.findings == "hidden"',
      { ...file('f', 0), doc: { ...file('f', 0).doc, launchwarden: { findings: ['hidden'] } } },
    ],
  ];
  for (const [what, condition, grown] of kinds)
    test(`judges what it came to hold: ${what}`, () => {
      const one = rule('eql', `file where ${condition}`);
      const run = judge([file('f', 0, { size: 0 }), load('p', 1), grown, grown], [one]);
      expect(run.told.map(({ events: [first], time }) => [first?.id, time])).toEqual([
        ['f', file('f', 0).time],
      ]);
      expect(run.told[0]?.events[0]?.doc).toEqual(grown.doc);
    });

  test('and every step of the growth before, once', () => {
    const steps = [0, 5, 20, 30].map((size) => file('f', 0, { size }));
    expect(shown(judge(steps, [rule('eql', 'file where file.size == 5')]))).toEqual(['f 30']);
    expect(shown(judge(steps, [rule('eql', full)]))).toEqual(['f 30']);
    expect(judge(steps, [rule('eql', 'file where true')]).told).toHaveLength(1);
    expect(shown(judge(steps, [rule('eql', 'file where not file.size > 10')]))).toEqual(['f 30']);
  });

  test('compares the next change of the file with what it holds by now', () => {
    const any = rule('eql', 'file where true');
    const sha = (digit: string) => ({ hash: { sha256: digit.repeat(64) } });
    const events = [file('f', 0), file('f', 0, sha('a'))];
    expect(shown(judge([...events, file('g', 1, sha('a'))], [any]))).toEqual(['f +1']);
    expect(shown(judge([...events, file('g', 1, sha('b'))], [any]))).toEqual(['f', 'g']);
  });
});

describe('what an earlier document met', () => {
  const rules = [rule('eql', 'file where file.size == 0'), rule('eql', full, { id: 'rule-2' })];

  test('is written down where the newest does not meet it, and gives the same alerts when that is judged alone', () => {
    const live = judge([file('f', 0, { size: 0 }), file('f', 0, { size: 20 })], rules);
    expect(live.metBefore).toHaveLength(1);
    const stored = live.metBefore[0] as Event;
    const again = judge([stored], rules);
    expect(new Set(again.told.map(({ id }) => id))).toEqual(new Set(live.told.map(({ id }) => id)));
    expect(again.told).toHaveLength(2);
  });

  test('counts for sequences after a restart too', () => {
    const pair = rule('eql', `sequence by host.id with maxspan=1m [file where file.size == 0] [${launched}]`);
    const live = judge([file('f', 0, { size: 0 }), file('f', 0, { size: 20 }), load('p', 1)], [pair]);
    const again = judge([live.metBefore[0] as Event, load('p', 1)], [pair]);
    expect(shown(live)).toEqual(['f p 20']);
    expect(again.told.map(({ id }) => id)).toEqual(live.told.map(({ id }) => id));
  });

  test('holds for the same text of the rule only, and odd words in its place are ignored', () => {
    const live = judge([file('f', 0, { size: 0 }), file('f', 0, { size: 20 })], rules);
    const other = [rule('eql', 'file where file.size == 1')];
    expect(judge(live.metBefore, other).told).toEqual([]);
    for (const met_before of [7, 'x', [null, 7, {}, '__proto__'], { length: 3 }]) {
      const odd = file('f', 0);
      const doc = { ...odd.doc, launchwarden: { met_before } } as never;
      expect(judge([{ ...odd, doc }], rules).told).toEqual([]);
    }
  });
});

describe('a sequence', () => {
  const at = (...steps: string[]) =>
    rule('eql', `sequence by host.id with maxspan=1m ${steps.map((step) => `[${step}]`).join(' ')}`);
  const empty = file('f', 0, { size: 0 });
  const grown = file('f', 0, { size: 20 });
  const nextStep = 'process where process.name == "bash"';

  test('pairs a file that meets the first step after the process has been seen', () => {
    expect(shown(judge([empty, load('p', 1), grown], [at(full, launched)]))).toEqual(['f p 20']);
    expect(shown(judge([empty, bash('p', 1), grown], [at(full, nextStep)]))).toEqual(['f p 20']);
    expect(shown(judge([empty, load('p', 1, '/tmp/other'), grown], [at(full, launched)]))).toEqual([
      'f p 20',
    ]);
    expect(shown(judge([empty, load('p', 61), grown], [at(full, launched)]))).toEqual([]);
    expect(judge([load('p', -1), empty, grown], [at(full, launched)]).told).toEqual([]);
  });

  test('does so at any step', () => {
    const second = at(nextStep, full, launched);
    expect(shown(judge([bash('b', -1), empty, load('p', 1), grown], [second]))).toEqual(['b f p 20']);
    const last = at(nextStep, full);
    expect(shown(judge([bash('b', -1), empty, bash('c', 1), grown], [last]))).toEqual(['b f 20']);
    const first = at(full, nextStep, launched);
    expect(shown(judge([empty, bash('b', 1), load('p', 2), grown], [first]))).toEqual(['f b p 20']);
    // Half of the way is behind it, half before it.
    expect(shown(judge([empty, bash('b', 1), grown, load('p', 2)], [first]))).toEqual(['f b p 20']);
    const runs = rule('eql', `sequence by host.id with maxspan=1m [${full}] with runs=2 [${launched}]`);
    const other = file('g', 0.5, { size: 30 });
    expect(shown(judge([empty, other, load('p', 1), grown], [runs]))).toEqual(['f g p 20']);
  });

  test('uses the newest document of a candidate, also where a later step reads it', () => {
    const bound = at(
      'file where true] as written [process where process.args == written.launchwarden.plist.label',
    );
    const events = [empty, plist(grown, { label: 'load' }), load('p', 1)];
    expect(shown(judge(events, [bound]))).toEqual(['f p 20']);
    expect(shown(judge([empty, load('p', 1), plist(grown, { label: 'load' })], [bound]))).toEqual(['f p 20']);
  });

  test('learns from a label that came later which call loaded it', () => {
    const any = at('file where true', launched);
    const kick = launchctl('k', 2, ['kickstart', 'gui/501/com.evil']);
    const decoy = fileEvent('d', 1, `${folder}/decoy.plist`, { inode: '2' });
    const [alert] = judge([empty, decoy, kick, plist(grown, { label: 'com.evil' })], [any]).told.slice(-1);
    expect(alert?.candidates[0]).toMatchObject({ event: { id: 'f' }, link: 'label' });
  });

  test('keeps to what must be missing', () => {
    const between = rule('eql', `sequence by host.id with maxspan=1m [${full}] ![${nextStep}] [${launched}]`);
    expect(shown(judge([empty, load('p', 2), grown], [between]))).toEqual(['f - p 20']);
    expect(judge([empty, bash('b', 1), load('p', 2), grown], [between]).told).toEqual([]);
    const trailing = rule(
      'eql',
      `sequence by host.id with maxspan=1m [${full}] [${launched}] ![${nextStep}]`,
    );
    expect(shown(judge([empty, load('p', 2), grown], [trailing]))).toEqual(['f p - 20']);
    expect(judge([empty, load('p', 2), bash('b', 3), grown], [trailing]).told).toEqual([]);
    expect(judge([empty, load('p', 2), grown, bash('b', 3)], [trailing]).told).toEqual([]);
  });

  test('gives one alert for one load, whichever file it was told with first', () => {
    const decoy = fileEvent('d', 0.5, `${folder}/decoy.plist`, { inode: '2', size: 99 });
    const run = judge([empty, decoy, load('p', 1), grown, grown], [at(full, launched)]);
    expect(shown(run)).toEqual(['d p 99']);
    expect(run.told.at(-1)?.candidates[0]).toMatchObject({ event: { id: 'f' }, link: 'path' });
  });
});

describe('a threshold', () => {
  const three = (fields: string[]) =>
    rule('kuery', 'event.category:file and file.size > 10', {
      type: 'threshold',
      threshold: { fields, value: 3 },
      from: 'now-1m',
    });

  test('counts an event once, when it meets the condition first', () => {
    const files = ['a', 'b', 'c'].map((id, index) => file(id, index, { size: 20 }));
    const [a, b, c] = files as [Event, Event, Event];
    const emptyC = file('c', 2, { size: 0 });
    expect(judge([a, b, a, b, emptyC], [three(['host.id'])]).told).toEqual([]);
    const straight = judge([a, b, c], [three(['host.id'])]).told;
    expect(judge([a, b, a, emptyC, c, c], [three(['host.id'])]).told.map(({ id }) => id)).toEqual(
      straight.map(({ id }) => id),
    );
    const emptyA = file('a', 0, { size: 0 });
    expect(judge([emptyA, b, c, a], [three(['host.id'])]).told.map(({ id }) => id)).toEqual(
      straight.map(({ id }) => id),
    );
  });

  test('under the values that it has now', () => {
    const sha = (id: string, at: number, sha256: string) => file(id, at, { size: 20, hash: { sha256 } });
    const events = [sha('a', 0, 'x'), sha('a', 0, 'y'), sha('b', 1, 'x'), sha('c', 2, 'x')];
    const counted = [three(['file.hash.sha256'])];
    expect(judge(events, counted).told).toEqual([]);
    expect(shown(judge([...events, sha('d', 3, 'y'), sha('e', 4, 'y')], counted))).toEqual(['a d e 20']);
  });
});

test('new terms are those of the newest document, and one event gives one alert', () => {
  const terms = rule('kuery', 'event.category:file', {
    type: 'new_terms',
    newTerms: { fields: ['file.hash.sha256'], historyWindow: 3.6e9 },
  });
  const sha = (id: string, at: number, sha256: string) => file(id, at, { hash: { sha256 } });
  expect(shown(judge([file('a', 0), sha('a', 0, 'x')], [terms]))).toEqual(['a']);
  const run = judge([sha('a', 0, 'x'), sha('a', 0, 'y'), sha('b', 1, 'x'), sha('c', 2, 'y')], [terms]);
  expect(run.told.map(({ events: [first] }) => first?.id)).toEqual(['a']);
  expect(run.detector.counters()).toMatchObject({ alerts: 1, suppressed: 0 });
});

test('a revision uses up no place of max_signals', () => {
  const two = rule('eql', 'any where tag == "x"', { maxSignals: 2 });
  const events = ['a', 'a', 'a', 'b', 'b'].map((id) => event(id, id === 'a' ? 0 : 1, { tag: 'x' }));
  expect(judge(events, [two]).told.map(({ kind }) => kind)).toEqual(['match', 'match']);
});

test('what is remembered is bounded by time and number, and forgetting is counted', () => {
  const told: Detection[] = [];
  const evicted: string[] = [];
  const detector = new Detector({
    rules: [rule('eql', 'file where true')],
    limits: { judged: 10 },
    onDetection: (one) => told.push(one),
    onEvicted: (what) => evicted.push(what),
  });
  for (let index = 0; index < 30; index++)
    detector.judge(fileEvent(`f${index}`, index, `/x/${index}`, { inode: String(index) }));
  expect(detector.counters()['evicted_judged']).toBe(20);
  expect(evicted).toContain('judged');
  // A revision of a forgotten event is no second alert: same rule, same event, same id.
  detector.judge(fileEvent('f0', 0, '/x/0', { inode: '0', size: 9 }));
  expect(new Set(told.map(({ id }) => id)).size).toBe(30);
});

const rules = [
  rule('eql', full),
  rule('eql', `sequence by host.id with maxspan=30s [${full}] [${launched}]`, { id: 'pair' }),
  rule(
    'eql',
    `sequence by host.id with maxspan=30s [${full}] [process where process.name == "bash"] [${launched}]`,
    { id: 'three' },
  ),
];

test('a file that grows gives the alerts that it would have given whole', () => {
  const step = fc.record({ kind: fc.constantFrom('file', 'load', 'bash'), gap: fc.nat(12), lag: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      let time = 0;
      let serial = 0;
      const whole: Event[] = [];
      const growing: { one: Event; order: number }[] = [];
      for (const { kind, gap, lag } of steps) {
        time += gap + 1;
        const id = `e${serial++}`;
        const path = `${folder}/${id}.plist`;
        const write = (size: number) => fileEvent(id, time, path, { inode: id, size });
        const one = kind === 'file' ? write(20) : kind === 'load' ? load(id, time, '/tmp/x') : bash(id, time);
        whole.push(one);
        if (kind === 'file' && lag > 0) {
          growing.push({ one: write(0), order: serial }, { one, order: serial + lag + 0.5 });
        } else growing.push({ one, order: serial });
      }
      const arrival = growing.sort((a, b) => a.order - b.order).map(({ one }) => one);
      // Of a sequence which file it begins with may depend on what was known; that the process ended one may not.
      const ends = (run: Run) =>
        [
          ...new Set(
            run.told.map(({ rule: { id }, events }) => `${id} ${events.at(-1)?.id} ${events.length}`),
          ),
        ].sort();
      const [straight, grown] = [ends(judge(whole, rules)), ends(judge(arrival, rules))];
      expect(straight.filter((end) => !grown.includes(end))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
