import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../base/errors.js';
import type { FileCalls, RunningProcess } from '../../base/file-calls.js';

/** The addon's own surface (native/src/addon.cc). Only this folder knows where it is and what crosses. */
export interface Addon {
  readonly ProcessScanner: new (options: NativeScannerOptions, onWake: () => void) => NativeScanner;
  readonly EndpointSecurityClient: new (
    options: NativeEsOptions,
    onWake: () => void,
    /** An `EndpointSecurityDouble`, which builds for other systems than macOS have. */
    double?: object,
  ) => NativeEsClient;
  readonly FileEventSource: new (
    options: NativeFileEventOptions,
    onWake: () => void,
    /** A `FileEventDouble`, which builds for other systems than macOS have. */
    double?: object,
  ) => NativeFileEventSource;
  /** Absent in builds of versions before these. */
  readonly fileCalls?: FileCalls;
  /** All processes, or those of the pids that are given, as they are now; what has ended is left out. */
  readonly processes?: (pids?: readonly number[]) => RunningProcess[];
  /**
   * The processes that hold one of these files, or its folder, open; looks at most `budgetUs` microseconds long, on a thread
   * of its own. Absolute paths of this machine, free of links, sixteen at most.
   */
  readonly findHolders?: (paths: readonly string[], budgetUs: number) => Promise<NativeHolders>;
  /**
   * On macOS: writes a line to the unified log. `category`: at most 40 bytes; `kind`: 0 shown, 1 an error, 2 a fault; `text`:
   * at most 1,000 bytes of one line.
   */
  readonly unifiedLog?: (category: string, kind: number, text: string) => void;
  /** On macOS: the mounted volumes with the type of their file system, without waiting for any of them. */
  readonly mountedVolumes?: () => readonly { path: string; type: string; local: boolean }[];
}

export interface NativeHolders {
  readonly holders: readonly {
    /** Index of the path. */
    readonly path: number;
    readonly pid: number;
    /** `write`: it may write the file. `read`: it has it open. `folder`: it has the folder open, or works in it. */
    readonly how: 'write' | 'read' | 'folder';
    readonly executable: string;
    readonly uid: number;
  }[];
  /** Not all processes were looked at in time. */
  readonly cut: boolean;
  readonly tookUs: number;
}

export interface NativeFileEventOptions {
  /** What the stream is opened on for its whole life; the paths need not exist. */
  readonly paths: readonly string[];
  /** Which places matter: whole components, `*` for any one. What is on the way to them, or below them, is reported too. */
  readonly patterns: readonly string[];
  /** Id, in decimal, after which events come again from the volumes' history. */
  readonly since?: string;
  readonly queueBytes?: number;
}

/** FSEvents. `onWake` as for `NativeScanner`. Ids are decimal texts, since they may exceed 2^53. */
export interface NativeFileEventSource {
  /** Undefined when the stream runs, else why it does not. */
  start(): string | undefined;
  /** What was received can still be taken. */
  stop(): void;
  /** Records of kind 48: the flags (`FsFlag` of native/src/fsevents/fs_api.h); id and path. */
  take(): Uint8Array | undefined;
  /** Asks for what happened and was not delivered yet: the id up to which it then comes, `0` when there is none. */
  flush(): string;
  /** The newest id of the system. */
  currentId(): string;
  /** Which history the volume of a path has; empty when it has none. Ids mean nothing to another one. */
  history(path: string): string;
  counters(): Record<string, number>;
}

export interface NativeEsOptions {
  /** Indices into `esKinds`. */
  readonly processKinds: readonly number[];
  readonly fileKinds: readonly number[];
  /** Where file events are wanted. */
  readonly prefixes: readonly string[];
  readonly literals: readonly string[];
  readonly queueBytes?: number;
}

/** To be used from the thread that made it. `onWake` as for `NativeScanner`. */
export interface NativeEsClient {
  /** An EsResult of native/src/es/es_api.h; 0 is success. */
  start(): number;
  /** False when the system refused one of them. */
  setTargets(prefixes: readonly string[], literals: readonly string[]): boolean;
  /** False when a client could not be closed. What was received can still be taken. */
  stop(): boolean;
  take(): Uint8Array | undefined;
  /** `unknown_type_N`: messages of type N (es_event_type_t), which is not known here; of the first few such types. */
  counters(): Record<string, number>;
}

export interface NativeScannerOptions {
  /** Microseconds between two looks (200 to 10,000,000); the same after a second without a birth; and at most. */
  readonly periodUs?: number;
  readonly quietPeriodUs?: number;
  readonly longestPeriodUs?: number;
  /** Share of one core above which the period is stretched. */
  readonly cpuShare?: number;
  /** Bytes of records that wait for JavaScript; what comes beyond is dropped and counted. */
  readonly queueBytes?: number;
}

/** `onWake` is called once when there is something to take; it must take until nothing is left. */
export interface NativeScanner {
  /** Undefined when the thread runs, else why it does not. */
  start(): string | undefined;
  /** Ends the thread; false when it hangs and was left to itself. What it found can still be taken. */
  stop(): boolean;
  /** Takes a look now; `onWake` is called when it is complete, also when it found nothing. */
  hurry(): void;
  /** Looks at the full rate for so many microseconds, whether or not processes are born. */
  attend(microseconds: number): void;
  /** The oldest batch of packed records (`unpack.ts`). */
  take(): Uint8Array | undefined;
  /** Microseconds since 1970. */
  completeThrough(): number;
  counters(): Record<string, number>;
}

export type LoadedAddon =
  /** `passedOver`: a sentence for each file that was tried before it and does not work. */
  | { readonly state: 'loaded'; readonly addon: Addon; readonly passedOver?: readonly string[] }
  /** Not built for this machine: the agent works without it. */
  | { readonly state: 'absent'; readonly reason: string }
  /** There, and unusable: wrong architecture, half written, too old. Never taken for absent. */
  | { readonly state: 'broken'; readonly reason: string };

/** What every build of this version has; an older one lacks the newest. */
const classes = ['ProcessScanner', 'EndpointSecurityClient', 'FileEventSource'] as const;

const buildHint =
  'run "node scripts/build.mjs --native" in the program\'s folder (it needs a C++ compiler, make and python3)';

function packageFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      const manifest = readFileSync(path.join(folder, 'package.json'), 'utf8');
      if ((JSON.parse(manifest) as { name?: unknown }).name === 'launchwarden') return folder;
    } catch {
      // Not this folder.
    }
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('package.json of launchwarden not found');
    folder = parent;
  }
}

/** Where the addon may be: built here, or delivered with a release. */
export function addonPaths(): readonly string[] {
  const folder = packageFolder();
  return [
    path.join(folder, 'native', 'build', 'Release', 'launchwarden.node'),
    path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`, 'launchwarden.node'),
  ];
}

/**
 * Loads the first addon that works; `paths` only for tests. A file of another system or version is passed over for the
 * next one, and named. Node.js keeps what it has loaded, so that a second call costs nothing.
 */
export function loadAddon(paths: readonly string[] = addonPaths()): LoadedAddon {
  const passedOver: string[] = [];
  for (const file of paths) {
    if (!existsSync(file)) continue;
    try {
      const addon = createRequire(import.meta.url)(file) as Partial<Addon>;
      if (classes.every((name) => typeof addon[name] === 'function'))
        return { state: 'loaded', addon: addon as Addon, passedOver };
      passedOver.push(`${file} is of another version of launchwarden: build it again`);
    } catch (error) {
      passedOver.push(`${file} cannot be loaded: ${messageOf(error)}`);
    }
  }
  return passedOver.length === 0
    ? { state: 'absent', reason: `the native addon is not built for this machine: ${buildHint}` }
    : { state: 'broken', reason: passedOver.join('; ') };
}

/** What became of the addon, for people: `passed_over` names each file that was tried and does not work. */
export function addonCondition(loaded: LoadedAddon = loadAddon()): {
  readonly state: LoadedAddon['state'];
  readonly reason?: string;
  readonly passed_over: readonly string[];
} {
  const { state } = loaded;
  if (state === 'loaded') return { state, passed_over: loaded.passedOver ?? [] };
  return { state, reason: loaded.reason, passed_over: [] };
}
