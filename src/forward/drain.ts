import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import {
  type DestinationStatePatch,
  type Lane,
  lanes,
  type Outbox,
  type OutboxRow,
} from '../store/outbox.js';
import { backoffMs, failureBackoff, refusalBackoff } from './backoff.js';
import type { Destination, Verdict } from './destination.js';
import { again, judge, type Next } from './judge.js';

/** A destination that neither answers nor gives up is given up on after this, milliseconds. */
const watchdogMs = 900_000;
/** Raw events wait this long for company; alerts and status documents never wait. */
const eventLingerMs = 5_000;
/** From so many failures in a row on, one row at a time is tried, a different one each time. */
const soloAfter = 3;
/** How often a success is noted in the store, milliseconds. */
const noteMs = 60_000;
/** A pause that only a person ends. */
export const userPause = Number.MAX_SAFE_INTEGER;

export interface DrainOptions {
  readonly destination: Destination;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Called after rows were settled; `dead` are those that became dead letters. */
  readonly onSettled?: (settled: {
    readonly lane: Lane;
    readonly acked: number;
    readonly dead: readonly OutboxRow[];
  }) => void;
}

export type DrainState = 'idle' | 'sending' | 'waiting' | 'paused' | 'stopped';

/** Sends what waits for one destination, one request in flight, until it is stopped. */
export class Drain {
  readonly destination: Destination;
  readonly #options: DrainOptions;
  readonly #abort = new AbortController();
  readonly #aborted: Promise<'expired'>;
  #running: Promise<void> | undefined;
  #stopping = false;
  #state: DrainState = 'stopped';
  /** Monotonic milliseconds before which nothing is sent. */
  #blockedUntil = 0;
  #userPaused = false;
  #fails = 0;
  #refusals = 0;
  /** Rows per request now: halved by a split, 1 while probing, doubled by each success. */
  #share = Number.POSITIVE_INFINITY;
  /** Rows that failed alone, to be tried again once another row shows that the destination works. */
  #suspects: { lane: Lane; row: OutboxRow; reason: string }[] = [];
  #lastEvents = Number.NEGATIVE_INFINITY;
  #lastNote = Number.NEGATIVE_INFINITY;
  #flushing = false;
  #wakeUp: (() => void) | undefined;
  #restWaiters: (() => void)[] = [];

  constructor(options: DrainOptions) {
    this.destination = options.destination;
    this.#options = options;
    this.#aborted = new Promise((resolve) => {
      this.#abort.signal.addEventListener('abort', () => resolve('expired'), { once: true });
    });
  }

  get state(): DrainState {
    return this.#state;
  }

  /** Milliseconds until the next try, when it waits or is paused. */
  get retryInMs(): number {
    return Math.max(0, this.#blockedUntil - this.#options.clock.monotonic());
  }

  /** `splayMs`: how long the first request waits when there is a backlog. */
  start(splayMs = 0): void {
    const { outbox, clock } = this.#options;
    const { name } = this.destination;
    this.#userPaused = outbox.state(name).pausedUntil === userPause;
    // A refusal is forgotten at a start: whoever mended the credentials restarted us.
    if (!this.#userPaused) this.#note({ pausedUntil: null, pauseReason: null });
    if (splayMs > 0 && lanes.some((lane) => outbox.take(name, lane, this.#limits(1)).length > 0))
      this.#blockedUntil = clock.monotonic() + splayMs;
    this.#running = this.#run();
  }

  /** Something was committed. */
  wake(): void {
    this.#wakeUp?.();
  }

  pause(reason: string): void {
    this.#userPaused = true;
    this.#options.outbox.patch(this.destination.name, { pausedUntil: userPause, pauseReason: reason });
    this.wake();
  }

  /** Ends a pause and a back-off: the next try is now. */
  resume(): void {
    this.#userPaused = false;
    this.#blockedUntil = 0;
    this.#options.outbox.patch(this.destination.name, { pausedUntil: null, pauseReason: null });
    this.wake();
  }

  /** Resolves once nothing more can be sent now: all is sent, or the destination waits. */
  async flush(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#flushing = true;
    const rested = new Promise<void>((resolve) => this.#restWaiters.push(resolve));
    this.wake();
    await rested;
  }

  /** Sends what it can for at most `graceMs`, then ends, the request in flight included. */
  async stop(graceMs: number): Promise<void> {
    if (this.#running === undefined) return;
    const timer = this.#options.clock.after(graceMs, () => this.#abort.abort());
    if (graceMs > 0) await Promise.race([this.flush(), this.#aborted]);
    else this.#abort.abort();
    this.#stopping = true;
    this.wake();
    await this.#running;
    timer.cancel();
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#stopping) {
      try {
        const blocked = this.#userPaused ? Number.POSITIVE_INFINITY : this.#blockedUntil - clock.monotonic();
        if (blocked > 0) {
          await this.#rest(this.#userPaused || this.#refusals > 0 ? 'paused' : 'waiting', blocked);
          continue;
        }
        const batch = this.#next();
        if (batch === undefined) await this.#rest('idle', this.#idleMs());
        else await this.#send(batch.lane, batch.rows);
      } catch (error) {
        // The store failed (disk full, damaged): what was sent and not settled is sent again.
        log.error({ destination: this.destination.name, error: messageOf(error) }, 'outbox failed');
        this.#fails++;
        this.#blockedUntil = clock.monotonic() + backoffMs(this.#fails, failureBackoff, this.#options.random);
      }
    }
    this.#state = 'stopped';
    for (const resolve of this.#restWaiters.splice(0)) resolve();
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }

  #limits(share: number) {
    const { maxItems, maxBytes } = this.destination.limits;
    return { maxItems: Math.max(1, Math.min(maxItems, share)), maxBytes, now: this.#nowMs() };
  }

  #next(): { lane: Lane; rows: OutboxRow[] } | undefined {
    const { outbox, clock } = this.#options;
    const solo = this.#fails >= soloAfter;
    for (const lane of lanes) {
      if (lane === 'event' && !this.#flushing && clock.monotonic() - this.#lastEvents < eventLingerMs)
        continue;
      const after = solo ? this.#suspects.findLast((suspect) => suspect.lane === lane)?.row.seq : undefined;
      const limits = { ...this.#limits(solo ? 1 : this.#share), ...(after === undefined ? {} : { after }) };
      const rows = outbox.take(this.destination.name, lane, limits);
      if (rows.length > 0) return { lane, rows };
    }
    if (this.#suspects.length === 0) return undefined;
    // Every row has been tried alone and failed: it is the destination, not a row.
    this.#suspects = [];
    return this.#next();
  }

  /** How long nothing can become ready by itself. */
  #idleMs(): number {
    const { outbox, clock } = this.#options;
    let wait = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      const ready = outbox.nextReady(this.destination.name, lane);
      if (ready === undefined) continue;
      const linger = lane === 'event' ? eventLingerMs - (clock.monotonic() - this.#lastEvents) : 0;
      wait = Math.min(wait, Math.max(10, ready - this.#nowMs(), linger));
    }
    return wait;
  }

  async #send(lane: Lane, rows: readonly OutboxRow[]): Promise<void> {
    const { outbox, random } = this.#options;
    const { name } = this.destination;
    this.#state = 'sending';
    const verdicts = await this.#ask(rows);
    const now = this.#nowMs();
    const { settlements, next } = judge(rows, verdicts, { now, random });
    const acked = settlements.filter(
      ({ outcome }) => outcome === 'delivered' || outcome === 'duplicate',
    ).length;
    if (settlements.length > 0) outbox.settle(name, lane, { settlements, now });
    if (acked > 0) this.#absolve(now);
    if (lane === 'event')
      this.#lastEvents = this.#isFull(rows) ? Number.NEGATIVE_INFINITY : this.#options.clock.monotonic();
    const bySeq = new Map(rows.map((row) => [row.seq, row]));
    const dead = settlements.filter(({ outcome }) => outcome === 'dead').map(({ seq }) => bySeq.get(seq)!);
    this.#proceed(next, { lane, rows, acked });
    this.#options.onSettled?.({ lane, acked, dead });
  }

  /** True when more of the lane probably waits behind it. */
  #isFull(rows: readonly OutboxRow[]): boolean {
    const { maxItems, maxBytes } = this.destination.limits;
    const size = rows.reduce((sum, row) => sum + row.body.length, 0);
    return rows.length >= Math.min(maxItems, this.#share) || size * 2 > maxBytes;
  }

  /** The destination's verdicts; whatever goes wrong in asking is a failure that may pass. */
  async #ask(rows: readonly OutboxRow[]): Promise<readonly Verdict[]> {
    const { clock } = this.#options;
    let watchdog: Timer | undefined;
    const expired = new Promise<'expired'>((resolve) => {
      watchdog = clock.after(watchdogMs, () => resolve('expired'));
    });
    try {
      const answer = await Promise.race([
        this.destination.send(rows, this.#abort.signal),
        expired,
        this.#aborted,
      ]);
      if (answer === 'expired') return rows.map(() => ({ kind: 'retry', reason: 'no answer in time' }));
      return Array.isArray(answer) ? answer : [];
    } catch (error) {
      return rows.map(() => ({ kind: 'retry', reason: messageOf(error).slice(0, 500) }));
    } finally {
      watchdog?.cancel();
    }
  }

  /** Rows went through: the destination works, so what failed alone failed by itself. */
  #absolve(now: number): void {
    const { outbox, clock, random } = this.#options;
    const { name } = this.destination;
    for (const { lane, row, reason } of this.#suspects.splice(0)) {
      outbox.settle(name, lane, { settlements: [again(row, { reason }, { now, random, tries: 20 })], now });
    }
    if (this.#fails > 0 || this.#refusals > 0 || clock.monotonic() - this.#lastNote > noteMs) {
      this.#note({ fails: 0, lastOk: now, pausedUntil: null, pauseReason: null });
      this.#lastNote = clock.monotonic();
    }
    this.#fails = 0;
    this.#refusals = 0;
  }

  #proceed(
    next: Next,
    sent: { readonly lane: Lane; readonly rows: readonly OutboxRow[]; readonly acked: number },
  ): void {
    const { clock, log, random } = this.#options;
    const { name } = this.destination;
    if (next.kind === 'go') {
      if (sent.acked > 0) this.#share = Math.min(this.#share * 2, Number.MAX_SAFE_INTEGER);
      return;
    }
    if (next.kind === 'split') {
      this.#share = Math.max(1, Math.floor(sent.rows.length / 2));
      return;
    }
    const now = this.#nowMs();
    const error = { lastError: next.reason.slice(0, 500), lastErrorAt: now };
    if (next.kind === 'pause') {
      this.#refusals++;
      this.#share = 1;
      const wait = backoffMs(this.#refusals, refusalBackoff, random);
      this.#blockedUntil = clock.monotonic() + wait;
      this.#note({ ...error, pausedUntil: now + wait, pauseReason: next.cause });
      log.error({ destination: name, reason: next.reason, wait_ms: wait }, 'destination refuses us: paused');
      return;
    }
    this.#fails++;
    const [row] = sent.rows;
    if (sent.rows.length === 1 && this.#fails > soloAfter && row !== undefined)
      this.#suspects.push({ lane: sent.lane, row, reason: next.reason });
    if (this.#fails >= soloAfter) this.#share = 1;
    const wait = next.afterMs ?? backoffMs(this.#fails, failureBackoff, random);
    this.#blockedUntil = clock.monotonic() + wait;
    this.#note({ ...error, fails: this.#fails });
    log.warn(
      { destination: name, reason: next.reason, fails: this.#fails, wait_ms: wait },
      'delivery failed',
    );
  }

  /** Notes for `forward status`: a full disk must not keep us from sending. */
  #note(patch: DestinationStatePatch): void {
    try {
      this.#options.outbox.patch(this.destination.name, patch);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the state of a destination could not be stored');
    }
  }

  async #rest(state: DrainState, milliseconds: number): Promise<void> {
    this.#state = state;
    this.#flushing = false;
    for (const resolve of this.#restWaiters.splice(0)) resolve();
    await new Promise<void>((resolve) => {
      let timer: Timer | undefined;
      this.#wakeUp = () => {
        timer?.cancel();
        this.#wakeUp = undefined;
        resolve();
      };
      if (this.#stopping) this.#wakeUp();
      else if (milliseconds !== Number.POSITIVE_INFINITY)
        timer = this.#options.clock.after(milliseconds, this.#wakeUp);
    });
  }
}
