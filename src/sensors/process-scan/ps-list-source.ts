import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Micros } from '../../base/time.js';
import { keepArguments } from '../../event/arguments.js';
import type { ProcessScanOptions } from './options.js';
import type { ProcessRecord, ProcessSource, ProcessSourceSink } from './source.js';

/** What `ps-list` gives of one process. */
export interface ListedProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly cmd?: string;
  readonly path?: string;
  readonly uid?: number;
  readonly startTime?: Date;
}

/** One list of all processes. */
export type ProcessLister = () => Promise<readonly ListedProcess[]>;

/** Lists that may fail one after the other before the sensor gives up. */
const maxFailures = 5;

/** What the fallback misses and costs, in one line for people. */
export function psListCost({ fallbackPeriodMs }: ProcessScanOptions): string {
  return `ps-list every ${fallbackPeriodMs} ms: misses nearly every program that lives shorter, and starts a ps each time (2 to 8 % of a core); build the native addon`;
}

/** The last resort: a list of `ps` every second. Misses nearly everything that lives shorter than that, and says so. */
export class PsListProcessSource implements ProcessSource {
  readonly #options: ProcessScanOptions;
  readonly #clock: Clock;
  readonly #lister: ProcessLister | undefined;
  #worker: ListWorker | undefined;
  #sink: ProcessSourceSink | undefined;
  #known = new Map<number, string>();
  #lastList: Micros = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #listing: Promise<void> | undefined;
  readonly #counters = { lists: 0, list_errors: 0, starts: 0 };

  /** `lister` only for tests; otherwise `ps-list` in a worker. */
  constructor(options: ProcessScanOptions, clock: Clock, lister?: ProcessLister) {
    this.#options = options;
    this.#clock = clock;
    this.#lister = lister;
  }

  async start(sink: ProcessSourceSink): Promise<void> {
    this.#sink = sink;
    if (this.#lister === undefined) this.#worker = new ListWorker();
    this.#deliver(await this.#list(), true);
    this.#timer = this.#clock.every(this.#options.fallbackPeriodMs, () => this.#look());
  }

  /** A later list has a later `seen`, so that nothing up to now can still come; a list under way answers at its end. */
  ask(): void {
    if (this.#listing === undefined) this.#sink?.completeThrough(this.#clock.now());
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#listing;
    this.#sink = undefined;
    await this.#worker?.close();
  }

  notes(): readonly string[] {
    return [
      psListCost(this.#options),
      'arguments are taken apart at blanks, program paths are guessed from them',
    ];
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  #list(): Promise<readonly ListedProcess[]> {
    return this.#lister === undefined ? (this.#worker as ListWorker).list() : this.#lister();
  }

  #look(): void {
    if (this.#listing !== undefined) return;
    this.#listing = this.#list()
      .then((listed) => this.#deliver(listed, false))
      .catch((error: unknown) => {
        this.#counters.list_errors++;
        if (++this.#failures >= maxFailures || this.#worker?.ended === true) {
          this.#timer?.cancel();
          this.#sink?.failed(`ps-list: ${messageOf(error)}`);
        }
      })
      .finally(() => {
        this.#listing = undefined;
      });
  }

  #deliver(listed: readonly ListedProcess[], first: boolean): void {
    const seen = this.#clock.now();
    this.#counters.lists++;
    this.#failures = 0;
    const known = new Map<number, string>();
    for (const one of listed) {
      // Seconds only: a pid given out again within one is told apart by its program.
      const startKey = String(one.startTime?.getTime() ?? '');
      const identity = `${startKey} ${one.path ?? ''} ${one.name}`;
      known.set(one.pid, identity);
      if (this.#known.get(one.pid) === identity) continue;
      if (!first) this.#counters.starts++;
      this.#sink?.process(toRecord(one, { startKey, first, seen, last: this.#lastList }));
    }
    this.#known = known;
    this.#lastList = seen;
    this.#sink?.completeThrough(seen);
  }
}

interface LookFacts {
  readonly startKey: string;
  readonly first: boolean;
  readonly seen: Micros;
  readonly last: Micros;
}

function toRecord(one: ListedProcess, { startKey, first, seen, last }: LookFacts): ProcessRecord {
  const start = one.startTime === undefined ? undefined : one.startTime.getTime() * 1000;
  const args = one.cmd === undefined || one.cmd === '' ? undefined : keepArguments(one.cmd.split(/ +/));
  return {
    type: first ? 'running' : 'exec',
    pid: one.pid,
    ppid: one.ppid,
    startKey,
    imageKey: '',
    notBefore: Math.min(seen, Math.max(last, start ?? 0)),
    seen,
    shortName: one.name,
    ...(start === undefined ? {} : { start }),
    ...(one.uid === undefined ? {} : { uid: one.uid, euid: one.uid }),
    ...(one.path === undefined || one.path === '' ? {} : { executable: one.path }),
    ...(args === undefined ? {} : { args, argsInexact: true }),
  };
}

// A worker has an environment of its own: `ps` is then found in the system's folders whatever PATH the agent was
// started with, and a slow `ps` does not hold up the main thread.
const workerCode = `
const { parentPort, workerData } = require('node:worker_threads');
parentPort.on('message', async () => {
  try {
    const { default: psList } = await import(workerData);
    parentPort.postMessage({ listed: await psList() });
  } catch (error) {
    parentPort.postMessage({ error: String(error && error.message) });
  }
});`;

class ListWorker {
  readonly #worker: Worker;
  #answer: { resolve(listed: readonly ListedProcess[]): void; reject(error: Error): void } | undefined;
  ended = false;

  constructor() {
    const psList = pathToFileURL(createRequire(import.meta.url).resolve('ps-list')).href;
    this.#worker = new Worker(workerCode, {
      eval: true,
      workerData: psList,
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' },
    });
    this.#worker.on('message', (message: { listed?: readonly ListedProcess[]; error?: string }) => {
      if (message.listed === undefined) this.#answer?.reject(new Error(message.error));
      else this.#answer?.resolve(message.listed);
    });
    this.#worker.on('error', (error: Error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the worker ended')));
    this.#worker.unref();
  }

  list(): Promise<readonly ListedProcess[]> {
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(new Error('the worker ended'));
        return;
      }
      // Referenced while a list is on its way, so that a process that only waits for it goes on.
      this.#worker.ref();
      const settle = <T>(run: (value: T) => void) => {
        return (value: T) => {
          this.#answer = undefined;
          this.#worker.unref();
          run(value);
        };
      };
      this.#answer = { resolve: settle(resolve), reject: settle(reject) };
      this.#worker.postMessage('list');
    });
  }

  async close(): Promise<void> {
    this.ended = true;
    await this.#worker.terminate();
  }

  #end(error: Error): void {
    this.ended = true;
    this.#answer?.reject(error);
  }
}
