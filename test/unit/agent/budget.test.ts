import { expect, test } from 'vitest';
import { Budget } from '../../../src/agent/budget.js';
import { readUsage, Watchdog } from '../../../src/agent/watchdog.js';
import { silentLogger } from '../../../src/base/log.js';
import type { Alert } from '../../../src/event/alert.js';
import type { Gap } from '../../../src/event/event.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const severities = ['low', 'medium', 'high', 'critical'] as const;
const alerts = severities.map((severity) => ({ severity }) as Alert);

function budgetOf(settings: { cpu?: number; memory?: number }) {
  const clock = new ManualClock();
  const used = { cpu: 0, memory: 0 };
  const gaps: Gap[] = [];
  const calls: string[] = [];
  const budget = new Budget({
    settings: { cpu: settings.cpu, memory: settings.memory },
    clock,
    load: () => used,
    gap: (gap) => gaps.push(gap),
    exceeded: () => calls.push('exceeded'),
    kept: () => calls.push('kept'),
  });
  const period = () => {
    clock.pass(10_000);
    budget.tick();
  };
  return { clock, used, gaps, calls, budget, period };
}

test('without a budget nothing is ever left out', () => {
  const { used, gaps, budget, period } = budgetOf({});
  Object.assign(used, { cpu: 9, memory: 1e12 });
  for (let round = 0; round < 20; round++) period();
  expect(budget.stores()).toBe(true);
  expect(budget.affords(alerts)).toBe(alerts);
  expect(gaps).toEqual([]);
});

test('a budget that is exceeded is told at once, thins out more and more, and tells what was left out', () => {
  const { used, gaps, calls, budget, period } = budgetOf({ cpu: 0.5 });
  period();
  expect(gaps).toEqual([]);
  used.cpu = 0.634;
  period();
  expect(gaps).toMatchObject([{ reason: 'budget', sensor: 'agent' }]);
  expect(gaps[0]?.detail).toContain('63.4 % of a processor, more than 50 %');
  expect(budget.trouble).toContain('over its budget');
  const kept = () => Array.from({ length: 64 }, () => budget.stores()).filter(Boolean).length;
  expect(kept()).toBe(32);
  period();
  expect(kept()).toBe(16);
  for (let round = 0; round < 10; round++) period();
  expect(kept()).toBe(1);
  expect(budget.affords(alerts).map(({ severity }) => severity)).toEqual(['high', 'critical']);
  expect(budget.inventory()).toBe(false);
  expect(gaps).toHaveLength(1);

  // Between easy and too much it stays as it is.
  used.cpu = 0.45;
  period();
  expect(budget.status()).toMatchObject({ level: 6 });
  used.cpu = 0.1;
  for (let round = 0; round < 6; round++) period();
  expect(budget.trouble).toBeUndefined();
  expect(budget.stores()).toBe(true);
  expect(gaps).toHaveLength(2);
  expect(gaps[1]).toMatchObject({ reason: 'budget', lost: 32 + 48 + 63 });
  expect(gaps[1]?.detail).toBe(
    'the budget is kept again; left out: 143 raw events not stored, 2 scans of alerts, 1 inventories put off',
  );
  expect((gaps[1]?.from ?? 0) < (gaps[1]?.to ?? 0)).toBe(true);
  expect(calls.filter((one) => one === 'kept')).toHaveLength(1);
});

test('one that stays exceeded is told again now and then, when something was left out', () => {
  const { used, gaps, budget, period } = budgetOf({ memory: 1000 });
  used.memory = 2000;
  for (let round = 0; round < 100; round++) period();
  expect(gaps).toHaveLength(1);
  for (let round = 0; round < 30; round++) {
    budget.stores();
    period();
  }
  expect(gaps.length).toBe(2);
  expect(gaps[1]?.detail).toContain('still exceeded');
});

test('what ps says is read on both systems, and nothing else is', () => {
  expect(readUsage('  1024 00:01:02\n')).toEqual({ cpuMs: 62_000, memoryBytes: 1024 * 1024 });
  expect(readUsage(' 7168   0:00.05\n')).toEqual({ cpuMs: 50, memoryBytes: 7168 * 1024 });
  expect(readUsage('1 2-03:04:05')).toEqual({ cpuMs: ((51 * 60 + 4) * 60 + 5) * 1000, memoryBytes: 1024 });
  expect(readUsage('')).toBeUndefined();
  expect(readUsage('12 x')).toBeUndefined();
});

test('a worker over its budget is replaced once, and then left alone for a minute', async () => {
  const clock = new ManualClock();
  const replaced: string[] = [];
  let pid = 10;
  const used = { cpuMs: 0, memoryBytes: 0 };
  const watchdog = new Watchdog({
    settings: { workerCpu: 0.5, workerMemory: 1000 },
    clock,
    log: silentLogger,
    helpers: () => [{ name: 'eslogger', pid, replace: (reason) => replaced.push(reason) }],
    usage: async () => ({ ...used }),
  });
  const look = async (ranMs: number) => {
    clock.pass(15_000);
    used.cpuMs += ranMs;
    await watchdog.look();
  };
  await look(0);
  await look(15_000);
  expect(replaced).toEqual([]);
  await look(15_000);
  expect(replaced).toEqual(['eslogger used 100 % of a processor, more than 50 %, and is started anew']);
  pid = 11;
  used.cpuMs = 0;
  used.memoryBytes = 5000;
  await look(0);
  expect(replaced).toHaveLength(1);
  for (let round = 0; round < 4; round++) await look(0);
  expect(replaced).toHaveLength(2);
  expect(replaced[1]).toContain('4.9 KiB of memory, more than 1000 B');
  expect(watchdog.status()).toMatchObject({ restarts: 2 });
});

test('another budget holds from the next figures on; one that is taken away leaves nothing out', () => {
  const { used, gaps, calls, budget, period } = budgetOf({});
  used.cpu = 0.5;
  period();
  period();
  expect(budget.over).toBe(false);
  budget.configure({ cpu: 0.2, memory: undefined });
  period();
  period();
  expect(budget.trouble).toContain('50 % of a processor, more than 20 %');
  expect(budget.status()).toMatchObject({ cpu: 0.2, level: 2 });
  for (let n = 0; n < 4; n++) budget.stores();
  budget.configure({ cpu: undefined, memory: undefined });
  expect(budget.trouble).toBeUndefined();
  expect(budget.stores()).toBe(true);
  expect(gaps.at(-1)).toMatchObject({ lost: 3, detail: expect.stringContaining('no budget any more') });
  expect(calls.at(-1)).toBe('kept');
});

test('limits of workers that come later are kept, and go with the settings', async () => {
  const clock = new ManualClock();
  let looked = 0;
  const watchdog = new Watchdog({
    settings: { workerCpu: undefined, workerMemory: undefined },
    clock,
    log: silentLogger,
    helpers: () => {
      looked++;
      return [];
    },
  });
  watchdog.start();
  clock.pass(60_000);
  expect(looked).toBe(0);
  watchdog.configure({ workerCpu: undefined, workerMemory: 1000 });
  clock.pass(15_000);
  expect(looked).toBe(1);
  expect(watchdog.status()).toMatchObject({ worker_memory_bytes: 1000 });
  watchdog.configure({ workerCpu: undefined, workerMemory: undefined });
  clock.pass(60_000);
  expect(looked).toBe(1);
});
