// Programs named launchctl that live a few milliseconds, started at random moments among many idle processes: how many
// the whole agent sees and what it costs, beside a list of `ps` every second and the kernel's own events.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../dist/base/clock.js';
import { silentLogger } from '../../dist/base/log.js';
import { RootMap } from '../../dist/base/root.js';
import { loadAddon } from '../../dist/sensors/addon/index.js';
import { ProcessScanSensor } from '../../dist/sensors/process-scan/index.js';
import { AgentProcess, cli, repository, SimulatedMac, standInLaunchctl } from '../simulation/mac.js';
import { costsKnown, cpuSeconds } from './cost.js';
import { crowdSize, startCrowd } from './crowd.js';
import type { Row } from './row.js';

const lives = 1_000;
/** Longest pause between two lives, milliseconds; the mean is half of it. */
const longestPause = 500;

/** CPU seconds of this process and, on Linux, those of its children that have ended. */
function ownCpuSeconds(): number {
  const own = process.cpuUsage();
  let children = 0;
  if (process.platform === 'linux') {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    children = (Number(fields[13]) + Number(fields[14])) / 100;
  }
  return (own.user + own.system) / 1e6 + children;
}

// A process of its own, so that what starting costs is not counted as ours: it says at its end what that was.
const spawnerCode = `
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const [program, count, pause] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
let left = count;
const next = () => {
  if (left-- > 0) {
    // At random moments: what is measured.
    spawn(program, ['load', '/' + left + '.plist'], { stdio: 'ignore' }).on('exit', () => setTimeout(next, Math.random() * pause));
    return;
  }
  const fields = process.platform === 'linux' ? readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ') : [];
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  console.log(ticks / 100);
};
next();`;

/** Resolves with the CPU seconds of those that started and lived. */
async function spawnLives(program: string, lifetime: number, count: number): Promise<number> {
  const child = spawn(process.execPath, ['-e', spawnerCode, program, String(count), String(longestPause)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { LAUNCHCTL_LIFETIME_MS: String(lifetime) },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return Number(text);
}

interface Caught {
  readonly percent: number;
  readonly cpuPercent: number;
}

/** About, without what they live and take to start. */
const rate = Math.round(2_000 / longestPause);

/** The whole agent, as it is installed: what it has in its journal afterwards counts. */
async function agentCatches(lifetime: number): Promise<Caught> {
  const mac = new SimulatedMac();
  try {
    const agent = await AgentProcess.start({ mac });
    const pid = agent.child.pid ?? 0;
    const [start, cpu] = [performance.now(), costsKnown ? cpuSeconds(pid) : Number.NaN];
    await spawnLives(mac.launchctl, lifetime, lives);
    const used = costsKnown ? cpuSeconds(pid) - cpu : Number.NaN;
    const cpuPercent = (used * 100_000) / (performance.now() - start);
    await agent.settled();
    const query = 'process where event.action == "exec" and process.name == "launchctl"';
    const found = cli(mac, 'hunt', '--query', query, '--json').trim().split('\n').length;
    await agent.stop();
    return { percent: (found * 100) / lives, cpuPercent };
  } finally {
    mac.remove();
  }
}

async function psListCatches(program: string, lifetime: number, count: number): Promise<Caught> {
  const caught = new Set<string>();
  const sensor = new ProcessScanSensor({
    root: new RootMap(),
    clock: systemClock,
    logger: silentLogger,
    boot: 'bench',
    // Whoever else runs a launchctl on this machine is not counted.
    scopePid: process.pid,
    addon: { state: 'absent', reason: 'bench' },
  });
  await sensor.start({
    observe: ({ event }) => {
      const { name, args } = event.doc.process ?? {};
      if (name === 'launchctl' && args?.[1] === 'load') caught.add(args[2] ?? '');
    },
    completeThrough: () => {},
    gap: () => {},
    failed: () => {},
  });
  const [start, cpu] = [performance.now(), ownCpuSeconds()];
  const theirs = await spawnLives(program, lifetime, count);
  const cpuPercent = ((ownCpuSeconds() - cpu - theirs) * 100_000) / (performance.now() - start);
  await sensor.stop();
  return { percent: (caught.size * 100) / count, cpuPercent };
}

/** The kernel's own exec events, counted by a helper; undefined where they cannot be had. */
class KernelEvents {
  readonly #child: ChildProcess;
  readonly #ready: Promise<boolean>;
  #text = '';

  constructor(program: string) {
    this.#child = spawn(program, ['launchctl'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout?.setEncoding('utf8');
    this.#ready = new Promise((resolve) => {
      this.#child.stdout?.on('data', (chunk: string) => {
        this.#text += chunk;
        resolve(true);
      });
      this.#child.once('exit', () => resolve(false));
      this.#child.once('error', () => resolve(false));
    });
  }

  ready(): Promise<boolean> {
    return this.#ready;
  }

  async count(): Promise<number> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return Number(this.#text.split('\n')[1]?.split(' ')[0] ?? Number.NaN);
  }
}

export async function rows(): Promise<Row[]> {
  const program = standInLaunchctl();
  if (program === undefined) {
    console.error('skipped: catching short-lived processes: no C compiler');
    return [];
  }
  const addon = loadAddon();
  if (addon.state !== 'loaded') {
    console.error(`skipped: catching short-lived processes: ${addon.reason}`);
    return [];
  }
  if (!costsKnown)
    console.error('unknown: what it costs is read from /proc, which this system does not have');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-bench-'));
  const helper = path.join(folder, 'proc-events');
  const source = path.join(repository, 'test', 'bench', 'proc-events.c');
  const built = process.platform === 'linux' && spawnSync('cc', ['-O1', '-o', helper, source]).status === 0;
  const crowd = await startCrowd();
  try {
    const result: Row[] = [];
    for (const lifetime of [5, 10]) {
      const kernel = built ? new KernelEvents(helper) : undefined;
      const heard = (await kernel?.ready()) === true;
      const agent = await agentCatches(lifetime);
      const limit = heard ? ((await kernel?.count()) ?? 0) / (lives / 100) : Number.NaN;
      if (!heard) console.error("skipped: the kernel's own process events: not allowed here");
      const few = await psListCatches(program, lifetime, lives / 10);
      result.push(
        {
          name: `whole agent: caught of ${lives} lives of ${lifetime} ms`,
          value: agent.percent,
          unit: '%',
          ...(heard ? { against: "the kernel's own process events", ratio: agent.percent / limit } : {}),
        },
        {
          name: `whole agent: processor time at ${rate} lives a second`,
          value: agent.cpuPercent,
          unit: '% of a core',
          against: 'ps-list every second',
          ratio: agent.cpuPercent / few.cpuPercent,
        },
        {
          name: `ps-list every second: caught of ${lives / 10} lives of ${lifetime} ms`,
          value: few.percent,
          unit: '%',
        },
        {
          name: `ps-list every second: processor time, ${crowdSize} others idle`,
          value: few.cpuPercent,
          unit: '% of a core',
        },
      );
    }
    return result;
  } finally {
    await crowd.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
