import type { Micros } from '../base/time.js';
import type { Gap, Observation, SensorKind } from '../event/event.js';

/**
 * Where a sensor delivers. All calls come on the main thread, in the order in which the sensor saw things; none may
 * throw. What the agent cannot take it counts itself.
 */
export interface SensorSink {
  observe(observation: Observation): void;
  /**
   * "Everything that happened up to `time` has been observed." Never goes back; the same time again means that the sensor
   * is still at work. Detection waits for the slowest sensor (at most about 250 ms).
   */
  completeThrough(time: Micros): void;
  gap(gap: Gap): void;
  /** The sensor has ended for a reason of its own (helper died, permission lost); it will deliver nothing more. */
  failed(reason: string): void;
}

/** A place that a sensor does not see, or sees only in part. */
export interface BlindPlace {
  /** Canonical macOS path of the folder or item; a pattern where no path is known. */
  readonly place: string;
  /** Event time, microseconds, since when it is blind there. */
  readonly since: Micros;
  /** Why, in words for a reader of `status`, with the error code where there is one. */
  readonly reason: string;
}

export interface SensorHealth {
  readonly kind: SensorKind;
  readonly running: boolean;
  /** Why it runs this way: which method, what it cannot see. One line each. */
  readonly notes: readonly string[];
  /** True when this system has not what it needs, a tree without launchctl say: then it does not run, and need not. */
  readonly unavailable?: boolean;
  /** Why it sees less than it could on this system, in one sentence; absent when it works as it should. */
  readonly degraded?: string;
  /** Places that it cannot see at present, at most 100 of them; absent or empty when there are none. */
  readonly blind?: readonly BlindPlace[];
  /** Named counters since start: `observed`, `dropped`, `scans`, `read_errors`, ... */
  readonly counters: Readonly<Record<string, number>>;
}

/** A program that works for a sensor. */
export interface Helper {
  readonly name: string;
  readonly pid: number;
  /** Ends it and starts it anew; the sensor tells that as a gap, with this reason. */
  replace(reason: string): void;
}

/**
 * A source of observations. `start` resolves once the present state is known and whatever happens from then on will be
 * observed (as far as the sensor can); it rejects with a UserError when the sensor cannot run here. What existed
 * before is not an event, unless the sensor was given a remembered state to compare with. `stop` resolves after the
 * last observation has been delivered; nothing is called afterwards. Both may be called once.
 */
export interface Sensor {
  readonly kind: SensorKind;
  start(sink: SensorSink): Promise<void>;
  /**
   * Somebody waits for everything up to `time`: the sensor says `completeThrough` as soon as it has got so far, or at the
   * latest when it is asked again, which is every 50 ms while somebody waits. A running sensor is asked at least once a
   * second; who is asked nothing need not wake up, since on an idle machine wake-ups are nearly all that an agent costs.
   */
  ask(time: Micros): void;
  /**
   * A watched file changed just now: for so many milliseconds nothing may be missed, whatever it costs. A sensor that
   * looks less often while nothing happens looks as often as it can.
   */
  attend?(milliseconds: number): void;
  stop(): Promise<void>;
  health(): SensorHealth;
  /** The program that works for it at present. */
  helper?(): Helper | undefined;
}
