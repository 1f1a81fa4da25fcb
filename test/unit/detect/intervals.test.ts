import { expect, test } from 'vitest';
import { formatMicros } from '../../../src/base/time.js';
import { Detector } from '../../../src/detect/index.js';
import type { Detection } from '../../../src/event/alert.js';
import { type Event, earliest } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { sourceRules } from '../../helpers/source-rules.js';
import { fileEvent, launchctl, rule, second, start } from './events.js';

const folder = '/Users/alice/Library/LaunchAgents';
const evilPath = `${folder}/evil.plist`;
const builtin = sourceRules();

/** The event, known only to have happened at or after that many seconds. */
function since(from: number, { doc, ...rest }: Event): Event {
  const not_before = formatMicros(start + from * second);
  return { ...rest, doc: { ...doc, launchwarden: { sensor: { precision: 'interval', not_before } } } };
}

function judge(events: readonly Event[], rules: readonly Rule[] = builtin): Detection[] {
  const told: Detection[] = [];
  const detector = new Detector({ rules, onDetection: (one) => told.push(one) });
  for (const one of events) detector.judge({ ...one });
  detector.finish();
  return [...new Map(told.map((one) => [one.id, one])).values()];
}

const ids = (found: readonly Detection[]) =>
  found.map(({ events }) => events.map((one) => one?.id).join(' '));
const load = (id: string, at: number, path = evilPath) => launchctl(id, at, ['load', path]);
const gone = (from: number, to: number) => since(from, fileEvent('gone', to, evilPath));

test('an event is as early as the poll before it, and never later than its time', () => {
  expect(earliest(fileEvent('f', 5, evilPath))).toBe(start + 5 * second);
  expect(earliest(gone(2, 5))).toBe(start + 2 * second);
  expect(earliest(gone(9, 5))).toBe(start + 5 * second);
  for (const not_before of [undefined, 'x', {}, 1e300]) {
    const odd = fileEvent('f', 5, evilPath);
    const doc = { ...odd.doc, launchwarden: { sensor: { precision: 'interval', not_before } } } as never;
    expect(earliest({ ...odd, doc })).toBe(start + 5 * second);
  }
  const hostile = { ...fileEvent('f', 5, evilPath), doc: { launchwarden: 'x' } as never };
  expect(earliest(hostile)).toBe(start + 5 * second);
});

test('a file that was gone before it could be dated pairs with the load that its interval reaches before', () => {
  expect(ids(judge([load('p', 1), gone(0.9, 1.2)]))).toEqual(['gone p']);
  expect(ids(judge([load('p', 1), gone(1, 1.2)]))).toEqual(['gone p']);
  expect(judge([load('p', 1), gone(1.1, 1.2)])).toEqual([]);
  expect(judge([load('p', 1), gone(0.9, 1.2)])[0]?.candidates[0]).toMatchObject({ link: 'path' });
});

test('behind any number of decoys, and with one alert', () => {
  for (const count of [3, 300, 1_000]) {
    const decoys = Array.from({ length: count }, (_, index) =>
      fileEvent(`d${index}`, index / count, `${folder}/${index}.plist`, { inode: String(index) }),
    );
    const found = judge([...decoys, load('p', 1), gone(0.5, 1.1)]);
    expect(found).toHaveLength(1);
    expect(found[0]?.candidates[0]).toMatchObject({ event: { id: 'gone' }, named: true, link: 'path' });
  }
});

test('a load whose start is known as an interval ends what stands before its end', () => {
  const pair = (from: number, to: number) => judge([fileEvent('f', 1, evilPath), since(from, load('p', to))]);
  expect(ids(pair(0.5, 1.5))).toEqual(['f p']);
  // It may have happened within the minute.
  expect(ids(pair(60, 62))).toEqual(['f p']);
  expect(pair(61.5, 62)).toEqual([]);
  // Also when another file has taken the place of the one that it names.
  const other = fileEvent('other', 50, `${folder}/other.plist`, { inode: '2' });
  const [alert] = judge([fileEvent('f', 1, evilPath), other, since(60.9, load('p', 61.1))]);
  expect(alert?.candidates[0]).toMatchObject({ event: { id: 'f' }, link: 'path' });
});

test('in sequences of any shape, whichever step is the interval', () => {
  const bash = (id: string, at: number): Event => {
    const one = launchctl(id, at, ['x']);
    return { ...one, doc: { ...one.doc, process: { name: 'bash', args: ['bash'] } } };
  };
  const sequence = (...steps: string[]) => [
    rule('eql', `sequence by host.id with maxspan=1m ${steps.map((step) => `[${step}]`).join(' ')}`),
  ];
  const [file, one] = ['file where true', 'process where process.name == "bash"'];
  expect(ids(judge([bash('b', 1), gone(0.9, 1.2)], sequence(file, one)))).toEqual(['gone b']);
  expect(ids(judge([fileEvent('f', 1, '/x'), since(0.5, bash('b', 2))], sequence(one, file)))).toEqual([
    'b f',
  ]);
  expect(judge([fileEvent('f', 1, '/x'), since(1.5, bash('b', 2))], sequence(one, file))).toEqual([]);
  const launched = 'process where process.name == "launchctl"';
  expect(ids(judge([bash('b', 1), load('p', 2), gone(0.5, 3)], sequence(file, one, launched)))).toEqual([
    'gone b p',
  ]);
  expect(ids(judge([bash('b', 1), load('p', 2), gone(1.5, 3)], sequence(one, file, launched)))).toEqual([
    'b gone p',
  ]);
});

test('what other files came between does not matter: it may have been the last before the step that asks for it', () => {
  const bound = rule(
    'eql',
    `sequence by host.id with maxspan=1m [file where true] as written
      [process where process.name == "bash" and process.args == written.file.path]`,
  );
  const one = launchctl('b', 1, ['x']);
  const opened = { ...one, doc: { ...one.doc, process: { name: 'bash', args: ['bash', evilPath] } } };
  const decoys = Array.from({ length: 300 }, (_, index) =>
    fileEvent(`d${index}`, 0.5 + index / 1_000, `${folder}/${index}.plist`, { inode: String(index) }),
  );
  expect(ids(judge([...decoys, opened, gone(0.4, 1.1)], [bound]))).toEqual(['gone b']);
  expect(judge([...decoys, opened, gone(1.05, 1.1)], [bound])).toEqual([]);
});

test('one file and one load give one alert, judged in whichever order and again', () => {
  const spans = fc.array(fc.record({ at: fc.nat(20), span: fc.nat(8), write: fc.boolean() }), {
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(spans, (list) => {
      const events = list
        .map(({ at, span, write }, index) =>
          since(
            at,
            write
              ? fileEvent(`f${index}`, at + span, evilPath, { inode: '1' })
              : load(`p${index}`, at + span),
          ),
        )
        .sort((a, b) => a.time - b.time);
      const found = judge(events);
      expect(JSON.stringify(judge(events))).toBe(JSON.stringify(found));
      // Of two exact times that are equal the order in which they came counts.
      const precedes = (file: Event, call: Event) =>
        earliest(file) < call.time ||
        (earliest(file) === call.time &&
          (earliest(file) < file.time || events.indexOf(file) < events.indexOf(call)));
      const isPaired = events.some(
        (file) =>
          file.doc.file !== undefined &&
          events.some((call) => call.doc.process !== undefined && precedes(file, call)),
      );
      expect(found.length > 0).toBe(isPaired);
      // The same file: what follows is a repeat.
      expect(found.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
