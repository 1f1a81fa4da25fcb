import type { Clock } from '../../base/clock.js';
import type { Micros } from '../../base/time.js';
import { type Addon, type NativeScanner, type PackedRecord, unpack } from '../addon/index.js';
import type { ProcessScanOptions } from './options.js';
import type { ProcessRecord, ProcessSource, ProcessSourceSink } from './source.js';

// native/src/scan/scanner.h: kinds of records, and flags.
const kinds: Record<number, ProcessRecord['type']> = { 1: 'running', 2: 'exec', 3: 'fork' };
const readyKind = 4;
const argumentsUnknown = 1;
const argumentsWithheld = 2;

/** Batches that are taken before the event loop gets its turn. */
const batchesATurn = 8;
/** How often is looked whether it still looks, and what it dropped, milliseconds. */
const watchEveryMs = 500;
/** A scanner that has not finished a look for so long hangs, milliseconds. */
const stalledMs = 2_000;

/** The scanner in the addon: a thread of its own that reads the kernel's tables every few milliseconds. */
export class NativeProcessSource implements ProcessSource {
  readonly #scanner: NativeScanner;
  readonly #clock: Clock;
  #sink: ProcessSourceSink | undefined;
  #ready: (() => void) | undefined;
  #begun = false;
  #draining = false;
  readonly #periodUs: number;
  #dropped = 0;
  #watchedAt = Number.NEGATIVE_INFINITY;
  #lastLook: Micros = 0;
  #lastLookAt = 0;
  #stalled = false;

  constructor(addon: Addon, options: ProcessScanOptions, clock: Clock) {
    this.#clock = clock;
    this.#periodUs = options.periodMs * 1_000;
    this.#scanner = new addon.ProcessScanner(
      {
        periodUs: this.#periodUs,
        quietPeriodUs: Math.max(options.quietPeriodMs, options.periodMs) * 1_000,
        longestPeriodUs: Math.max(options.periodMs * 1_000, 20_000),
        cpuShare: options.cpuShare,
        queueBytes: options.queueMb * 1024 * 1024,
      },
      () => this.#drain(),
    );
  }

  /** Looks from now on; what it sees waits for `start`. Undefined when it does look, else why it cannot. */
  begin(): string | undefined {
    const trouble = this.#scanner.start();
    this.#begun = trouble === undefined;
    return trouble;
  }

  async start(sink: ProcessSourceSink): Promise<void> {
    this.#sink = sink;
    const ready = new Promise<void>((resolve) => {
      this.#ready = resolve;
    });
    const trouble = this.#begun ? undefined : this.begin();
    if (trouble !== undefined) throw new Error(trouble);
    // The addon keeps no process alive by itself, and nobody else may have anything to do yet.
    const alive = setInterval(() => {}, 1_000);
    // Of what waits already it has told when nobody listened.
    this.#drain();
    await ready;
    clearInterval(alive);
  }

  /** Unless it looks seldom just now, a look is never far away, and who waits asks again: no need to wake up for it. */
  ask(time: Micros): void {
    this.#drain();
    if (time - this.#scanner.completeThrough() > this.#periodUs) this.#scanner.hurry();
    const now = this.#clock.monotonic();
    const passed = now - this.#watchedAt;
    if (passed < watchEveryMs) return;
    this.#watchedAt = now;
    this.#countDropped();
    this.#watch(passed);
  }

  attend(milliseconds: number): void {
    this.#scanner.attend(milliseconds * 1_000);
  }

  async stop(): Promise<void> {
    this.#scanner.stop();
    this.#ready?.();
    for (let batch = this.#scanner.take(); batch !== undefined; batch = this.#scanner.take())
      this.#deliver(batch);
    this.#countDropped();
    this.#sink?.completeThrough(this.#scanner.completeThrough());
    this.#sink = undefined;
  }

  notes(): readonly string[] {
    const {
      period_us: period = 0,
      cpu_share: share = 0,
      hints_trusted: trusted = 0,
    } = this.#scanner.counters();
    // Of one that has only just begun it is not known.
    const cost = share === 0 ? '' : ` at ${(share * 100).toFixed(1)} % of a core`;
    return [
      `native scanner: looks every ${(period / 1000).toFixed(1)} ms${cost}`,
      ...(trusted > 0 ? ['and looks when the kernel tells of a fork, which has been reliable so far'] : []),
      ...(this.#stalled ? ['it hangs: some process makes a read of its memory or files wait'] : []),
      'does not see programs that live shorter than one look, nor who wrote a file',
      ...(process.platform === 'darwin'
        ? ['its macOS half was never run by its authors: unproven ("launchwarden prove" asks)']
        : []),
    ];
  }

  counters(): Readonly<Record<string, number>> {
    return this.#scanner.counters();
  }

  /** `passed`: milliseconds since the turn before. After a sleep, or a stall of ours, the scanner gets one turn of grace. */
  #watch(passed: number): void {
    const look = this.#scanner.completeThrough();
    const now = this.#clock.monotonic();
    if (look !== this.#lastLook || (passed >= stalledMs && !this.#stalled)) {
      this.#lastLook = look;
      this.#lastLookAt = now;
      this.#stalled = false;
    } else if (!this.#stalled && now - this.#lastLookAt >= stalledMs) {
      this.#stalled = true;
      this.#sink?.stalled(look);
    }
  }

  #drain(): void {
    if (this.#draining || this.#sink === undefined) return;
    // Read before taking: what was seen up to then is in the queue by now.
    const complete = this.#scanner.completeThrough();
    for (let count = 0; count < batchesATurn; count++) {
      const batch = this.#scanner.take();
      if (batch === undefined) {
        if (count > 0) this.#countDropped();
        if (complete > 0) this.#sink.completeThrough(complete);
        return;
      }
      this.#deliver(batch);
    }
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      this.#drain();
    });
  }

  #deliver(batch: Uint8Array): void {
    unpack(batch, (packed) => {
      const type = kinds[packed.kind];
      if (type !== undefined) this.#sink?.process(readRecord(type, packed));
      else if (packed.kind === readyKind) this.#ready?.();
    });
  }

  #countDropped(): void {
    const { dropped = 0 } = this.#scanner.counters();
    if (dropped > this.#dropped) this.#sink?.dropped(dropped - this.#dropped);
    this.#dropped = dropped;
  }
}

/** Numbers and texts in the order in which native/src/scan/scanner.cc (Emit) writes them. */
function readRecord(type: ProcessRecord['type'], { numbers, strings }: PackedRecord): ProcessRecord {
  const at = (index: number): number => numbers[index] as number;
  const [startKey = '', stamp = '', executable = '', shortName = '', directory = '', ...args] = strings;
  const flags = at(11);
  return {
    type,
    pid: at(0),
    ppid: at(1),
    pgid: at(2),
    sid: at(3),
    start: at(4),
    notBefore: at(5),
    seen: at(6),
    uid: at(7),
    euid: at(8),
    gid: at(9),
    egid: at(10),
    startKey,
    imageKey: stamp === '0' ? '' : stamp,
    shortName,
    ...(executable === '' ? {} : { executable }),
    ...(directory === '' ? {} : { directory }),
    ...((flags & argumentsUnknown) === 0
      ? { args: { args, count: at(12), front: at(13), shortened: at(14) } }
      : {}),
    ...((flags & argumentsWithheld) === 0 ? {} : { argsWithheld: true }),
  };
}
