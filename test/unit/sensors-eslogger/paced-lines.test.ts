import { describe, expect, test } from 'vitest';
import { PacedLines } from '../../../src/sensors/eslogger/paced-lines.js';
import { closeLine, execLine, processObject } from '../../helpers/eslogger-lines.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const cc = processObject({ pid: 600, pidversion: 61 }, '/usr/bin/cc');
const program = (...args: readonly string[]) => execLine(args, { target: cc });

function setUp() {
  const clock = new ManualClock();
  const seen: string[] = [];
  const lines = new PacedLines(clock, (line) => seen.push(line));
  /** Until one has to wait: that one. */
  const flood = () => {
    for (let count = 1; count <= 1_000; count++) {
      const line = program(`flood-${count}`);
      lines.write(line);
      if (seen.length < count) {
        seen.length = 0;
        return line;
      }
    }
    throw new Error('none had to wait');
  };
  return { clock, lines, seen, flood };
}

describe('lines of eslogger', () => {
  test('are passed on at once while there are few', () => {
    const { clock, lines, seen } = setUp();
    for (let count = 1; count <= 1_000; count++) {
      lines.write(program('make'));
      expect(seen.length).toBe(count);
      clock.pass(32);
    }
    expect(clock.waiting).toBe(0);
  });

  test('in a flood wait a little for each other, and come in their order', () => {
    const { clock, lines, seen, flood } = setUp();
    const [first, second, third] = [flood(), program('second'), program('third')];
    lines.write(second);
    clock.pass(31);
    lines.write(third);
    expect(seen).toEqual([]);
    clock.pass(1);
    expect(seen).toEqual([first, second, third]);
    lines.write(second);
    expect(seen.length).toBe(3);
    clock.pass(32);
    expect(seen.slice(3)).toEqual([second]);
  });

  test('that are long do not wait, and those after them do again', () => {
    const { lines, seen, flood } = setUp();
    const long = program('cc', 'x'.repeat(150_000));
    const all = [flood(), long];
    lines.write(long);
    expect(seen).toEqual([]);
    for (const line of [long, program('short')]) lines.write(line);
    expect(seen).toEqual([...all, long]);
  });

  test.each([
    ['of a file', closeLine('/Users/alice/Library/LaunchAgents/x.plist')],
    ['of any file', closeLine('/Users/alice/notes.txt')],
    ['of launchctl', execLine(['launchctl', 'load', '/tmp/x.plist'])],
    ['that names a launch item', program('cp', 'x', '/Library/LaunchDaemons/x.plist')],
    ['in another form', program('make').replace('"exec":{', '"exec": {')],
    ['that is none of eslogger', 'no JSON'],
  ])('%s waits for nothing, and goes behind what waits', (_, line) => {
    const { lines, seen, flood } = setUp();
    const first = flood();
    lines.write(line);
    expect(seen).toEqual([first, line]);
  });

  test('are passed on at once when that is asked for, and once', () => {
    const { clock, lines, seen, flood } = setUp();
    const first = flood();
    lines.pass();
    lines.pass();
    clock.pass(1_000);
    expect(seen).toEqual([first]);
  });
});
