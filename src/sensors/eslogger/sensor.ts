import { existsSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf, UserError } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import { LaggingAnswer } from '../answer.js';
import { type EsKind, fileKinds, fileReader, processKinds } from '../endpoint-security/index.js';
import { Scope } from '../file-watch/index.js';
import type { Helper, Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { type EsloggerOptions, esloggerDefaults } from './options.js';
import { PacedLines } from './paced-lines.js';
import { PathFilter } from './path-filter.js';
import { type EsloggerExit, EsloggerProcess, explainExit, listEvents } from './process.js';
import { maxLineLength } from './read-line.js';
import { EsloggerReader } from './reader.js';
import { LineSplitter } from './split-lines.js';

export interface EsloggerSensorOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
  /** macOS path patterns that the rules look for, and the launch directories. */
  readonly patterns: readonly string[];
  /** Further ones of which no wildcard reaches into another folder. */
  readonly entries?: readonly string[];
  /** Whether the content of a file is read, beside that of launch items and directory plug-ins. */
  readonly carries?: (macPath: string) => boolean;
  /** Kinds beyond the usual ones that a rule needs: `open`, `setextattr`, `deleteextattr`. Heavy. */
  readonly more?: readonly EsKind[];
  readonly settings?: Partial<EsloggerOptions>;
}

const wantedEvents: readonly EsKind[] = [...processKinds, ...fileKinds];

/** Apple's own tool as a sensor: needs root and Full Disk Access, and no entitlement. */
export class EsloggerSensor implements Sensor {
  readonly kind = 'eslogger';
  readonly #options: EsloggerSensorOptions;
  readonly #settings: EsloggerOptions;
  readonly #reader: EsloggerReader;
  readonly #answer: LaggingAnswer;
  readonly #counters = { restarts: 0, replaced: 0, half_lines: 0, failed_lines: 0 };
  readonly #lines: PacedLines;
  #process: EsloggerProcess | undefined;
  #events: readonly string[] = [];
  #sink: SensorSink | undefined;
  #restart: Timer | undefined;
  #stopping = false;
  #lost = 0;
  #failures = 0;
  /** Milliseconds without a line in which the agent itself ran, and its last turn. */
  #silence = 0;
  #lastTurn = 0;
  /** Silence after which it is looked next whether it was stopped, milliseconds. */
  #stoppedCheck = 0;
  #patience: number;
  #silent = false;
  /** Why the running one is being replaced. */
  #replacing: string | undefined;
  #oversized = 0;
  #complete: Micros = 0;

  constructor(options: EsloggerSensorOptions) {
    this.#options = options;
    this.#settings = { ...esloggerDefaults, ...options.settings };
    this.#patience = this.#settings.silentMs;
    const { root, boot, patterns, entries = [], carries } = options;
    this.#lines = new PacedLines(options.clock, (line) => this.#line(line));
    this.#answer = new LaggingAnswer(options.clock, this.#settings.lagMs, () => this.#tick());
    const scope = new Scope(patterns, entries);
    const words = wordsOf(patterns);
    const filter = new PathFilter(new Scope([], entries), (path) => root.toMac(path));
    this.#reader = new EsloggerReader({
      root,
      boot,
      readFile: fileReader(root, carries),
      wants: (macPath) => scope.covers(macPath),
      ...(words === undefined ? {} : { words }),
      mayWant: (line) => filter.mayWant(line),
    });
  }

  async start(sink: SensorSink): Promise<void> {
    const { more = [] } = this.#options;
    const { program } = this.#settings;
    if (!existsSync(program))
      throw unusable('absent', `${program} does not exist`, 'It comes with macOS 13 and later.');
    const known = await listEvents(program);
    if (known === undefined || known.length === 0)
      throw unusable('list', `${program} --list-events did not answer`, 'Try it by hand.');
    // A name that an older macOS does not know would be refused with all the others.
    this.#events = [...wantedEvents, ...more].filter((event) => known.includes(event));
    if (!this.#events.includes('exec'))
      throw unusable('list', `${program} knows no exec events`, 'Update macOS.');
    this.#sink = sink;
    const exit = await this.#run(true);
    if (exit !== undefined) {
      this.#sink = undefined;
      const { code, message, hint } = explainExit(exit);
      throw unusable(code, message, hint);
    }
  }

  ask(time: Micros): void {
    this.#answer.ask(time);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#restart?.cancel();
    this.#answer.stop();
    await this.#process?.stop();
    this.#process = undefined;
    this.#sink = undefined;
  }

  health(): SensorHealth {
    return {
      kind: this.kind,
      running: this.#process !== undefined,
      notes: [
        `eslogger: ${this.#events.length} kinds of events`,
        'does not see what the agent itself and its own process group do',
        'never run on a Mac by its authors: unproven ("launchwarden prove" asks)',
        ...this.#reader.notes(),
        ...(this.#silent ? ['it was silent for long and was replaced: it may have been stopped'] : []),
      ],
      counters: { ...this.#reader.counters, ...this.#counters },
    };
  }

  helper(): Helper | undefined {
    const running = this.#process;
    if (running?.pid === undefined) return undefined;
    return {
      name: this.kind,
      pid: running.pid,
      replace: (reason) => {
        if (this.#process === running && this.#replacing === undefined) this.#replace(running, reason);
      },
    };
  }

  /** Starts a run. With `wait` resolves when it has failed early, or with undefined when it did not. */
  async #run(wait: boolean): Promise<EsloggerExit | undefined> {
    const { clock } = this.#options;
    const { program, startMs } = this.#settings;
    const splitter = new LineSplitter(maxLineLength, {
      onLine: (line) => this.#lines.write(line),
      onOversized: () => this.#reader.skipOversized(),
    });
    this.#reader.restarted();
    const started = clock.monotonic();
    this.#silence = 0;
    this.#stoppedCheck = this.#settings.stoppedMs;
    this.#lastTurn = started;
    const running = new EsloggerProcess(program, this.#events, (chunk) => splitter.write(chunk));
    this.#process = running;
    let early = wait;
    const ended = running.ended.then((exit) => {
      this.#lines.pass();
      if (splitter.end()) this.#counters.half_lines++;
      if (early || this.#stopping) return exit;
      this.#process = undefined;
      this.#ended(exit, clock.monotonic() - started);
      return exit;
    });
    if (!wait) return undefined;
    const exit = await Promise.race([
      ended,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), startMs)),
    ]);
    early = false;
    if (exit !== undefined) this.#process = undefined;
    return exit;
  }

  #line(line: string): void {
    this.#silence = 0;
    this.#stoppedCheck = this.#settings.stoppedMs;
    if (this.#silent) {
      this.#silent = false;
      this.#patience = this.#settings.silentMs;
    }
    try {
      for (const observation of this.#reader.read(line)) this.#sink?.observe(observation);
    } catch (error) {
      this.#counters.failed_lines++;
      this.#options.logger.error({ error: messageOf(error) }, 'line of eslogger not understood');
    }
  }

  #ended(exit: EsloggerExit, ranMs: number): void {
    const { clock, logger } = this.#options;
    const { healthyMs, mostFailures, firstPauseMs, largestPauseMs } = this.#settings;
    const { message: how, permanent } = explainExit(exit);
    const message = this.#replacing ?? how;
    this.#replacing = undefined;
    this.#failures = ranMs >= healthyMs ? 1 : this.#failures + 1;
    if (permanent || this.#failures > mostFailures) {
      this.#answer.stop();
      this.#sink?.failed(message);
      this.#sink = undefined;
      return;
    }
    const pause = Math.min(firstPauseMs * 2 ** (this.#failures - 1), largestPauseMs);
    logger.warn({ message, pause }, 'eslogger is started again');
    const from = this.#complete === 0 ? clock.now() : this.#complete;
    this.#restart = clock.after(pause, () => {
      this.#counters.restarts++;
      void this.#run(false);
      this.#sink?.gap({ sensor: this.kind, reason: 'restart', from, to: clock.now(), detail: message });
    });
  }

  #tick(): void {
    if (this.#sink === undefined) return;
    const { clock } = this.#options;
    const now = clock.now();
    // What was read is told before it is said that all was.
    this.#lines.pass();
    const { kernel_dropped: lost } = this.#reader.counters;
    const from = this.#complete === 0 ? now : Math.min(this.#complete, now);
    if (lost > this.#lost) {
      const detail = 'EndpointSecurity dropped messages for eslogger';
      this.#sink?.gap({
        sensor: this.kind,
        reason: 'dropped',
        from,
        to: now,
        lost: lost - this.#lost,
        detail,
      });
      this.#lost = lost;
    }
    const { oversized } = this.#reader.counters;
    if (oversized > this.#oversized) {
      const detail = 'lines of eslogger were too long to be read';
      const unread = oversized - this.#oversized;
      this.#sink?.gap({ sensor: this.kind, reason: 'oversized', from, to: now, lost: unread, detail });
      this.#oversized = oversized;
    }
    this.#watch(now);
    const complete = now - this.#settings.lagMs * 1000;
    if (complete <= this.#complete) return;
    this.#complete = complete;
    this.#sink?.completeThrough(complete);
  }

  /**
   * Replaces one that says nothing any more. After a sleep, a stop or a stall the timers come before what the pipe holds:
   * such a turn counts for nothing, and the next one for no more than its own length.
   */
  #watch(now: Micros): void {
    const turn = this.#options.clock.monotonic();
    const passed = turn - this.#lastTurn;
    this.#lastTurn = turn;
    if (this.#process === undefined || this.#replacing !== undefined) return;
    if (passed > this.#settings.stallMs) {
      this.#silence = 0;
      return;
    }
    this.#silence += passed;
    if (this.#silence >= this.#stoppedCheck) void this.#lookWhetherStopped(this.#process);
    if (this.#silence < this.#patience) return;
    const detail = `no line of eslogger for ${Math.round(this.#silence / 1000)} s: it may have been stopped, and is replaced`;
    const from = now - Math.round(this.#silence * 1000);
    this.#sink?.gap({ sensor: this.kind, reason: 'silent', from, to: now, detail });
    this.#patience = Math.min(this.#patience * 2, this.#settings.largestSilentMs);
    this.#replace(this.#process);
  }

  async #lookWhetherStopped(running: EsloggerProcess): Promise<void> {
    this.#stoppedCheck = Math.max(this.#stoppedCheck, this.#silence) * 2;
    const silence = this.#silence;
    if (!(await running.isStopped()) || this.#process !== running || this.#replacing !== undefined) return;
    const to = this.#options.clock.now();
    const from = to - Math.round(silence * 1000);
    const detail = 'eslogger was stopped by a signal (SIGSTOP), and is replaced';
    this.#sink?.gap({ sensor: this.kind, reason: 'stopped', from, to, detail, blinded: true });
    this.#replace(running);
  }

  #replace(running: EsloggerProcess, reason?: string): void {
    this.#silent = reason === undefined;
    this.#silence = 0;
    this.#replacing = reason ?? 'eslogger was silent for long and is replaced';
    this.#counters.replaced++;
    void running.stop();
  }
}

/**
 * One folder name of each pattern, such that every path it matches holds one of them; undefined when a pattern has none
 * that is plain ASCII.
 */
export function wordsOf(patterns: readonly string[]): readonly string[] | undefined {
  const words = new Set<string>();
  for (const pattern of patterns) {
    const plain = pattern.split('/').filter((part) => /^[A-Za-z0-9 ._-]{4,}$/.test(part));
    const word = plain.at(-1);
    if (word === undefined) return undefined;
    words.add(word);
  }
  return [...words];
}

function unusable(code: string, message: string, hint: string): UserError {
  return new UserError(`sensor/eslogger-${code}`, `eslogger cannot be used: ${message}`, { hint });
}
