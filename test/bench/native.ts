import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../dist/base/clock.js';
import { silentLogger } from '../../dist/base/log.js';
import { RootMap } from '../../dist/base/root.js';
import { type Addon, type LoadedAddon, loadAddon, unpack } from '../../dist/sensors/addon/index.js';
import { esKinds } from '../../dist/sensors/endpoint-security/index.js';
import { readRecord } from '../../dist/sensors/endpoint-security/read-record.js';
import { EsloggerReader, readEsloggerLine } from '../../dist/sensors/eslogger/index.js';
import { ProcessScanSensor } from '../../dist/sensors/process-scan/index.js';
import { closeLine, execLine } from '../helpers/eslogger-lines.js';
import { repository, standInLaunchctl } from '../simulation/mac.js';
import { median, type Row } from './row.js';

interface Double {
  play(messages: readonly object[], repeat: number): void;
  playing(): boolean;
  objects(batch: Uint8Array): object[];
}
type DoubleAddon = Addon & { readonly EndpointSecurityDouble?: new () => Double };

const lives = 1_000;
const idleProcesses = 1_000;

export async function rows(): Promise<Row[]> {
  const loaded = loadAddon();
  if (loaded.state !== 'loaded') {
    console.error(`skipped: figures of the native addon: ${loaded.reason}`);
    return esloggerRows();
  }
  return [...bridgeRows(loaded.addon), ...esloggerRows(), ...(await catchingRows())];
}

// -- addon to JavaScript ---------------------------------------------------------------------------------------------

/** Batches of exec messages with 6 arguments, about 600 bytes each, as the double delivers them. */
function batches(addon: DoubleAddon, count: number): { buffers: Uint8Array[]; double: Double } | undefined {
  if (addon.EndpointSecurityDouble === undefined) return undefined;
  const double = new addon.EndpointSecurityDouble();
  const client = new addon.EndpointSecurityClient(
    {
      processKinds: [esKinds.indexOf('exec')],
      fileKinds: [],
      prefixes: [],
      literals: [],
      queueBytes: 1 << 30,
    },
    () => {},
    double,
  );
  client.start();
  const message = {
    kind: esKinds.indexOf('exec'),
    timeUs: 1_700_000_000_123_456,
    process: {
      pid: 4_711,
      pidversion: 99,
      parentPid: 400,
      parentPidversion: 40,
      responsiblePid: 300,
      responsiblePidversion: 30,
      executable: '/Applications/Some App.app/Contents/Library/Helpers/launchctl',
      signingId: 'com.example.some-app.helper',
      teamId: 'EQHXZ8M8AV',
      startUs: 1_700_000_000_000_000,
    },
    args: ['launchctl', 'load', '-w', '-S', 'Aqua', '/Users/alice/Library/LaunchAgents/com.example.plist'],
    workingDirectory: '/Users/alice/Library/Application Support',
  };
  double.play([message], count);
  while (double.playing());
  const buffers: Uint8Array[] = [];
  for (let batch = client.take(); batch !== undefined; batch = client.take()) buffers.push(batch);
  client.stop();
  return { buffers, double };
}

function bridgeRows(addon: DoubleAddon): Row[] {
  const count = 100_000;
  const made = batches(addon, count);
  if (made === undefined) return [];
  const rate = (run: (batch: Uint8Array) => void) => {
    const start = performance.now();
    for (const batch of made.buffers) run(batch);
    return (count * 1_000) / (performance.now() - start);
  };
  let sink: unknown;
  const packed: number[] = [];
  const objects: number[] = [];
  // In turns, so that a machine that slows down slows both.
  for (let round = 0; round < 7; round++) {
    packed.push(
      rate((batch) =>
        unpack(batch, (record) => {
          sink = readRecord(record);
        }),
      ),
    );
    objects.push(
      rate((batch) => {
        sink = made.double.objects(batch);
      }),
    );
  }
  if (sink === undefined) throw new Error('nothing was read');
  return [
    {
      name: 'addon to JavaScript, exec messages of 6 arguments',
      value: median(packed),
      unit: 'events/s',
      against: 'objects made by Node-API calls',
      ratio: median(packed) / median(objects),
    },
  ];
}

// -- eslogger --------------------------------------------------------------------------------------------------------

function esloggerRows(): Row[] {
  const env = Array.from({ length: 25 }, (_, index) => `VARIABLE_${index}=/usr/local/value/of/${index}`);
  const lines: string[] = [];
  for (let index = 0; index < 4_000; index++) {
    const plist = `/Users/alice/Library/LaunchAgents/com.example.${index}.plist`;
    lines.push(
      index % 2 === 0
        ? execLine(['launchctl', 'load', '-w', plist], { globalSequence: index, more: { env } })
        : closeLine(plist, { globalSequence: index, inode: String(70_000_000 + index) }),
    );
  }
  let sink: unknown;
  const rate = (run: (line: string) => void) => {
    const start = performance.now();
    for (const line of lines) run(line);
    return (lines.length * 1_000) / (performance.now() - start);
  };
  const parse: number[] = [];
  const read: number[] = [];
  const observe: number[] = [];
  for (let round = 0; round < 9; round++) {
    parse.push(
      rate((line) => {
        sink = JSON.parse(line);
      }),
    );
    read.push(
      rate((line) => {
        sink = readEsloggerLine(line);
      }),
    );
    const reader = new EsloggerReader({ root: new RootMap(), boot: 'bench' });
    observe.push(
      rate((line) => {
        sink = reader.read(line);
      }),
    );
  }
  if (sink === undefined) throw new Error('nothing was read');
  const against = 'JSON.parse of the same lines';
  return [
    {
      name: 'eslogger lines read (exec and close by turns)',
      value: median(read),
      unit: 'lines/s',
      against,
      ratio: median(read) / median(parse),
    },
    {
      name: 'eslogger lines made into events',
      value: median(observe),
      unit: 'lines/s',
      against,
      ratio: median(observe) / median(parse),
    },
  ];
}

// -- catching short lives --------------------------------------------------------------------------------------------

/** CPU seconds of this process and, on Linux, those of its children that have ended. */
function cpuSeconds(): number {
  const own = process.cpuUsage();
  let children = 0;
  if (process.platform === 'linux') {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    children = (Number(fields[13]) + Number(fields[14])) / 100;
  }
  return (own.user + own.system) / 1e6 + children;
}

function idle(): ChildProcess {
  // The shell stays until its children have ended, so that no dead ones are left to a parent that never asks for them.
  const script = `trap : TERM; i=0; while [ $i -lt ${idleProcesses} ]; do sleep 10000 & i=$((i+1)); done; echo up; wait; wait`;
  return spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
}

// A process of its own, so that what starting costs is not counted as ours: it says at its end what that was.
const spawnerCode = `
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const [program, count] = [process.argv[1], Number(process.argv[2])];
let left = count;
const next = () => {
  if (left-- > 0) {
    spawn(program, ['load', '/' + left + '.plist'], { stdio: 'ignore' }).on('exit', () => setTimeout(next, Math.random() * 50));
    return;
  }
  const fields = process.platform === 'linux' ? readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ') : [];
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  console.log(ticks / 100);
};
next();`;

/** Resolves with the CPU seconds of those that started and lived. */
async function spawnLives(program: string, lifetime: number, count: number): Promise<number> {
  const child = spawn(process.execPath, ['-e', spawnerCode, program, String(count)], {
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

async function watchLives(
  program: string,
  lifetime: number,
  { count, addon }: { count: number; addon?: LoadedAddon },
): Promise<Caught> {
  const caught = new Set<string>();
  const sensor = new ProcessScanSensor({
    root: new RootMap(),
    clock: systemClock,
    logger: silentLogger,
    boot: 'bench',
    // Whoever else runs a launchctl on this machine is not counted.
    scopePid: process.pid,
    ...(addon === undefined ? {} : { addon }),
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
  const [start, cpu] = [performance.now(), cpuSeconds()];
  const theirs = await spawnLives(program, lifetime, count);
  const cpuPercent = ((cpuSeconds() - cpu - theirs) * 100_000) / (performance.now() - start);
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

async function catchingRows(): Promise<Row[]> {
  const program = standInLaunchctl();
  if (program === undefined) {
    console.error('skipped: catching short-lived processes: no C compiler');
    return [];
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-bench-'));
  const helper = path.join(folder, 'proc-events');
  const source = path.join(repository, 'test', 'bench', 'proc-events.c');
  const built = process.platform === 'linux' && spawnSync('cc', ['-O1', '-o', helper, source]).status === 0;
  const crowd = idle();
  try {
    if (crowd.stdout !== null) await once(crowd.stdout, 'data');
    const result: Row[] = [];
    for (const lifetime of [5, 10]) {
      const kernel = built ? new KernelEvents(helper) : undefined;
      const heard = (await kernel?.ready()) === true;
      const native = await watchLives(program, lifetime, { count: lives });
      const limit = heard ? ((await kernel?.count()) ?? 0) / (lives / 100) : Number.NaN;
      if (!heard) console.error("skipped: the kernel's own process events: not allowed here");
      const name = `of ${lives} lives of ${lifetime} ms, ${idleProcesses} idle processes`;
      result.push(
        {
          name: `native scanner: caught ${name}`,
          value: native.percent,
          unit: '%',
          ...(heard ? { against: "the kernel's own process events", ratio: native.percent / limit } : {}),
        },
        { name: `native scanner: CPU, ${name}`, value: native.cpuPercent, unit: '% of a core' },
      );
      const absent = { state: 'absent', reason: 'bench' } as const;
      const few = await watchLives(program, lifetime, { count: lives / 10, addon: absent });
      result.push(
        {
          name: `ps-list every second: caught of ${lives / 10} lives of ${lifetime} ms`,
          value: few.percent,
          unit: '%',
        },
        {
          name: `ps-list every second: CPU, lives of ${lifetime} ms`,
          value: few.cpuPercent,
          unit: '% of a core',
        },
      );
    }
    return result;
  } finally {
    const ended = once(crowd, 'exit');
    if (crowd.pid !== undefined) process.kill(-crowd.pid, 'SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
