import type { Clock } from '../base/clock.js';
import { formatMicros, type Micros } from '../base/time.js';
import type { Gap } from '../event/event.js';
import type { SensorHealth } from '../sensors/sensor.js';

/** So often figures are taken, and so many of them are kept: what is said is of the last minute. */
const periodMs = 10_000;
const kept = 7;
/** `load` is of so many periods: half a minute. */
const loadPeriods = 3;

/** What this process used until a moment. */
export interface Usage {
  /** Steady milliseconds. */
  readonly at: number;
  /** Microseconds of a processor. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}

interface Sample extends Usage {
  readonly observed: ReadonlyMap<string, number>;
}

export interface FiguresOptions {
  readonly clock: Clock;
  readonly sensors: () => readonly SensorHealth[];
  /** Of this process; for tests. */
  readonly usage?: () => Omit<Usage, 'at'>;
}

/** Takes what the agent uses and what its sensors observe, now and then, so that `status` can say how much of it a second. */
export class Figures {
  readonly #options: FiguresOptions;
  readonly #usage: () => Omit<Usage, 'at'>;
  #samples: Sample[] = [];
  readonly #since = new Map<string, Micros>();
  readonly #gaps = { count: 0, last: undefined as Gap | undefined };

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#usage = options.usage ?? ownUsage;
  }

  /** To be called about once a second. True when figures were taken. */
  tick(): boolean {
    const at = this.#options.clock.monotonic();
    if (at - (this.#samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < periodMs) return false;
    this.#samples.push(this.#sample(at));
    if (this.#samples.length > kept) this.#samples.shift();
    return true;
  }

  gap(gap: Gap): void {
    this.#gaps.count++;
    this.#gaps.last = gap;
  }

  /** Share of one processor over the last half minute, and bytes now. */
  get load(): { readonly cpu: number; readonly memory: number } {
    const last = this.#samples.at(-1);
    const first = this.#samples.at(-1 - loadPeriods) ?? this.#samples[0];
    if (last === undefined || first === undefined || last === first)
      return { cpu: 0, memory: last?.memory ?? 0 };
    return { cpu: (last.cpu - first.cpu) / 1000 / (last.at - first.at), memory: last.memory };
  }

  status(): object {
    const now = this.#sample(this.#options.clock.monotonic());
    const first = this.#samples[0] ?? now;
    const seconds = (now.at - first.at) / 1000;
    const rate = (kind: string) =>
      seconds < 1
        ? null
        : rounded(((now.observed.get(kind) ?? 0) - (first.observed.get(kind) ?? 0)) / seconds);
    const { last, count } = this.#gaps;
    return {
      seconds: rounded(seconds),
      cpu_share: seconds < 1 ? null : rounded((now.cpu - first.cpu) / 1000 / (now.at - first.at), 4),
      memory_bytes: now.memory,
      sensors: Object.fromEntries(
        [...now.observed.keys()].map((kind) => [
          kind,
          {
            since: this.#since.has(kind) ? formatMicros(this.#since.get(kind) as Micros) : null,
            per_second: rate(kind),
          },
        ]),
      ),
      gaps: {
        since_start: count,
        last:
          last === undefined
            ? null
            : { at: formatMicros(last.to), sensor: last.sensor, reason: last.reason, detail: last.detail },
      },
    };
  }

  #sample(at: number): Sample {
    const observed = new Map<string, number>();
    for (const { kind, running, counters } of this.#options.sensors()) {
      observed.set(kind, (observed.get(kind) ?? 0) + (counters['observed'] ?? 0));
      if (!running) this.#since.delete(kind);
      else if (!this.#since.has(kind)) this.#since.set(kind, this.#options.clock.now());
    }
    return { at, ...this.#usage(), observed };
  }
}

function ownUsage(): Omit<Usage, 'at'> {
  const { user, system } = process.cpuUsage();
  return { cpu: user + system, memory: process.memoryUsage.rss() };
}

function rounded(figure: number, digits = 2): number {
  return Number(figure.toFixed(digits));
}
