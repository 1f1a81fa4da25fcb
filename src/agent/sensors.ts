import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import { type Micros, parseTime } from '../base/time.js';
import type { ConfigurableSensor, Settings } from '../config/index.js';
import type { Event, SensorKind } from '../event/event.js';
import { EndpointSecuritySensor, type EsKind } from '../sensors/endpoint-security/index.js';
import { EsloggerSensor } from '../sensors/eslogger/index.js';
import {
  FileWatchSensor,
  type Home,
  type ItemChange,
  ProgramWatch,
  type ReadAttributes,
  type RememberedItem,
  type RunningItem,
} from '../sensors/file-watch/index.js';
import { LaunchdStateSensor } from '../sensors/launchd-state/index.js';
import { type EarlyScan, ProcessScanSensor, runningProcesses } from '../sensors/process-scan/index.js';
import type { Helper, Sensor, SensorHealth } from '../sensors/sensor.js';
import { isRefused, markText, type Waking, wakingOptions } from './file-events.js';
import { type SensorSetSink, type TierChoice, type TierStatus, Tiers } from './tiers.js';
import { SameChanges } from './tiers-merge.js';
import { absoluteEntries, type Watched } from './watched.js';

/** As long as the rules' longest common window: a launch item that was written is loaded soon, or not at all. */
const attentionMs = 60_000;

export interface SensorSetOptions {
  readonly settings: Settings;
  readonly root: RootMap;
  readonly clock: Clock;
  readonly log: Logger;
  readonly boot: string;
  readonly watched: Watched;
  /** The homes of all users. */
  readonly homes: () => readonly Home[];
  /** Whether the content of a file is read, beside that of launch items and directory plug-ins. */
  readonly carries: (macPath: string) => boolean;
  readonly attributes?: ReadAttributes | undefined;
  /** Kinds of EndpointSecurity's events, beyond the usual ones, that they name. */
  readonly more: readonly EsKind[];
  /** Has looked at processes since the agent began to start. */
  readonly early?: EarlyScan | undefined;
  /** `--root-scope`. */
  readonly scopePid?: number | undefined;
  /** What the run before this one remembered, and up to when it had seen everything; undefined before the first. */
  readonly before?:
    | {
        readonly items: readonly RememberedItem[];
        readonly completeThrough: Micros;
        /** What launchd had loaded. */
        readonly loaded: string | undefined;
        /** `fileEventMark` of that run. */
        readonly fileEvents: string | undefined;
      }
    | undefined;
  /** Called first with each change of a file that the file watcher reports. */
  readonly onChanged?: (event: Event) => void;
  readonly onLoaded: (text: string) => void;
  /** Processes that are no events but parents of some. */
  readonly onContext: (event: Event) => void;
  readonly onItem: (change: ItemChange) => void;
  /** Called whenever other sensors run than before. */
  readonly onSwitch?: () => void;
}

/** The sensor of processes, one of three, and what runs beside it whichever it is. */
export class SensorSet {
  readonly #options: SensorSetOptions;
  readonly #sink: SensorSetSink;
  readonly #tiers: Tiers;
  readonly #launchd: LaunchdStateSensor;
  readonly #changes = new SameChanges();
  readonly #beside: Sensor[] = [];
  readonly #programs: ProgramWatch;
  #files: FileWatchSensor | undefined;
  /** Processes that the tier has told of while it started. */
  readonly #toldAtStart = new Set<number>();

  constructor(options: SensorSetOptions, sink: SensorSetSink) {
    this.#options = options;
    this.#sink = sink;
    const { settings, clock, log, onSwitch } = options;
    this.#launchd = new LaunchdStateSensor({
      ...this.#common('launchd-state'),
      ...(options.before?.loaded === undefined ? {} : { remembered: options.before.loaded }),
      onRemember: options.onLoaded,
    });
    this.#programs = new ProgramWatch({
      ...this.#common('file-watch'),
      observe: (observation) => sink.observe(observation),
    });
    this.#tiers = new Tiers({
      wanted: settings.sensors.tier,
      choices: this.#choices(),
      clock,
      log,
      sink: { ...sink, ...this.#onlyOthers() },
      ...(onSwitch === undefined ? {} : { onSwitch }),
    });
  }

  get kinds(): SensorKind[] {
    return this.#all()
      .filter((sensor) => sensor.health().running)
      .map((sensor) => sensor.kind);
  }

  /**
   * Resolves when all see what happens from then on; the file watcher goes on with its first scan after that. Rejects with
   * the first UserError; those that had started are stopped.
   */
  async start(): Promise<void> {
    try {
      // Processes first: the file watcher may have much to go through.
      await this.#tiers.start();
      await this.#tellEarly();
      if (this.#wanted('file-watch')) await this.#startFileWatch();
      if (this.#wanted('launchd-state')) await this.#startBeside(this.#launchd);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** What an earlier run remembered of the files has been compared with what is there. */
  get compared(): boolean {
    return this.#files?.compared ?? true;
  }

  /** Where the next run's history of file events begins; undefined where there is none. */
  get fileEventMark(): string | undefined {
    const mark = this.#files?.mark;
    return mark && markText(mark);
  }

  async stop(): Promise<void> {
    await this.#programs.stop();
    await this.#tiers.stop();
    await this.#options.early?.stop();
    for (const sensor of this.#beside.splice(0).reverse()) {
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

  /** What persists, and what it runs: the programs are watched from now on. */
  follow(items: Iterable<RunningItem>): void {
    if (this.#wanted('file-watch')) for (const item of items) this.#programs.follow(item);
  }

  /** A followed program is another one than the run before knew, since a moment in microseconds. */
  programChanged(program: string, since: Micros): void {
    this.#programs.changedWhileAway(program, since);
  }

  /** `Sensor.ask` of all, or of those of one kind. */
  ask(time: Micros, kind?: string): void {
    this.#programs.tick();
    for (const sensor of this.#all()) if (kind === undefined || sensor.kind === kind) sensor.ask(time);
  }

  /** Events that were journaled just now, enriched: after a file changed processes are looked at, and launchd is asked. */
  journaled(events: readonly Event[]): void {
    if (events.some(({ doc }) => doc.event?.category?.includes('file')))
      this.#tiers.sensor?.attend?.(attentionMs);
    if (this.#beside.includes(this.#launchd)) for (const event of events) this.#launchd.changed(event);
    for (const { doc } of events) this.#noteItem(doc);
  }

  /** `Tiers.retry`. */
  retryTiers(): Promise<void> {
    return this.#tiers.retry();
  }

  #noteItem({ event, launchwarden }: Event['doc']): void {
    const { path, label = [], runs } = launchwarden?.persistence ?? {};
    if (path === undefined) return;
    if (event?.action === 'deletion') this.#programs.forget(path);
    else if (runs !== undefined) this.follow([{ path, labels: label, runs }]);
  }

  health(): SensorHealth[] {
    return this.#all().map((sensor) => {
      const health = sensor.health();
      if (sensor !== this.#files) return health;
      return { ...health, counters: { ...health.counters, ...this.#programs.counters } };
    });
  }

  /** Programs that work for the sensors that run. */
  helpers(): Helper[] {
    return this.#all().flatMap((sensor) => sensor.helper?.() ?? []);
  }

  tier(): TierStatus & { readonly merged: number } {
    return { ...this.#tiers.status(), merged: this.#changes.merged };
  }

  /** True while the running tier says who writes a file. */
  get knowsWriters(): boolean {
    const { running } = this.#tiers.status();
    return running === 'endpoint-security' || running === 'eslogger';
  }

  #all(): readonly Sensor[] {
    const { sensor } = this.#tiers;
    return sensor === undefined ? this.#beside : [...this.#beside, sensor];
  }

  #wanted(kind: ConfigurableSensor): boolean {
    return !this.#options.settings.sensors.disabled.includes(kind);
  }

  #common(stage: SensorKind) {
    const { root, clock, log, boot } = this.#options;
    return { root, clock, logger: log.child({ stage }), boot };
  }

  async #startFileWatch(): Promise<void> {
    const { root, before, log } = this.#options;
    const ways = wakingOptions({ root, platform: process.platform, since: before?.fileEvents });
    for (const [index, way] of ways.entries()) {
      const sensor = this.#fileWatch(way);
      try {
        await this.#startBeside(sensor);
        this.#files = sensor;
        return;
      } catch (error) {
        if (!isRefused(error) || index === ways.length - 1) throw error;
        log.error({ error: messageOf(error) }, 'no file events of our own: files are watched with chokidar');
        await sensor.stop();
      }
    }
  }

  #fileWatch(waking: Waking): FileWatchSensor {
    const { watched, homes, carries, attributes, onItem, before } = this.#options;
    return new FileWatchSensor({
      ...this.#common('file-watch'),
      ...waking,
      ...watched,
      carries,
      attributes,
      onItem,
      homes,
      ...(before === undefined
        ? {}
        : { state: { load: () => before.items, completeThrough: before.completeThrough } }),
    });
  }

  async #startBeside(sensor: Sensor): Promise<void> {
    const { kind } = sensor;
    const waitedFor = sensor !== this.#launchd;
    if (waitedFor) this.#sink.started(kind);
    try {
      await sensor.start({
        observe: (observation) => {
          if (kind === 'file-watch') this.#options.onChanged?.(observation.event);
          const rest = kind === 'file-watch' ? this.#changes.rest(observation) : observation;
          if (rest !== undefined) this.#sink.observe(rest);
        },
        // What launchd-state finds happens when it finds it: nobody need wait for its word.
        completeThrough: (time) => waitedFor && this.#sink.completeThrough(kind, time),
        gap: (gap) => this.#sink.gap(gap),
        failed: (reason) => {
          this.#sink.ended(kind);
          const now = this.#options.clock.now();
          this.#sink.gap({ sensor: kind, reason: 'ended', from: now, to: now, detail: reason });
        },
      });
    } catch (error) {
      this.#sink.ended(kind);
      throw error;
    }
    this.#beside.push(sensor);
  }

  /** Best first: those that the settings allow. */
  #choices(): TierChoice[] {
    const { settings, root, log } = this.#options;
    const { tier } = settings.sensors;
    const all: readonly (TierChoice & { readonly kind: ConfigurableSensor })[] = [
      { name: 'endpoint-security', kind: 'endpoint-security', make: () => this.#endpointSecurity() },
      { name: 'eslogger', kind: 'eslogger', make: () => this.#eslogger() },
      { name: 'scan', kind: 'process-scan', make: (since) => this.#processScan(since) },
    ];
    return all.filter(({ name, kind }) => {
      if (!this.#wanted(kind) || (tier !== 'auto' && tier !== name)) return false;
      if (tier === name || name !== 'endpoint-security' || !root.simulated) return true;
      log.info({ tier: name, reason: 'it sees this machine, not the tree of --root' }, 'tier left out');
      return false;
    });
  }

  #endpointSecurity(): Sensor {
    const common = this.#common('endpoint-security');
    const { more } = this.#options;
    return this.#withParents(new EndpointSecuritySensor({ ...common, ...this.#scope(), more }));
  }

  /** With `--root` the tree's own stand-in, where there is one. */
  #eslogger(): Sensor {
    const { root } = this.#options;
    // Every file that anybody opens on this Mac would be a line.
    const more = this.#options.more.filter((kind) => kind !== 'open');
    const settings = { program: root.toHost('/usr/bin/eslogger') };
    const common = this.#common('eslogger');
    return this.#withParents(new EsloggerSensor({ ...common, ...this.#scope(), more, settings }));
  }

  /** What a tier that tells of files too watches. */
  #scope() {
    const { watched, carries } = this.#options;
    return { patterns: watched.patterns, entries: absoluteEntries(watched), carries };
  }

  #processScan(since: Micros | undefined): Sensor {
    const resumeFrom = since ?? this.#options.before?.completeThrough;
    return new ProcessScanSensor({
      ...this.#scanOptions(),
      begun: this.#options.early?.take(),
      ...(resumeFrom === undefined ? {} : { resumeFrom }),
    });
  }

  #scanOptions() {
    const { onContext, scopePid } = this.#options;
    return {
      ...this.#common('process-scan'),
      ignoreChildrenOf: [process.pid],
      onContext,
      ...(scopePid === undefined ? {} : { scopePid }),
    };
  }

  /** A better tier than the scan was chosen: what began before that looked, the early scan alone has seen. */
  async #tellEarly(): Promise<void> {
    const { early, settings } = this.#options;
    // A policy may have taken the scan away since it began.
    if (!this.#wanted('process-scan') || settings.sensors.tier !== 'auto') await early?.stop();
    const begun = early?.take();
    if (begun === undefined) return;
    const scan = new ProcessScanSensor({ ...this.#scanOptions(), begun });
    await scan.start({
      observe: (observation) => {
        const { pid = 0 } = observation.event.doc.process ?? {};
        if (!this.#toldAtStart.has(pid)) this.#sink.observe(observation);
      },
      completeThrough() {},
      gap: (gap) => this.#sink.gap(gap),
      failed() {},
    });
    await scan.stop();
    this.#toldAtStart.clear();
  }

  /** A sensor that tells of changes alone: who runs already is looked up once it sees everything from now on. */
  #withParents(sensor: Sensor): Sensor {
    const { root, clock, boot, onContext, log } = this.#options;
    return {
      kind: sensor.kind,
      async start(sink) {
        const begun = clock.now();
        await sensor.start(sink);
        try {
          for (const event of await runningProcesses({ root, clock, boot })) {
            const started = parseTime(event.doc.process?.start)?.time;
            if (started !== undefined && started < begun) onContext(event);
          }
        } catch (error) {
          log.warn({ error: messageOf(error) }, 'running processes could not be read: parents are not known');
        }
      },
      ask: (time) => sensor.ask(time),
      stop: () => sensor.stop(),
      health: () => sensor.health(),
      helper: () => sensor.helper?.(),
    };
  }

  /** The tier's output without our own helpers (launchctl print), and noted for what the watcher tells again. */
  #onlyOthers(): Pick<SensorSetSink, 'observe'> {
    return {
      observe: (observation) => {
        const { doc } = observation.event;
        const ours = doc.event?.category?.includes('process') && doc.process?.parent?.pid === process.pid;
        if (ours === true) return;
        if (this.#options.early?.waits === true) this.#toldAtStart.add(doc.process?.pid ?? 0);
        this.#changes.told(observation);
        this.#sink.observe(observation);
      },
    };
  }
}
