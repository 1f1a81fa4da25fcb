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
import Database from 'better-sqlite3';
import { AgentProcess, alertsAbout, listAlerts, program, SimulatedMac } from '../simulation/mac.js';
import { launchAttack } from '../simulation/scenarios.js';
import { comeToRest, costsKnown, cpuSeconds, residentMegabytes } from './cost.js';
import { crowdSize, startCrowd } from './crowd.js';
import { median, percentile, type Row } from './row.js';

const attacks = 60;
const idleSeconds = 20;
const starts = 9;

function timed(argv: readonly string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, argv, { stdio: 'ignore' });
  return performance.now() - start;
}

/**
 * How long an agent is blind at its start: milliseconds from its spawn to the first of the programs, started one after the
 * other from then on, that it has an event of. Each on a Mac of its own, between two starts of bare Node.js.
 */
async function firstSeen(): Promise<{ seen: number[]; bare: number[] }> {
  const seen: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < starts; round++) {
    bare.push(timed(['-e', '0']));
    const mac = new SimulatedMac();
    const spawned = Date.now();
    const busy = spawn('/bin/sh', ['-c', 'while :; do /bin/sleep 0.003; done'], {
      stdio: 'ignore',
      detached: true,
    });
    try {
      const agent = await AgentProcess.start({ mac });
      await agent.settled();
      await agent.stop();
      const db = new Database(path.join(mac.dataDir, 'events.db'), { readonly: true });
      const { first } = db.prepare('SELECT min(time) AS first FROM events').get() as { first: number | null };
      db.close();
      if (first === null) throw new Error('the agent has seen no program');
      seen.push(first / 1000 - spawned);
    } finally {
      if (busy.pid !== undefined) process.kill(-busy.pid, 'SIGKILL');
      mac.remove();
    }
  }
  return { seen, bare };
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

  const { seen, bare } = await firstSeen();
  found.push({
    name: 'agent from spawn to first event seen',
    value: median(seen),
    unit: 'ms',
    against: 'node -e 0',
    ratio: median(seen) / median(bare),
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
