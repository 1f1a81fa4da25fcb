import type { Clock } from '../base/clock.js';
import type { FileCalls, RunningProcess } from '../base/file-calls.js';
import type { RootMap } from '../base/root.js';
import type { ToolAnswer } from '../base/tool.js';
import type { Evidence, Store, Version } from '../store/index.js';

/** What launchd says of one job; `unknown` is never taken for "not loaded". */
export type JobState =
  | { readonly state: 'loaded'; readonly path?: string; readonly program?: string; readonly pid?: number }
  | { readonly state: 'not-loaded' | 'no-domain' | 'unknown' };

export interface Launchd {
  /** Runs launchctl; never rejects. */
  run(args: readonly string[]): Promise<ToolAnswer>;
  /** `gui/501/com.example.x`. */
  job(target: string): Promise<JobState>;
  /** Where the job of a launch item may be loaded, the likeliest first. */
  domains(macPath: string): readonly string[];
  /** Labels of a domain; undefined when launchd's answer was not understood. */
  labels(domain: string): Promise<readonly string[] | undefined>;
}

/** Everything that a response may do to the machine, and all that it reads of it. */
export interface Machine {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly dataDir: string;
  /** Throws `respond/no-addon` where the addon is not built. */
  readonly files: FileCalls;
  readonly launchd: Launchd;
  /** What was recorded. */
  readonly events: Pick<Store['events'], 'search'>;
  /** All processes, or those of these pids, as they are now. */
  processes(pids?: readonly number[]): RunningProcess[];
  /** Why a process must never be stopped from here; undefined when it may. */
  protects(process: RunningProcess): string | undefined;
  signal(pid: number, signal: NodeJS.Signals): void;
  /** Runs pfctl; never rejects. */
  pfctl(args: readonly string[]): Promise<ToolAnswer>;
  /** A stored version and its bytes. */
  version(id: number): { readonly version: Version; readonly bytes: Evidence | undefined } | undefined;
  /** The bytes that are kept under a hash. */
  bytes(sha256: string): Evidence | undefined;
  wait(milliseconds: number): Promise<void>;
  /** Told before an object of ours appears at a place, so that nobody takes it for another's. */
  willPlace(path: string, ino: string): Promise<void>;
}
