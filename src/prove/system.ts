import type { Micros } from '../base/time.js';
import type { ToolAnswer } from '../base/tool.js';
import type { Gap } from '../event/event.js';
import type { LoadedAddon } from '../sensors/addon/index.js';
import type { Sensor } from '../sensors/sensor.js';
import type { Undo } from './journal.js';

export interface RunLimits {
  /** 30 s unless it says otherwise. */
  readonly timeoutMs?: number;
  /** Bytes that may be printed: 4 MiB unless it says otherwise. */
  readonly mostBytes?: number;
}

/** A program that runs beside the question. */
export interface RunningProgram {
  readonly pid: number;
  /** What it said on standard error so far, the first part. */
  readonly errorText: () => string;
  readonly ended: () => boolean;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Gets what it prints. */
  readonly onData?: (chunk: Buffer) => void;
  /** In the place of its path as the first argument. */
  readonly argv0?: string;
}

export interface FileFacts {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits alone. */
  readonly mode: number;
}

/** What the running agent tells; every part is undefined where none answers. */
export interface AgentView {
  status(): Promise<unknown>;
  /** Gap records that end after `since`, newest first. */
  gaps(since: Micros): Promise<readonly Gap[] | undefined>;
}

/**
 * Everything that a question may do to the machine. Paths are macOS paths; on a `--root` tree they lead into it. Whatever
 * is made is journaled before it is made, and undone when the question has ended, however it ended.
 */
export interface ProveSystem {
  readonly platform: NodeJS.Platform;
  /** True on a `--root` tree: stand-ins answer, and nothing is proven by it. */
  readonly simulated: boolean;
  /** Effective user id. */
  readonly uid: number;
  /** The user behind sudo; undefined when there is none. */
  readonly person: number | undefined;
  /** The Node.js executable that runs us, a path of this machine. */
  readonly node: string;
  /** Aborted when the question has to end. */
  readonly signal: AbortSignal;
  readonly agent: AgentView;
  /** Steady milliseconds. */
  monotonic(): number;
  now(): Micros;
  /** Rejects when the question has to end. */
  wait(milliseconds: number): Promise<void>;
  /** Where a macOS path stands on this machine. */
  host(macPath: string): string;
  has(macPath: string): boolean;
  facts(macPath: string): FileFacts | undefined;
  /** At most `mostBytes` of the beginning; undefined when it cannot be read. */
  read(macPath: string, mostBytes: number): Buffer | undefined;
  /** Runs a program to its end, without a shell, bounded. Rejects only when the question has to end. */
  run(program: string, args: readonly string[], limits?: RunLimits): Promise<ToolAnswer>;
  /** Starts a program in a process group of its own, with a standard input that says nothing and does not end. */
  start(program: string, args: readonly string[], how?: StartOptions): RunningProgram;
  /** Journals what has to be undone. To be called before it is done. Throws when the question has to end. */
  willUndo(undo: Undo): void;
  /** A new, empty, private folder: the path of this machine, by which the programs of the machine know it too. */
  folder(): string;
  addon(): LoadedAddon;
  /** A sensor that was not started. */
  sensor(kind: 'process-scan' | 'endpoint-security'): Sensor;
}
