import type { Micros } from '../../base/time.js';
import type { KeptArguments } from '../../event/arguments.js';

/** A process as a scanner saw it. Paths are this machine's; what could not be read is absent. */
export interface ProcessRecord {
  /**
   * `running`: was there at the first look. `exec`: runs a program that it was not seen with before. `fork`: still runs
   * its parent's program some time after its birth.
   */
  readonly type: 'running' | 'exec' | 'fork';
  readonly pid: number;
  readonly ppid: number;
  readonly pgid?: number;
  readonly sid?: number;
  /** Its start in the platform's own unit, as text: with the pid, the identity of a process on one boot. */
  readonly startKey: string;
  /** Differs between two images of one process; empty when that cannot be told. */
  readonly imageKey: string;
  readonly start?: Micros;
  /** It ran this image at `seen`, and had not been seen to at `notBefore`. */
  readonly notBefore: Micros;
  readonly seen: Micros;
  readonly uid?: number;
  readonly euid?: number;
  readonly gid?: number;
  readonly egid?: number;
  /** The real path of the image. */
  readonly executable?: string;
  /** The kernel's own name of it: short, and under the process's control. */
  readonly shortName: string;
  readonly args?: KeptArguments;
  /** True when the system does not give the arguments out, because there are too many. */
  readonly argsWithheld?: boolean;
  /** True when `args` were taken apart at blanks, because only the joined line could be had. */
  readonly argsInexact?: boolean;
  readonly directory?: string;
}

export interface ProcessSourceSink {
  process(record: ProcessRecord): void;
  /** No later record has a `seen` up to `time`. */
  completeThrough(time: Micros): void;
  dropped(count: number): void;
  /** Nothing has been looked at since `time`: somebody makes a read hang. Told once for each such stretch. */
  stalled(time: Micros): void;
  failed(reason: string): void;
}

/** A way to learn of processes: the native scanner, or the fallback. */
export interface ProcessSource {
  /** Resolves once all running processes have been delivered; rejects with the reason when it cannot work here. */
  start(sink: ProcessSourceSink): Promise<void>;
  /** As `Sensor.ask` and `Sensor.attend`. */
  ask(time: Micros): void;
  attend?(milliseconds: number): void;
  /** Resolves after the last record. */
  stop(): Promise<void>;
  /** How it works and what it cannot see, one line each. */
  notes(): readonly string[];
  counters(): Readonly<Record<string, number>>;
}
