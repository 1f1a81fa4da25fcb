import { spawn } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import {
  loadAddon,
  type NativeScanner,
  type NativeScannerOptions,
  unpack,
} from '../../src/sensors/addon/index.js';
import { waitFor } from '../simulation/mac.js';

const native = loadAddon();
if (native.state !== 'loaded')
  process.stderr.write(`skipped: native process scanner, wake-ups: ${native.reason}\n`);

type HurriedScanner = NativeScanner & { hurry(): void };
const readyKind = 4;

describe.skipIf(native.state !== 'loaded')('native process scanner, wake-ups', () => {
  const scanners: NativeScanner[] = [];
  afterEach(() => {
    for (const scanner of scanners.splice(0)) scanner.stop();
  });

  /** Takes at each wake-up alone, and remembers how far the scanner said to be before it was taken from. */
  const watch = async (options: NativeScannerOptions) => {
    if (native.state !== 'loaded') throw new Error(native.reason);
    const seen = { wakes: 0, complete: 0, pids: new Map<number, number>(), ready: false };
    const scanner = new native.addon.ProcessScanner(options, () => {
      seen.wakes++;
      seen.complete = scanner.completeThrough();
      for (let batch = scanner.take(); batch !== undefined; batch = scanner.take())
        unpack(batch, ({ kind, numbers }) => {
          if (kind === readyKind) seen.ready = true;
          else seen.pids.set(numbers[0] as number, numbers[6] as number);
        });
    }) as HurriedScanner;
    expect(scanner.start()).toBeUndefined();
    scanners.push(scanner);
    // The addon keeps no process alive, but vitest does.
    await waitFor('the running processes', () => (seen.ready ? true : undefined));
    return { scanner, seen };
  };

  test('a hurried look is answered although it finds nothing, long before the next one', async () => {
    const { scanner, seen } = await watch({
      periodUs: 10_000_000,
      quietPeriodUs: 10_000_000,
      longestPeriodUs: 10_000_000,
    });
    for (let round = 0; round < 3; round++) {
      const { wakes, complete } = seen;
      const asked = Date.now() * 1000;
      scanner.hurry();
      scanner.hurry();
      await waitFor('the wake-up', () => (seen.wakes > wakes ? true : undefined));
      expect(seen.complete).toBeGreaterThan(complete);
      expect(seen.complete).toBeGreaterThanOrEqual(asked);
    }
  });

  test('whoever is woken for a start finds the look that showed it complete', async () => {
    const { seen } = await watch({});
    const child = spawn('/bin/sleep', ['5'], { stdio: 'ignore' });
    try {
      const at = await waitFor('the start', () =>
        seen.pids.has(child.pid as number) && seen.complete >= (seen.pids.get(child.pid as number) as number)
          ? seen.pids.get(child.pid as number)
          : undefined,
      );
      expect(at).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
