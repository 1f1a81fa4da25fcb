import { describe, expect, test } from 'vitest';
import { argumentFields, argumentRoom, cutFields, keepArguments } from '../../../src/event/arguments.js';
import { fc } from '../../helpers/property.js';

const huge = 'x'.repeat(70_000);

describe('what is kept of arguments', () => {
  test.each([
    [[]],
    [['']],
    [['', '', 'a', '']],
    [['y'.repeat(60_000), 'load', 'file']],
    [Array.from({ length: 4_096 }, () => '')],
    [['a\nb', '\ufffd']],
  ])('all of them while there is room', (given) => {
    const kept = keepArguments(given);
    expect(kept).toEqual({ args: given, count: given.length, front: given.length, shortened: 0 });
    expect(cutFields(kept)).toBeUndefined();
  });

  test.each([
    ['in front', [huge, 'load', 'file']],
    ['in the middle', ['launchctl', huge, 'load', huge, 'file']],
    ['at the end', ['launchctl', 'load', 'file', huge]],
  ])('a huge one %s hides no other', (_, given) => {
    const kept = keepArguments(given);
    const others = given.filter((one) => one !== huge);
    expect(kept.args.filter((one) => one.length < 100)).toEqual(others);
    expect(cutFields(kept)).toEqual({
      args_cut: true,
      args_omitted: 0,
      args_shortened: given.length - others.length,
    });
  });

  test('the first and the last of very many', () => {
    const kept = keepArguments(['launchctl', ...Array.from({ length: 100_000 }, () => '-w'), 'load', 'file']);
    expect(kept.args.slice(0, 2)).toEqual(['launchctl', '-w']);
    expect(kept.args.slice(-2)).toEqual(['load', 'file']);
    expect(cutFields(kept)).toEqual({ args_cut: true, args_omitted: 100_003 - 4_096, args_shortened: 0 });
    const { args_count, command_line } = argumentFields(kept);
    expect(args_count).toBe(100_003);
    expect(command_line).toMatch(/ -w … -w .* load file$/);
  });

  test('a character of two halves is not cut through', () => {
    const [one = ''] = keepArguments(['\u{1f600}'.repeat(40_000)]).args;
    expect(Buffer.from(one).toString()).toBe(one);
    expect(one).toContain('…');
  });

  test('never more than there is room for, in order, from both ends', () => {
    const lengths = fc.oneof(fc.nat(10), fc.nat(5_000), fc.constantFrom(0, 4_096, 4_097, 65_536, 100_000));
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 200 }), (given) => {
        const args = given.map((length, index) => `${index}:`.padEnd(length, 'z'));
        const kept = keepArguments(args);
        expect(kept.args.reduce((sum, one) => sum + one.length + 1, 0)).toBeLessThanOrEqual(
          argumentRoom.text,
        );
        const numbers = kept.args.map((one) => Number.parseInt(one, 10));
        const back = kept.args.length - kept.front;
        expect(numbers).toEqual([
          ...[...args.keys()].slice(0, kept.front),
          ...[...args.keys()].slice(args.length - back),
        ]);
      }),
      { numRuns: 300 },
    );
  });
});
