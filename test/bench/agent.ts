// The whole agent as a process of its own, on a folder that stands for a Mac: start-up, latency from the start of
// launchctl to the committed alert, and what it costs while nothing happens. Needs a C compiler; idle costs need /proc.
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AgentProcess, alertsAbout, listAlerts, program, SimulatedMac } from '../simulation/mac.js';
import { launchAttack } from '../simulation/scenarios.js';
import { comeToRest, costsKnown, cpuSeconds, residentMegabytes } from './cost.js';
import { crowdSize, startCrowd } from './crowd.js';
import { median, percentile, type Row } from './row.js';

const attacks = 60;
const idleSeconds = 20;

function timed(argv: readonly string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, argv, { stdio: 'ignore' });
  return performance.now() - start;
}

/** A file written, its watcher woken, one record flushed to disk: nothing can be quicker than this. */
async function bareWatchAndFlush(): Promise<number[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-bare-'));
  const log = openSync(path.join(folder, 'log'), 'w');
  const watched = path.join(folder, 'watched');
  execFileSync('mkdir', [watched]);
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      const watcher = watch(watched, () => {
        watcher.close();
        resolve();
      });
      writeFileSync(path.join(watched, `${round}.plist`), 'x');
    });
    writeSync(log, Buffer.alloc(4096, 1));
    fsyncSync(log);
    times.push(performance.now() - start);
  }
  closeSync(log);
  rmSync(folder, { recursive: true });
  return times;
}

/** What an agent costs while nothing happens, after it had work and among many idle processes. */
async function idleRows(pid: number): Promise<Row[]> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const barePid = bare.pid ?? 0;
  try {
    await comeToRest();
    const before = [cpuSeconds(pid), cpuSeconds(barePid)] as const;
    const begun = performance.now();
    // The stretch of time that is measured.
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    const share = 100_000 / (performance.now() - begun);
    const cpu = (cpuSeconds(pid) - before[0]) * share;
    const bareCpu = (cpuSeconds(barePid) - before[1]) * share;
    const memory = residentMegabytes(pid);
    const bareMemory = residentMegabytes(barePid);
    const against = 'idle bare node';
    return [
      {
        name: `idle agent among ${crowdSize} processes, processor time`,
        value: cpu,
        unit: '% of a core',
        against: `${against} with a timer of a second`,
        ratio: cpu / bareCpu,
      },
      {
        name: 'idle agent, resident memory',
        value: memory,
        unit: 'MB',
        against,
        ratio: memory / bareMemory,
      },
    ];
  } finally {
    bare.kill('SIGKILL');
  }
}

export async function rows(): Promise<Row[]> {
  const found: Row[] = [];
  const bareStart = median([1, 2, 3, 4, 5].map(() => timed(['-e', '0'])));
  const version = median([1, 2, 3, 4, 5].map(() => timed([program, '--version'])));
  found.push({
    name: 'launchwarden --version, whole process',
    value: version,
    unit: 'ms',
    against: 'node -e 0',
    ratio: version / bareStart,
  });

  const mac = new SimulatedMac();
  const crowd = await startCrowd();
  try {
    const begun = performance.now();
    const agent = await AgentProcess.start({ mac });
    const ready = performance.now() - begun;
    found.push({
      name: 'agent from spawn to ready',
      value: ready,
      unit: 'ms',
      against: 'node -e 0',
      ratio: ready / bareStart,
    });

    const done = [];
    for (let round = 0; round < attacks; round++) done.push(await launchAttack(agent, 20));
    await agent.settled();
    const alerts = listAlerts(mac);
    const latencies = done.flatMap((attack) =>
      alertsAbout(alerts, attack.path).map(
        (alert) => (Date.parse(alert.created) * 1000 - attack.started) / 1000,
      ),
    );
    const bare = await bareWatchAndFlush();
    found.push({ name: `attacks alerted, of ${attacks}`, value: latencies.length, unit: 'alerts' });
    for (const share of [50, 99]) {
      const value = percentile(latencies, share);
      const limit = percentile(bare, share);
      const against = `bare watch and fsync (${limit.toFixed(2)} ms)`;
      found.push({
        name: `launchctl start to committed alert, p${share}`,
        value,
        unit: 'ms',
        against,
        ratio: value / limit,
      });
    }

    if (costsKnown) found.push(...(await idleRows(agent.child.pid ?? 0)));
    else console.error('skipped: idle costs are read from /proc, which this system does not have');
    await agent.stop();
  } finally {
    mac.remove();
    await crowd.stop();
  }
  return found;
}
