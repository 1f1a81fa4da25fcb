import { expect, test } from 'vitest';
import { loadAddon } from '../../src/sensors/addon/index.js';

interface WithDouble {
  readonly unifiedLogDouble?: (category: string, kind: number, text: string) => void;
  readonly takeUnifiedLog?: () => { category: string; kind: number; text: string }[];
}

const loaded = loadAddon();
const { unifiedLogDouble: write, takeUnifiedLog: take } =
  loaded.state === 'loaded' ? (loaded.addon as unknown as WithDouble) : ({} as WithDouble);
if (write === undefined)
  process.stderr.write('skipped: test/native/unified-log.test.ts needs a build with doubles\n');

test.skipIf(write === undefined)(
  'lines come through as they are, and what is out of range is refused',
  () => {
    take?.();
    write?.('agent', 0, 'ready');
    write?.('alert', 2, 'grüß 100%s %n %@');
    expect(take?.()).toEqual([
      { category: 'agent', kind: 0, text: 'ready' },
      { category: 'alert', kind: 2, text: 'grüß 100%s %n %@' },
    ]);
    const call = write as unknown as (...args: unknown[]) => void;
    for (const bad of [[], ['a', 0], ['a', '0', 'x'], [1, 0, 'x']])
      expect(() => call(...bad)).toThrow(TypeError);
    for (const bad of [
      ['', 0, 'x'],
      ['a'.repeat(41), 0, 'x'],
      ['a', 3, 'x'],
      ['a', -1, 'x'],
      ['a', 0, 'x'.repeat(1001)],
    ])
      expect(() => call(...bad)).toThrow(RangeError);
    expect(take?.()).toEqual([]);
  },
);
