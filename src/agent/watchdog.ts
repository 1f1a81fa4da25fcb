import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { formatSize } from '../base/size.js';
import { runTool } from '../base/tool.js';
import type { Settings } from '../config/index.js';
import type { Helper } from '../sensors/sensor.js';

const periodMs = 15_000;
/** A processor that was used too much in so many looks in a row is too much. */
const looks = 2;
/** One that was started anew is left alone for so long: it has to begin somewhere. */
const graceMs = 60_000;

/** What a process used until now. */
export interface HelperUsage {
  /** Milliseconds of a processor. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

export interface WatchdogOptions {
  readonly settings: Pick<Settings['budget'], 'workerCpu' | 'workerMemory'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly helpers: () => readonly Helper[];
  /** Undefined where it cannot be learned. */
  readonly usage?: (pid: number) => Promise<HelperUsage | undefined>;
}

interface Known {
  readonly pid: number;
  cpuMs: number;
  at: number;
  over: number;
}

/** Starts a program that works for a sensor anew when it uses more than `[budget] worker_cpu` or `worker_memory`. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #limits: WatchdogOptions['settings'];
  readonly #known = new Map<string, Known>();
  readonly #spared = new Map<string, number>();
  #timer: Timer | undefined;
  #restarts = 0;
  #last: string | undefined;
  #looking = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#limits = options.settings;
  }

  start(): void {
    const { workerCpu, workerMemory } = this.#limits;
    if (workerCpu === undefined && workerMemory === undefined) return;
    this.#timer ??= this.#options.clock.every(periodMs, () => void this.look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Other limits, from the next look on. To be called after `start`. */
  configure(settings: WatchdogOptions['settings']): void {
    this.#limits = settings;
    this.stop();
    this.start();
  }

  status(): object {
    const { workerCpu, workerMemory } = this.#limits;
    return {
      worker_cpu: workerCpu ?? null,
      worker_memory_bytes: workerMemory ?? null,
      restarts: this.#restarts,
      last: this.#last ?? null,
    };
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const helper of this.#options.helpers()) await this.#judge(helper);
    } finally {
      this.#looking = false;
    }
  }

  async #judge({ name, pid, replace }: Helper): Promise<void> {
    const { clock, log, usage = usageOf } = this.#options;
    const used = await usage(pid);
    const at = clock.monotonic();
    if (used === undefined || at < (this.#spared.get(name) ?? 0)) return;
    const { workerCpu, workerMemory } = this.#limits;
    let known = this.#known.get(name);
    if (known?.pid !== pid) known = undefined;
    const share = known === undefined || at <= known.at ? 0 : (used.cpuMs - known.cpuMs) / (at - known.at);
    const over = workerCpu !== undefined && share > workerCpu ? (known?.over ?? 0) + 1 : 0;
    this.#known.set(name, { pid, cpuMs: used.cpuMs, at, over });
    const why =
      workerMemory !== undefined && used.memoryBytes > workerMemory
        ? `${formatSize(used.memoryBytes)} of memory, more than ${formatSize(workerMemory)}`
        : over >= looks
          ? `${Math.round(share * 100)} % of a processor, more than ${Math.round((workerCpu ?? 0) * 100)} %`
          : undefined;
    if (why === undefined) return;
    this.#restarts++;
    this.#last = `${name} used ${why}`;
    this.#known.delete(name);
    this.#spared.set(name, at + graceMs);
    log.warn({ worker: name, pid, reason: why }, 'a worker is over its budget and is started anew');
    replace(`${name} used ${why}, and is started anew`);
  }
}

/** From ps(1), which macOS and Linux have alike: kilobytes, and `[[days-]hours:]minutes:seconds`. */
async function usageOf(pid: number): Promise<HelperUsage | undefined> {
  const { stdout } = await runTool('/bin/ps', ['-o', 'rss=,time=', '-p', String(pid)], {
    timeoutMs: 5_000,
    mostBytes: 4_096,
    signal: new AbortController().signal,
    unref: true,
  });
  return readUsage(stdout);
}

export function readUsage(text: string): HelperUsage | undefined {
  const [, rss, time = ''] = /^\s*(\d{1,12})\s+(\S{1,30})\s*$/.exec(text) ?? [];
  const [, days = '0', hours = '0', minutes, seconds] =
    /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(time) ?? [];
  if (rss === undefined || minutes === undefined || seconds === undefined) return undefined;
  const whole = (Number(days) * 24 + Number(hours)) * 60 + Number(minutes);
  return { cpuMs: (whole * 60 + Number(seconds)) * 1000, memoryBytes: Number(rss) * 1024 };
}
