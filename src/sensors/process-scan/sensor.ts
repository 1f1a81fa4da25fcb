import type { Clock } from '../../base/clock.js';
import { messageOf, UserError } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import { type LoadedAddon, loadAddon } from '../addon/index.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { NativeProcessSource } from './native-source.js';
import { type ProcessScanOptions, processScanDefaults } from './options.js';
import { PsListProcessSource, psListCost } from './ps-list-source.js';
import { DescendantScope } from './scope.js';
import type { ProcessRecord, ProcessSource } from './source.js';
import { processEvent } from './to-event.js';

export interface ProcessScanSensorOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
  /** Only processes below this one are observed (`--root-scope`). */
  readonly scopePid?: number;
  /** Direct children of these are not observed: the agent's own helpers. */
  readonly ignoreChildrenOf?: readonly number[];
  /** When an earlier run last had complete knowledge: who started after it, and still runs, is observed as a start. */
  readonly resumeFrom?: Micros;
  /** Gets the processes that are no events (running at the start, out of scope), for the table of parents. */
  readonly onContext?: (event: Event) => void;
  readonly scan?: Partial<ProcessScanOptions>;
  /** A native scanner that looks already. */
  readonly begun?: ProcessSource | undefined;
  /** Another way to see processes, and another addon: for tests. */
  readonly source?: ProcessSource;
  readonly addon?: LoadedAddon;
}

/** A start time is cut to the tick it fell in, microseconds; who is observed twice has the same id. */
const startTick = 20_000;

/** Sees processes start by looking again and again: every event's time is an interval, ordered by its upper end. */
export class ProcessScanSensor implements Sensor {
  readonly kind = 'process-scan';
  readonly #options: ProcessScanSensorOptions;
  readonly #source: ProcessSource;
  readonly #scope: DescendantScope | undefined;
  readonly #notes: string[] = [];
  readonly #counters = { observed: 0, out_of_scope: 0, dropped: 0 };
  #sink: SensorSink | undefined;
  #running = false;
  #complete: Micros = 0;

  constructor(options: ProcessScanSensorOptions) {
    this.#options = options;
    this.#scope = options.scopePid === undefined ? undefined : new DescendantScope(options.scopePid);
    this.#source = options.source ?? this.#choose();
  }

  async start(sink: SensorSink): Promise<void> {
    this.#sink = sink;
    try {
      await this.#source.start({
        process: (record) => this.#process(record),
        completeThrough: (time) => {
          // The wall clock may have been set back.
          if (time <= this.#complete) return;
          this.#complete = time;
          this.#sink?.completeThrough(time);
        },
        dropped: (count) => this.#dropped(count),
        stalled: (time) => this.#stalled(time),
        failed: (reason) => this.#failed(reason),
      });
    } catch (error) {
      this.#sink = undefined;
      throw new UserError('sensor/process-scan', `processes cannot be watched: ${messageOf(error)}`, {
        hint: 'Build the native addon (npm run build), or disable the process-scan sensor.',
        cause: error,
      });
    }
    this.#running = true;
  }

  ask(time: Micros): void {
    this.#source.ask(time);
  }

  attend(milliseconds: number): void {
    this.#source.attend?.(milliseconds);
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    this.#running = false;
    this.#sink = undefined;
  }

  health(): SensorHealth {
    return {
      kind: this.kind,
      running: this.#running,
      notes: [...this.#notes, ...this.#source.notes()],
      ...(this.#source instanceof PsListProcessSource
        ? { degraded: `no native scanner: ${psListCost({ ...processScanDefaults, ...this.#options.scan })}` }
        : {}),
      counters: { ...this.#source.counters(), ...this.#counters },
    };
  }

  #choose(): ProcessSource {
    const { addon = loadAddon(), clock, logger, scan } = this.#options;
    const options = { ...processScanDefaults, ...scan };
    if (addon.state === 'loaded') {
      this.#notes.push(...(addon.passedOver ?? []));
      return this.#options.begun ?? new NativeProcessSource(addon.addon, options, clock);
    }
    const level = addon.state === 'broken' ? 'error' : 'warn';
    logger[level](
      { reason: addon.reason, missed: psListCost(options) },
      'no native scanner: process starts are polled with ps-list',
    );
    this.#notes.push(addon.reason);
    return new PsListProcessSource(options, clock);
  }

  #process(record: ProcessRecord): void {
    const { ignoreChildrenOf, resumeFrom, root, boot } = this.#options;
    const inScope = this.#scope === undefined || this.#scope.includes(record);
    const own = ignoreChildrenOf?.includes(record.ppid) === true;
    const missed =
      record.type === 'running' &&
      resumeFrom !== undefined &&
      record.start !== undefined &&
      record.start + startTick > resumeFrom;
    const reason = missed ? 'started while no agent looked' : undefined;
    const event = processEvent(record, { root, boot, ...(reason === undefined ? {} : { reason }) });
    if ((record.type === 'running' && !missed) || !inScope || own) {
      if (record.type !== 'running') this.#counters.out_of_scope++;
      this.#options.onContext?.(event);
      return;
    }
    this.#counters.observed++;
    this.#sink?.observe({ event });
  }

  #dropped(count: number): void {
    this.#counters.dropped += count;
    const now = this.#options.clock.now();
    const from = this.#complete === 0 ? now : Math.min(this.#complete, now);
    const detail = 'the agent was too busy to take what the process scanner saw';
    this.#sink?.gap({ sensor: this.kind, reason: 'dropped', from, to: now, lost: count, detail });
  }

  #stalled(time: Micros): void {
    const to = this.#options.clock.now();
    const detail = 'the process scanner hangs: some process makes a read of its memory or files wait';
    this.#options.logger.error({}, detail);
    this.#sink?.gap({ sensor: this.kind, reason: 'stalled', from: Math.min(time, to), to, detail });
  }

  #failed(reason: string): void {
    this.#running = false;
    this.#sink?.failed(reason);
  }
}
