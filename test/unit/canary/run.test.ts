import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RootMap } from '../../../src/base/root.js';
import { type CanaryStep, canaryOps, makeCanaryItem, runCanary } from '../../../src/canary/index.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { tempFolder } from '../../helpers/run-cli.js';

/** A tree with a launchctl that notes its calls, and an agent that sees the n-th load; each question takes three seconds. */
function flight(seenLoad: number, timeoutMs: number) {
  const root = tempFolder();
  const dataDir = path.join(root, 'data');
  const calls = path.join(root, 'calls');
  for (const folder of ['bin', 'data', 'Library/LaunchDaemons'])
    mkdirSync(path.join(root, folder), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(root, 'bin/launchctl'), `#!/bin/sh\necho "$1" >> "${calls}"\n`);
  chmodSync(path.join(root, 'bin/launchctl'), 0o755);
  writeFileSync(calls, '');
  const loads = () =>
    readFileSync(calls, 'utf8')
      .split('\n')
      .filter((one) => one === 'bootstrap').length;
  const clock = new ManualClock();
  const item = makeCanaryItem({ kind: 'daemon' });
  const ask = async (op: string, args: unknown) => {
    if (op === canaryOps.begin) return { result: { item } };
    if (op === canaryOps.progress) {
      clock.pass(3_000);
      const seen = loads() >= seenLoad;
      return { result: { steps: [], loadSeen: seen, complete: seen } };
    }
    const { steps } = args as { steps: readonly CanaryStep[] };
    return { result: { result: { ok: loads() >= seenLoad, steps } } };
  };
  const { signal } = new AbortController();
  return {
    loads,
    done: runCanary({ dataDir, root: new RootMap(root), clock, uid: 0, timeoutMs, ask, signal }),
  };
}

test('a load that the sensors of a busy Mac missed is repeated as long as there is time', async () => {
  const seen = flight(5, 120_000);
  expect(await seen.done).toMatchObject({ ok: true });
  expect(seen.loads()).toBe(5);
  const never = flight(1_000, 30_000);
  expect(await never.done).toMatchObject({ ok: false });
  expect(never.loads()).toBeGreaterThan(2);
  expect(never.loads()).toBeLessThan(6);
});
