import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import type { Event, Gap, Observation } from '../event/event.js';
import { FileWatchSensor, type ItemChange, type RememberedItem } from '../sensors/file-watch/index.js';
import { ProcessScanSensor } from '../sensors/process-scan/index.js';
import type { Sensor } from '../sensors/sensor.js';

export interface SensorSetOptions {
  readonly settings: Settings;
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  readonly boot: string;
  /** macOS path patterns that the rules look for. */
  readonly patterns: readonly string[];
  /** `--root-scope`. */
  readonly scopePid?: number | undefined;
  /** What the run before this one remembered, and up to when it had seen everything; undefined before the first. */
  readonly before?:
    | { readonly items: readonly RememberedItem[]; readonly completeThrough: Micros }
    | undefined;
  /** Processes that are no events but parents of some. */
  readonly onContext: (event: Event) => void;
  readonly onItem: (change: ItemChange) => void;
}

/** What the sensors' output goes to. */
export interface SensorSetSink {
  observe(observation: Observation): void;
  completeThrough(sensor: string, time: Micros): void;
  started(sensor: string): void;
  ended(sensor: string): void;
  gap(gap: Gap): void;
}

function makeSensors(options: SensorSetOptions): Sensor[] {
  const { settings, root, clock, log, boot, before, scopePid } = options;
  const wanted = (kind: 'file-watch' | 'process-scan') => !settings.sensors.disabled.includes(kind);
  const sensors: Sensor[] = [];
  if (wanted('file-watch')) {
    sensors.push(
      new FileWatchSensor({
        root,
        clock,
        logger: log.child({ stage: 'file-watch' }),
        boot,
        patterns: options.patterns,
        onItem: options.onItem,
        ...(before === undefined
          ? {}
          : { state: { load: () => before.items, completeThrough: before.completeThrough } }),
      }),
    );
  }
  if (wanted('process-scan')) {
    sensors.push(
      new ProcessScanSensor({
        root,
        clock,
        logger: log.child({ stage: 'process-scan' }),
        boot,
        ignoreChildrenOf: [process.pid],
        onContext: options.onContext,
        ...(scopePid === undefined ? {} : { scopePid }),
        ...(before === undefined ? {} : { resumeFrom: before.completeThrough }),
      }),
    );
  }
  return sensors;
}

/** The sensors that run, started and stopped together. */
export class SensorSet {
  readonly #options: SensorSetOptions;
  readonly #sink: SensorSetSink;
  readonly #sensors: Sensor[] = [];

  constructor(options: SensorSetOptions, sink: SensorSetSink) {
    this.#options = options;
    this.#sink = sink;
  }

  get kinds(): string[] {
    return this.#sensors.filter((sensor) => sensor.health().running).map((sensor) => sensor.kind);
  }

  /** Resolves when all look. Rejects with the first UserError; those that had started are stopped. */
  async start(): Promise<void> {
    for (const sensor of makeSensors(this.#options)) {
      const { kind } = sensor;
      this.#sink.started(kind);
      try {
        await sensor.start({
          observe: (observation) => this.#sink.observe(observation),
          completeThrough: (time) => this.#sink.completeThrough(kind, time),
          gap: (gap) => this.#sink.gap(gap),
          failed: (reason) => {
            this.#sink.ended(kind);
            const now = this.#options.clock.now();
            this.#sink.gap({ sensor: kind, reason: 'ended', from: now, to: now, detail: reason });
          },
        });
      } catch (error) {
        this.#sink.ended(kind);
        await this.stop();
        throw error;
      }
      this.#sensors.push(sensor);
    }
  }

  async stop(): Promise<void> {
    for (const sensor of this.#sensors.splice(0).reverse()) {
      try {
        await sensor.stop();
      } catch (error) {
        this.#options.log.error(
          { sensor: sensor.kind, error: messageOf(error) },
          'sensor did not stop cleanly',
        );
      }
    }
  }

  health(): object[] {
    return this.#sensors.map((sensor) => sensor.health());
  }
}
