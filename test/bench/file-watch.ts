// What the file watcher sees, beside chokidar alone and beside bare fs.watch on one folder (the limit). Each watcher is
// a process of its own; the changes are made by this one. "lost" must be 0 for ours.
import { type ChildProcess, fork } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { watch as chokidarWatch } from 'chokidar';
import { median, percentile, type Row } from './row.js';

type Kind = 'ours' | 'chokidar' | 'bare';
type Message =
  | { readonly seen: string; readonly at: number }
  | { readonly cpuMs: number; readonly rssMb: number }
  | { readonly ready: true };

const agents = 'Library/LaunchAgents';
const homes = 100;
const now = () => performance.timeOrigin + performance.now();
// A bench measures what happens in stretches of time; nothing is judged right or wrong by one.
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The watching process: says over IPC which path it saw when, and what it has cost so far. */
async function watchAndReport(kind: Kind, root: string): Promise<void> {
  // At the end the other side may be gone first.
  const say = (message: Message) => process.send?.(message, undefined, {}, () => {});
  const seen = (relative: string) => say({ seen: relative, at: now() });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    say({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 1e6 });
  });
  process.on('disconnect', () => process.exit(0));
  if (kind === 'ours') await startOurs(root, seen);
  else if (kind === 'bare') watch(path.join(root, agents), (_, name) => seen(`${agents}/${name}`));
  else {
    const folders = [agents, ...Array.from({ length: homes }, (_, n) => `Users/u${n}/${agents}`)];
    const watcher = chokidarWatch(
      folders.map((folder) => path.join(root, folder)),
      { ignoreInitial: true },
    );
    watcher.on('all', (_, file) => seen(path.relative(root, file)));
    await new Promise((resolve) => watcher.once('ready', resolve as () => void));
  }
  say({ ready: true });
}

/** The parts of the compiled project that are used here, imported by address: this folder is compiled on its own. */
async function startOurs(root: string, seen: (relative: string) => void): Promise<void> {
  const dist = (file: string) => import(new URL(`../../dist/${file}`, import.meta.url).href);
  const { FileWatchSensor } = await dist('sensors/file-watch/index.js');
  const { RootMap } = await dist('base/root.js');
  const { systemClock } = await dist('base/clock.js');
  const { silentLogger } = await dist('base/log.js');
  const sensor = new FileWatchSensor({
    root: new RootMap(root),
    clock: systemClock,
    logger: silentLogger,
    boot: 'bench',
    patterns: [],
  });
  await sensor.start({
    observe: ({ event }: { event: { doc: { file: { path: string } } } }) =>
      seen(event.doc.file.path.slice(1)),
    completeThrough() {},
    gap() {},
    failed() {},
  });
}

/** One watching process on a fresh tree. */
class Watcher {
  readonly root: string;
  readonly #child: ChildProcess;
  readonly #seen = new Map<string, number>();
  #cost: ((message: { cpuMs: number; rssMb: number }) => void) | undefined;
  #ready: (() => void) | undefined;

  constructor(kind: Kind) {
    this.root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-bench-files-')));
    mkdirSync(path.join(this.root, agents), { recursive: true });
    mkdirSync(path.join(this.root, 'Users'));
    this.#child = fork(fileURLToPath(import.meta.url), ['--watch', kind, this.root]);
    this.#child.on('message', (message: Message) => {
      if ('seen' in message) {
        if (!this.#seen.has(message.seen)) this.#seen.set(message.seen, message.at);
      } else if ('ready' in message) this.#ready?.();
      else this.#cost?.(message);
    });
  }

  ready(): Promise<void> {
    return new Promise((resolve) => {
      this.#ready = resolve;
    });
  }

  /** Processor time so far and memory now. */
  cost(): Promise<{ cpuMs: number; rssMb: number }> {
    return new Promise((resolve) => {
      this.#cost = resolve;
      this.#child.send('cost');
    });
  }

  seenAt(relative: string): number | undefined {
    return this.#seen.get(relative);
  }

  forget(relative: string): void {
    this.#seen.delete(relative);
  }

  /** How many of the paths are not seen, given up to `patienceMs`. */
  async lost(paths: readonly string[], patienceMs = 3_000): Promise<number> {
    const end = performance.now() + patienceMs;
    const missing = () => paths.filter((one) => !this.#seen.has(one)).length;
    // Looks again until the condition holds.
    while (missing() > 0 && performance.now() < end) await sleep(20);
    return missing();
  }

  write(relative: string, content = 'x'.repeat(700)): void {
    writeFileSync(path.join(this.root, relative), content);
  }

  stop(): void {
    this.#child.disconnect();
    rmSync(this.root, { recursive: true, force: true });
  }
}

async function withWatcher<T>(kind: Kind, run: (watcher: Watcher) => Promise<T>): Promise<T> {
  const watcher = new Watcher(kind);
  await watcher.ready();
  try {
    return await run(watcher);
  } finally {
    watcher.stop();
  }
}

const names = (count: number, name: string) =>
  Array.from({ length: count }, (_, n) => `${agents}/${name}${n}.plist`);

async function latency(kind: Kind): Promise<{ p50: number; p99: number; cpu: number }> {
  return withWatcher(kind, async (watcher) => {
    const times: number[] = [];
    const before = await watcher.cost();
    for (const name of names(100, 'w')) {
      const start = now();
      watcher.write(name);
      await watcher.lost([name]);
      times.push((watcher.seenAt(name) ?? Number.NaN) - start);
      // Apart from each other, so that each wakes the watcher by itself.
      await sleep(5);
    }
    const after = await watcher.cost();
    const known = times.filter((time) => !Number.isNaN(time));
    return { p50: median(known), p99: percentile(known, 99), cpu: after.cpuMs - before.cpuMs };
  });
}

/** Each gives how many of its tries were not seen. */
const losses: Record<string, (watcher: Watcher) => Promise<number>> = {
  'mkdir, then a file at once; 200 tries': async (watcher) => {
    const paths: string[] = [];
    for (let n = 0; n < 200; n++) {
      mkdirSync(path.join(watcher.root, agents, `d${n}`));
      watcher.write(`${agents}/d${n}/x.plist`);
      paths.push(`${agents}/d${n}/x.plist`);
    }
    return watcher.lost(paths);
  },
  [`a new home, several levels missing; ${homes} tries`]: async (watcher) => {
    const paths: string[] = [];
    for (let n = 0; n < homes; n++) {
      mkdirSync(path.join(watcher.root, `Users/u${n}/${agents}`), { recursive: true });
      watcher.write(`Users/u${n}/${agents}/x.plist`);
      paths.push(`Users/u${n}/${agents}/x.plist`);
      // One home after the other, as people make them.
      await sleep(2);
    }
    return watcher.lost(paths);
  },
  'write, delete at once; 100 tries': (watcher) => writeThenDelete(watcher, 0),
  'write, delete after 1 ms; 100 tries': (watcher) => writeThenDelete(watcher, 1),
  'write, delete after 2 ms; 100 tries': (watcher) => writeThenDelete(watcher, 2),
  'write, delete after 5 ms; 100 tries': (watcher) => writeThenDelete(watcher, 5),
  'folder deleted and made again, then a file; 40 tries': async (watcher) => {
    const paths: string[] = [];
    for (let n = 0; n < 40; n++) {
      rmSync(path.join(watcher.root, agents), { recursive: true });
      mkdirSync(path.join(watcher.root, agents));
      // A watcher on the old folder is given the time to notice.
      await sleep(30);
      watcher.write(`${agents}/r${n}.plist`);
      paths.push(`${agents}/r${n}.plist`);
      await watcher.lost([`${agents}/r${n}.plist`], 200);
    }
    return watcher.lost(paths, 100);
  },
  'rewritten with the old time; 20 tries': async (watcher) => {
    const paths = names(20, 't');
    for (const one of paths) {
      watcher.write(one);
      utimesSync(path.join(watcher.root, one), 1e9, 1e9);
    }
    await watcher.lost(paths);
    // Beyond the time in which changes count as one (settleMs).
    await sleep(1_200);
    for (const one of paths) {
      watcher.forget(one);
      const staged = path.join(watcher.root, 'staged');
      writeFileSync(staged, 'y'.repeat(700));
      utimesSync(staged, 1e9, 1e9);
      renameSync(staged, path.join(watcher.root, one));
    }
    return watcher.lost(paths);
  },
};

async function writeThenDelete(watcher: Watcher, ms: number): Promise<number> {
  const paths = names(100, 'v');
  for (const one of paths) {
    watcher.write(one);
    // The lifetime that is measured.
    if (ms > 0) await sleep(ms);
    unlinkSync(path.join(watcher.root, one));
    // The next file is to be a wake-up of its own.
    await sleep(1);
  }
  return watcher.lost(paths);
}

async function flood(kind: Kind): Promise<{ lost: number; cpu: number; rss: number }> {
  return withWatcher(kind, async (watcher) => {
    const before = await watcher.cost();
    const paths = names(10_000, 'f');
    for (const one of paths) watcher.write(one);
    const lost = await watcher.lost(paths, 20_000);
    // What follows a flood (amendments, hashes) is part of its cost.
    await sleep(1_000);
    const after = await watcher.cost();
    return { lost, cpu: after.cpuMs - before.cpuMs, rss: after.rssMb };
  });
}

export async function rows(): Promise<Row[]> {
  const result: Row[] = [];
  const ours = await latency('ours');
  const bare = await latency('bare');
  const chokidar = await latency('chokidar');
  const beside = (name: string, unit: string, pick: (one: typeof ours) => number) => {
    result.push({ name, unit, value: pick(ours), against: 'bare fs.watch', ratio: pick(ours) / pick(bare) });
    result.push({
      name: `${name}, chokidar alone`,
      unit,
      value: pick(chokidar),
      against: 'bare fs.watch',
      ratio: pick(chokidar) / pick(bare),
    });
  };
  beside('write to event, p50', 'ms', (one) => one.p50);
  beside('write to event, p99', 'ms', (one) => one.p99);
  beside('CPU of 100 writes', 'ms', (one) => one.cpu);
  for (const kind of ['ours', 'chokidar'] as const) {
    const suffix = kind === 'ours' ? '' : ', chokidar alone';
    for (const [name, run] of Object.entries(losses))
      result.push({ name: `${name}${suffix}`, unit: 'lost', value: await withWatcher(kind, run) });
    const { lost, cpu, rss } = await flood(kind);
    result.push({ name: `10,000 files at once${suffix}`, unit: 'lost', value: lost });
    result.push({ name: `10,000 files at once, CPU${suffix}`, unit: 'ms', value: cpu });
    result.push({ name: `10,000 files at once, resident${suffix}`, unit: 'MB', value: rss });
  }
  return result;
}

if (process.argv[2] === '--watch') await watchAndReport(process.argv[3] as Kind, process.argv[4] as string);
