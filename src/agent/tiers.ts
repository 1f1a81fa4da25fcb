import type { Clock, Timer } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { formatMicros, type Micros } from '../base/time.js';
import type { SensorTier } from '../config/index.js';
import type { Gap, Observation } from '../event/event.js';
import type { Sensor } from '../sensors/sensor.js';

export type TierName = Exclude<SensorTier, 'auto'>;

/** A way to see processes. Exactly one is used at a time: two would tell of every process twice. */
export interface TierChoice {
  readonly name: TierName;
  /** A new sensor for each attempt. `since`: nobody has looked at processes since then; undefined at the start. */
  make(since: Micros | undefined): Sensor;
}

/** What the sensors' output goes to. */
export interface SensorSetSink {
  observe(observation: Observation): void;
  completeThrough(sensor: string, time: Micros): void;
  started(sensor: string): void;
  ended(sensor: string): void;
  gap(gap: Gap): void;
}

export interface TiersOptions {
  /** What was asked for, for the log. */
  readonly wanted: SensorTier;
  /** Best first. None when every one is disabled. */
  readonly choices: readonly TierChoice[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly sink: SensorSetSink;
  /** Called after each change of the running one. */
  readonly onSwitch?: () => void;
  readonly pauses?: Partial<TierPauses>;
}

/**
 * When a better tier is tried again: after `firstMs`, doubled up to `largestMs`; one that lacks what only a person can give
 * after `permissionMs`.
 */
export interface TierPauses {
  readonly firstMs: number;
  readonly largestMs: number;
  /** One that ran for so long was no failure: the pauses begin anew. */
  readonly healthyMs: number;
  readonly permissionMs: number;
}

export interface TierStatus {
  readonly wanted: SensorTier;
  /** Null when processes are not seen at all. */
  readonly running: TierName | null;
  /** When it began, ISO 8601. */
  readonly since: string | null;
  /** Why it is this one. */
  readonly reason: string;
  /** Better ones, and what they said. */
  readonly refused: Readonly<Record<string, string>>;
  /** Better ones that have run and died, and do not run again yet. */
  readonly lost: readonly TierName[];
}

interface Running {
  readonly index: number;
  readonly sensor: Sensor;
  readonly since: Micros;
  readonly steady: number;
  complete: Micros;
  /** Cleared when it is replaced: what it says afterwards counts no more. */
  heard: boolean;
  /** Why it ended by itself. */
  failure: string | undefined;
}

const defaultPauses: TierPauses = {
  firstMs: 10_000,
  largestMs: 21_600_000,
  healthyMs: 60_000,
  permissionMs: 86_400_000,
};

/** Refusals that last until a person does something: a permission, an entitlement, another system, a build. */
const lasting = /-(?:not-permitted|not-privileged|not-entitled|unsupported|absent|addon)$/;

/**
 * Keeps the best tier running that this machine allows: goes down when one dies, and tries the better ones again with
 * growing pauses. Each change is a gap record.
 */
export class Tiers {
  readonly #options: TiersOptions;
  readonly #pauses: TierPauses;
  readonly #refused = new Map<TierName, string>();
  /** Steady time before which a tier is not tried again, since only a person can change its answer. */
  readonly #notBefore = new Map<TierName, number>();
  readonly #lost = new Set<TierName>();
  #running: Running | undefined;
  #reason = '';
  #pause: number;
  #retry: Timer | undefined;
  #stopped = false;
  /** Since when no tier runs. */
  #blindSince: Micros | undefined;
  /** One change at a time. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: TiersOptions) {
    this.#options = options;
    this.#pauses = { ...defaultPauses, ...options.pauses };
    this.#pause = this.#pauses.firstMs;
  }

  get sensor(): Sensor | undefined {
    return this.#running?.sensor;
  }

  /**
   * Rejects with what the choice said when one was asked for and cannot be used. When none of several can be used that is
   * a gap, and they are tried again.
   */
  async start(): Promise<void> {
    const { choices, clock, log, sink, wanted } = this.#options;
    if (choices.length === 0) {
      this.#reason = 'every sensor of processes is disabled';
      log.warn({ wanted }, 'processes are not seen: every sensor of them is disabled');
      return;
    }
    const best = await this.#tryAll(0, choices.length, undefined);
    if (!('error' in best)) this.#take(best);
    else if (wanted !== 'auto') throw best.error;
    else {
      const now = clock.now();
      this.#blindSince = now;
      this.#reason = [...this.#refused].map(([name, reason]) => `${name}: ${reason}`).join('; ');
      const detail = `processes are not seen: ${this.#reason}`;
      log.error({ reason: this.#reason }, 'processes are not seen: no sensor of them can be used');
      sink.gap({ sensor: 'process-scan', reason: 'ended', from: now, to: now, detail });
    }
    this.#scheduleRetry();
  }

  /**
   * A person has changed something: tries the better ones now, also those that lack what only a person can give. Resolves
   * when they have been tried.
   */
  async retry(): Promise<void> {
    this.#notBefore.clear();
    this.#pause = this.#pauses.firstMs;
    if (this.#running?.index !== 0) this.#enqueue(() => this.#climb());
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    await this.#work;
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await this.#end(running);
  }

  status(): TierStatus {
    const running = this.#running;
    return {
      wanted: this.#options.wanted,
      running: running === undefined ? null : this.#nameOf(running),
      since: running === undefined ? null : formatMicros(running.since),
      reason: this.#reason,
      refused: Object.fromEntries(this.#refused),
      lost: [...this.#lost],
    };
  }

  /** The first of the choices from `first` up to and without `end` that starts; otherwise what the last one said. */
  async #tryAll(
    first: number,
    end: number,
    since: Micros | undefined,
  ): Promise<Running | { readonly error: unknown }> {
    const { choices, clock, log } = this.#options;
    let error: unknown;
    for (let index = first; index < end && !this.#stopped; index++) {
      const { name } = choices[index] as TierChoice;
      if ((this.#notBefore.get(name) ?? 0) > clock.monotonic()) continue;
      try {
        const running = await this.#begin(index, since);
        this.#refused.delete(name);
        this.#notBefore.delete(name);
        return running;
      } catch (failure) {
        error = failure;
        // The tier is named beside it.
        const reason = messageOf(failure).replace(/^[A-Za-z-]+ cannot be used: /, '');
        // Said once, and again only when it is another reason.
        if (this.#refused.get(name) !== reason) log.info({ tier: name, reason }, 'tier cannot be used');
        this.#refused.set(name, reason);
        if (failure instanceof UserError && lasting.test(failure.code))
          this.#notBefore.set(name, clock.monotonic() + this.#pauses.permissionMs);
      }
    }
    return { error };
  }

  async #begin(index: number, since: Micros | undefined): Promise<Running> {
    const { choices, clock, sink } = this.#options;
    const sensor = (choices[index] as TierChoice).make(since);
    const begun: Running = {
      index,
      sensor,
      since: clock.now(),
      steady: clock.monotonic(),
      complete: 0,
      heard: true,
      failure: undefined,
    };
    await sensor.start({
      observe: (observation) => begun.heard && sink.observe(observation),
      completeThrough: (time) => {
        begun.complete = time;
        if (begun.heard) sink.completeThrough(sensor.kind, time);
      },
      gap: (gap) => begun.heard && sink.gap(gap),
      failed: (reason) => {
        begun.failure = reason;
        if (this.#running === begun) this.#enqueue(() => this.#fall(begun, reason));
      },
    });
    return begun;
  }

  #take(running: Running): void {
    const { log, sink, wanted, choices } = this.#options;
    const tier = this.#nameOf(running);
    this.#running = running;
    for (const { name } of choices.slice(running.index)) this.#lost.delete(name);
    this.#blindSince = undefined;
    sink.started(running.sensor.kind);
    const better = choices.slice(0, running.index).map(({ name }) => name);
    this.#reason =
      better.length === 0
        ? wanted === 'auto'
          ? 'the best that is allowed here'
          : 'asked for'
        : better.map((name) => `${name}: ${this.#refused.get(name) ?? 'not used'}`).join('; ');
    log.info({ tier, wanted, reason: this.#reason }, 'tier chosen');
    this.#options.onSwitch?.();
    const { failure } = running;
    if (failure !== undefined) this.#enqueue(() => this.#fall(running, failure));
  }

  /** The running one has died: the next lower one takes over, at once. */
  async #fall(dead: Running, reason: string): Promise<void> {
    if (this.#running !== dead || this.#stopped) return;
    const { choices, clock, sink } = this.#options;
    const name = this.#nameOf(dead);
    this.#refused.set(name, reason);
    this.#lost.add(name);
    this.#running = undefined;
    await this.#end(dead);
    const ranMs = clock.monotonic() - dead.steady;
    // Each attempt doubles it: one that dies again and again is tried ever less often.
    if (ranMs >= this.#pauses.healthyMs) this.#pause = this.#pauses.firstMs;
    const from = dead.complete === 0 ? dead.since : dead.complete;
    const next = await this.#tryAll(dead.index + 1, choices.length, from);
    if ('error' in next) {
      this.#reason = `${name}: ${reason}`;
      this.#blindSince = from;
      const detail = `processes are not seen: ${name}: ${reason}`;
      sink.gap({ sensor: dead.sensor.kind, reason: 'ended', from, to: clock.now(), detail, blinded: true });
      this.#options.onSwitch?.();
    } else {
      this.#take(next);
      const detail = `from ${name} to ${this.#nameOf(next)}: ${reason}`;
      this.#switched(next, { from, detail, blinded: true });
    }
    this.#scheduleRetry();
  }

  /** Tries the better ones. The new one starts before the old one ends: nothing is missed in between. */
  async #climb(): Promise<void> {
    if (this.#stopped) return;
    const { choices } = this.#options;
    const old = this.#running;
    const blindSince = this.#blindSince;
    const better = await this.#tryAll(0, old?.index ?? choices.length, blindSince);
    this.#pause = this.#doubled();
    if (!('error' in better)) {
      const from = old === undefined ? (blindSince ?? better.since) : Math.max(old.complete, better.since);
      const before = old === undefined ? 'none' : this.#nameOf(old);
      // The old one may have died meanwhile: its fall finds itself replaced.
      this.#take(better);
      if (old !== undefined) await this.#end(old);
      this.#switched(better, {
        from,
        detail: `from ${before} to ${this.#nameOf(better)}, which can be used now`,
      });
    }
    this.#scheduleRetry();
  }

  #switched({ sensor }: Running, said: Pick<Gap, 'from' | 'detail' | 'blinded'>): void {
    const to = this.#options.clock.now();
    const from = Math.min(said.from, to);
    this.#options.sink.gap({ ...said, sensor: sensor.kind, reason: 'tier-switch', from, to });
  }

  async #end(running: Running): Promise<void> {
    const { log, sink } = this.#options;
    const { sensor } = running;
    try {
      await sensor.stop();
    } catch (error) {
      log.error({ sensor: sensor.kind, error: messageOf(error) }, 'sensor did not stop cleanly');
    }
    running.heard = false;
    sink.ended(sensor.kind);
  }

  #doubled(): number {
    return Math.min(this.#pause * 2, this.#pauses.largestMs);
  }

  #scheduleRetry(): void {
    this.#retry?.cancel();
    if (this.#stopped || this.#running?.index === 0) return;
    const { choices, clock } = this.#options;
    const now = clock.monotonic();
    const better = choices.slice(0, this.#running?.index ?? choices.length);
    const next = Math.min(...better.map(({ name }) => (this.#notBefore.get(name) ?? 0) - now));
    const wait = Math.max(this.#pause, next);
    this.#retry = clock.after(wait, () => this.#enqueue(() => this.#climb()));
  }

  #enqueue(change: () => Promise<void>): void {
    this.#work = this.#work.then(change).catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error) }, 'change of tier failed');
    });
  }

  #nameOf({ index }: Running): TierName {
    return (this.#options.choices[index] as TierChoice).name;
  }
}
