import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import {
  type DestinationStatePatch,
  type Lane,
  lanes,
  type OutboxRow,
  type Source,
  type TakeLimits,
} from '../store/outbox.js';
import { backoffMs, failureBackoff } from './backoff.js';
import type { Destination, Verdict } from './destination.js';
import { sentence, type Trouble } from './reasons.js';
import { type Standing, Stream } from './stream.js';
import { asUpdate } from './updates.js';

/** A destination that neither answers nor gives up is given up on after this, milliseconds. */
const watchdogMs = 900_000;
/** Raw events wait this long for company; alerts and status documents never wait. */
const eventLingerMs = 5_000;
/** How often a success is noted in the store, milliseconds. */
const noteMs = 60_000;
/** A pause that only a person ends. */
export const userPause = Number.MAX_SAFE_INTEGER;

export interface DrainOptions {
  readonly destination: Destination;
  readonly outbox: Source;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Called after rows were settled; `dead` are those that became dead letters. */
  readonly onSettled?: (settled: {
    readonly lane: Lane;
    readonly acked: number;
    /** Ids of the alerts among them; empty of the other lanes. */
    readonly alerts: readonly string[];
    readonly dead: readonly OutboxRow[];
  }) => void;
  /** Called when it cannot be set up, with the reason, and with undefined once it can. */
  readonly onParked?: (reason: string | undefined) => void;
}

/**
 * What a destination does: `not_started`, `idle` (nothing waits), `sending`, `waiting` (after a failure), `paused` (by
 * hand), `refused` (by the receiver), `rejecting` (documents), `parked` (cannot be set up), `stopped`. Of its lanes the
 * first in order that is not idle decides.
 */
export type DrainState =
  | 'not_started'
  | 'idle'
  | 'sending'
  | 'waiting'
  | 'paused'
  | 'refused'
  | 'rejecting'
  | 'parked'
  | 'stopped';

/** One stream of a lane, for `forward status`. */
export interface StreamReport {
  readonly lane: Lane;
  readonly stream: string;
  readonly standing: Standing;
  readonly retryInMs: number;
  readonly fails: number;
  readonly trouble: Trouble | undefined;
  readonly warning: { readonly text: string; readonly at: number } | undefined;
  readonly lastOk: number | undefined;
}

interface Batch {
  readonly lane: Lane;
  readonly stream: Stream;
  readonly rows: readonly OutboxRow[];
}

/** Sends what waits for one destination, one request in flight, alerts first, until it is stopped. */
export class Drain {
  readonly destination: Destination;
  readonly #options: DrainOptions;
  readonly #abort = new AbortController();
  readonly #aborted: Promise<'expired'>;
  readonly #streams: Readonly<Record<Lane, Map<string, Stream>>> = {
    alert: new Map(),
    status: new Map(),
    event: new Map(),
  };
  #running: Promise<void> | undefined;
  #stopping = false;
  #state: DrainState = 'not_started';
  /** Steady milliseconds before which a lane that had a backlog at the start is not sent. */
  readonly #heldUntil = new Map<Lane, number>();
  /** Steady milliseconds before which the outbox is not asked: it failed. */
  #outboxUntil = 0;
  #outboxFails = 0;
  #userPaused = false;
  #parked: string | undefined;
  #lastEvents = Number.NEGATIVE_INFINITY;
  #lastNote = Number.NEGATIVE_INFINITY;
  #noted = '';
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
    if (this.#state === 'sending' || this.#state === 'stopped' || this.#state === 'not_started')
      return this.#state;
    return this.#restState();
  }

  /** Why it cannot be set up. */
  get parked(): string | undefined {
    return this.#parked;
  }

  /** Milliseconds until the next try, when it waits or is refused. */
  get retryInMs(): number {
    if (this.#userPaused) return 0;
    const first = this.reports().find(({ retryInMs }) => retryInMs > 0);
    const steady = this.#options.clock.monotonic();
    const held = [...this.#heldUntil.values()].map((until) => until - steady);
    return Math.max(0, first?.retryInMs ?? 0, this.#outboxUntil - steady, ...held);
  }

  /** Its streams in the order of their lanes. */
  reports(): StreamReport[] {
    const steady = this.#options.clock.monotonic();
    return lanes.flatMap((lane) =>
      [...this.#streams[lane].values()].map((stream) => ({
        lane,
        stream: stream.name,
        standing: stream.standing(steady),
        retryInMs: stream.retryMs(steady),
        fails: stream.fails,
        trouble: stream.trouble,
        warning: stream.warning,
        lastOk: stream.lastOk,
      })),
    );
  }

  /** `splayMs`: how long the first request of a lane waits when it has a backlog. */
  start(splayMs = 0): void {
    const { outbox, clock } = this.#options;
    const { name } = this.destination;
    this.#state = 'idle';
    this.#userPaused = outbox.state(name).pausedUntil === userPause;
    // A refusal is forgotten at a start: whoever mended the credentials restarted us. So is every wait.
    if (!this.#userPaused) this.#patch({ pausedUntil: null, pauseReason: null });
    this.#release();
    for (const lane of splayMs > 0 ? lanes : [])
      if (outbox.take(name, lane, this.#limits(1)).length > 0)
        this.#heldUntil.set(lane, clock.monotonic() + splayMs);
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

  /** Ends a pause and every back-off: the next try is now. */
  resume(): void {
    this.#userPaused = false;
    this.#heldUntil.clear();
    this.#outboxUntil = 0;
    for (const lane of lanes) for (const stream of this.#streams[lane].values()) stream.unblock();
    this.#options.outbox.patch(this.destination.name, { pausedUntil: null, pauseReason: null });
    this.#release();
    this.destination.retrySetUp?.();
    this.wake();
  }

  /** Resolves once nothing more can be sent now: all is sent, or the destination waits. */
  async flush(): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'not_started') return;
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
        const failed = this.#outboxUntil - clock.monotonic();
        if (this.#userPaused) await this.#rest(Number.POSITIVE_INFINITY);
        else if (failed > 0) await this.#rest(failed);
        else if ((await this.#setUp()) && !this.#userPaused) await this.#step();
      } catch (error) {
        // The store failed (disk full, damaged): what was sent and not settled is sent again.
        log.error({ destination: this.destination.name, error: messageOf(error) }, 'outbox failed');
        this.#outboxFails++;
        const wait = backoffMs(this.#outboxFails, failureBackoff, this.#options.random);
        this.#outboxUntil = clock.monotonic() + wait;
      }
    }
    this.#state = 'stopped';
    for (const resolve of this.#restWaiters.splice(0)) resolve();
  }

  async #step(): Promise<void> {
    const batch = this.#next();
    if (batch === undefined) await this.#rest(this.#idleMs());
    else if (batch === 'deferred') await new Promise((resolve) => setImmediate(resolve));
    else await this.#send(batch);
    this.#outboxFails = 0;
  }

  /** True when the destination can be sent to; else it has rested. */
  async #setUp(): Promise<boolean> {
    if (this.destination.setUp === undefined) return true;
    const answer = await Promise.race([this.destination.setUp(), this.#aborted]);
    if (answer === 'expired') {
      this.#stopping = true;
      return false;
    }
    const before = this.#parked;
    this.#parked = answer?.reason;
    if (this.#parked !== before) {
      if (this.#parked !== undefined) {
        const { name } = this.destination;
        this.#options.log.error({ destination: name, reason: this.#parked }, 'destination is parked');
      } else this.#options.log.info({ destination: this.destination.name }, 'destination is set up');
      this.#options.onParked?.(this.#parked);
    }
    if (answer === undefined) return true;
    await this.#rest(answer.retryInMs);
    return false;
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }

  #limits(share: number, only?: number): TakeLimits {
    const { maxItems, maxBytes } = this.destination.limits;
    const limits = { maxItems: Math.max(1, Math.min(maxItems, share)), maxBytes, now: this.#nowMs() };
    return only === undefined ? limits : { ...limits, only };
  }

  #stream(lane: Lane, name: string): Stream {
    const known = this.#streams[lane].get(name);
    if (known !== undefined) return known;
    const made = new Stream(name);
    this.#streams[lane].set(name, made);
    return made;
  }

  #next(): Batch | 'deferred' | undefined {
    const { clock } = this.#options;
    const steady = clock.monotonic();
    for (const lane of lanes) {
      if (lane === 'event' && !this.#flushing && steady - this.#lastEvents < eventLingerMs) continue;
      if ((this.#heldUntil.get(lane) ?? 0) > steady) continue;
      this.#heldUntil.delete(lane);
      const batch =
        this.#aside(lane, (stream) => stream.wanted) ??
        this.#queued(lane) ??
        this.#aside(lane, (stream) => stream.dueRow(steady));
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  /** A row that waits outside the queue. */
  #aside(lane: Lane, pick: (stream: Stream) => number | undefined): Batch | undefined {
    const { outbox, clock } = this.#options;
    for (const stream of this.#streams[lane].values()) {
      if (stream.blockedMs(clock.monotonic()) > 0) continue;
      for (let seq = pick(stream); seq !== undefined; seq = pick(stream)) {
        const rows = outbox.take(this.destination.name, lane, this.#limits(1, seq));
        if (rows.length > 0) return { lane, stream, rows };
        stream.forget(seq);
      }
    }
    return undefined;
  }

  /** What is ready in the queue, of one stream. Rows of a stream that waits are put off until it no longer does. */
  #queued(lane: Lane): Batch | 'deferred' | undefined {
    const { outbox, clock } = this.#options;
    const { destination } = this;
    const steady = clock.monotonic();
    if (destination.stream === undefined) {
      const stream = this.#stream(lane, lane);
      if (stream.blockedMs(steady) > 0) return undefined;
      const rows = outbox.take(destination.name, lane, this.#limits(stream.share));
      return rows.length > 0 ? { lane, stream, rows } : undefined;
    }
    const taken = outbox.take(destination.name, lane, this.#limits(Number.POSITIVE_INFINITY));
    if (taken.length === 0) return undefined;
    const now = this.#nowMs();
    const put: { seq: number; revision: number; outcome: 'retry'; notBefore: number }[] = [];
    let stream: Stream | undefined;
    const rows: OutboxRow[] = [];
    for (const row of taken) {
      const its = this.#stream(lane, destination.stream(row));
      const wait = its.blockedMs(steady);
      if (wait > 0) {
        const { seq, revision } = row;
        put.push({ seq, revision, outcome: 'retry', notBefore: now + Math.ceil(wait) });
      } else {
        stream ??= its;
        if (its === stream && rows.length < Math.max(1, stream.share)) rows.push(row);
      }
    }
    if (put.length > 0) outbox.settle(destination.name, lane, { settlements: put, now });
    return stream === undefined ? 'deferred' : { lane, stream, rows };
  }

  /** How long nothing can become ready by itself. */
  #idleMs(): number {
    const { outbox, clock } = this.#options;
    const steady = clock.monotonic();
    let wait = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      const held = (this.#heldUntil.get(lane) ?? 0) - steady;
      const linger = lane === 'event' ? eventLingerMs - (steady - this.#lastEvents) : 0;
      const soonest = (inMs: number) => {
        wait = Math.min(wait, Math.max(10, inMs, held, linger));
      };
      const streams = this.#streams[lane];
      for (const stream of streams.values()) {
        const due = stream.nextDue;
        if (due !== undefined) soonest(Math.max(due - steady, stream.blockedMs(steady)));
      }
      const ready = outbox.nextReady(this.destination.name, lane);
      if (ready === undefined) continue;
      const alone = this.destination.stream === undefined ? streams.get(lane) : undefined;
      soonest(Math.max(ready - this.#nowMs(), alone?.blockedMs(steady) ?? 0));
    }
    return wait;
  }

  async #send({ lane, stream, rows }: Batch): Promise<void> {
    const { outbox, random, clock, log } = this.#options;
    const { name } = this.destination;
    this.#state = 'sending';
    const verdicts = await this.#ask(rows);
    const now = this.#nowMs();
    const before = stream.trouble;
    const at = { now, steady: clock.monotonic(), random, receiver: name };
    const full = this.#isFull(rows, stream.share);
    const settlements = stream.judge(rows, verdicts, at);
    if (lane === 'event') this.#lastEvents = full ? Number.NEGATIVE_INFINITY : at.steady;
    if (settlements.length > 0) outbox.settle(name, lane, { settlements, now });
    const bySeq = new Map(rows.map((row) => [row.seq, row]));
    let acked = 0;
    const alerts: string[] = [];
    const dead: OutboxRow[] = [];
    for (const { seq, outcome } of settlements) {
      if (outcome === 'delivered' || outcome === 'duplicate') {
        acked++;
        if (lane === 'alert') alerts.push(bySeq.get(seq)!.id);
      }
      if (outcome === 'dead') dead.push(bySeq.get(seq)!);
    }
    const { trouble } = stream;
    if (trouble !== undefined && trouble !== before) {
      const wait_ms = Math.max(0, Math.round(stream.blockedMs(at.steady)));
      const fields = { destination: name, lane, stream: stream.name, reason: trouble.reason, wait_ms };
      log.warn(fields, trouble.kind === 'dead' ? 'document became a dead letter' : 'delivery failed');
    }
    this.#note(acked > 0 ? now : undefined);
    this.#options.onSettled?.({ lane, acked, alerts, dead });
  }

  /** True when more of the lane probably waits behind it. */
  #isFull(rows: readonly OutboxRow[], share: number): boolean {
    const { maxItems, maxBytes } = this.destination.limits;
    const size = rows.reduce((sum, row) => sum + row.body.length, 0);
    return rows.length >= Math.min(maxItems, share) || size * 2 > maxBytes;
  }

  /** The destination's verdicts; whatever goes wrong in asking is a failure that may pass. */
  async #ask(rows: readonly OutboxRow[]): Promise<readonly Verdict[]> {
    const { clock } = this.#options;
    let watchdog: Timer | undefined;
    const expired = new Promise<'expired'>((resolve) => {
      watchdog = clock.after(watchdogMs, () => resolve('expired'));
    });
    try {
      const items = rows.some(({ update }) => update === true) ? rows.map(asUpdate) : rows;
      const answer = await Promise.race([
        this.destination.send(items, this.#abort.signal),
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

  /** What it does while it does not send. */
  #restState(): DrainState {
    if (this.#userPaused) return 'paused';
    if (this.#parked !== undefined) return 'parked';
    const steady = this.#options.clock.monotonic();
    for (const lane of lanes) {
      if ((this.#heldUntil.get(lane) ?? 0) > steady) return 'waiting';
      for (const stream of this.#streams[lane].values()) {
        const standing = stream.standing(steady);
        if (standing !== 'open') return standing;
      }
    }
    return this.#outboxUntil > steady ? 'waiting' : 'idle';
  }

  /** Keeps the destination's state in the store up to date. It is paused when its alerts are, whatever the other lanes do. */
  #note(lastOk: number | undefined): void {
    const { clock } = this.#options;
    const reports = this.reports();
    const fails = Math.max(0, ...reports.map((report) => report.fails));
    const first = reports.find(
      ({ lane, standing }) => lane === 'alert' && (standing === 'refused' || standing === 'rejecting'),
    );
    const newest = reports.reduce<Trouble | undefined>(
      (best, { trouble }) =>
        trouble !== undefined && (best === undefined || trouble.at >= best.at) ? trouble : best,
      undefined,
    );
    const pause =
      first?.trouble === undefined
        ? { pausedUntil: null, pauseReason: null }
        : {
            pausedUntil: this.#nowMs() + Math.round(first.retryInMs),
            pauseReason: sentence(first.trouble.kind, first.trouble.reason, this.destination.name),
          };
    const changed = JSON.stringify([fails, first?.trouble, newest]);
    const steady = clock.monotonic();
    if (changed === this.#noted && (lastOk === undefined || steady - this.#lastNote <= noteMs)) return;
    this.#noted = changed;
    if (lastOk !== undefined) this.#lastNote = steady;
    this.#patch({
      fails,
      ...(this.#userPaused ? {} : pause),
      ...(newest === undefined ? {} : { lastError: newest.reason, lastErrorAt: newest.at }),
      ...(lastOk === undefined ? {} : { lastOk }),
    });
  }

  /** Notes for `forward status`: a full disk must not keep us from sending. */
  #patch(patch: DestinationStatePatch): void {
    try {
      this.#options.outbox.patch(this.destination.name, patch);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the state of a destination could not be stored');
    }
  }

  #release(): void {
    try {
      this.#options.outbox.release(this.destination.name);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'rows that wait could not be released');
    }
  }

  async #rest(milliseconds: number): Promise<void> {
    this.#state = 'idle';
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
