import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../base/clock.js';
import { silentLogger } from '../base/log.js';
import type { RootMap } from '../base/root.js';
import { runTool } from '../base/tool.js';
import { loadAddon } from '../sensors/addon/index.js';
import { EndpointSecuritySensor } from '../sensors/endpoint-security/index.js';
import { ProcessScanSensor } from '../sensors/process-scan/index.js';
import { folderPrefix, type Journal, type Undo } from './journal.js';
import type { AgentView, ProveSystem, RunningProgram, StartOptions } from './system.js';
import { byHand, undoOne } from './undo.js';

export interface ThisSystemOptions {
  readonly root: RootMap;
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly person: number | undefined;
  readonly node: string;
  readonly journal: Journal;
  readonly agent: AgentView;
}

const runLimitMs = 30_000;
const maxOutput = 4 * 1024 * 1024;
const maxErrorText = 4_096;
const killAfterMs = 2_000;
const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

export interface OpenedSystem {
  readonly system: ProveSystem;
  /** Undoes everything, the newest first; gives what a person has to do by hand. Never rejects. */
  undo(): Promise<readonly string[]>;
}

/** A path of this machine by which a program of ours, or of the machine, is run. */
function programAt(program: string, { root, node }: ThisSystemOptions): string {
  return program === node ? node : root.toHost(program);
}

/** Runs programs by their macOS paths, bounded in time and output. Never rejects. */
export function programRunner(options: ThisSystemOptions, signal: AbortSignal): ProveSystem['run'] {
  return (program, args, { timeoutMs = runLimitMs, mostBytes = maxOutput } = {}) =>
    runTool(programAt(program, options), args, { timeoutMs, mostBytes, signal });
}

/** This machine, or the tree that stands for one, for one question. */
export function openSystem(options: ThisSystemOptions, signal: AbortSignal): OpenedSystem {
  const { root, platform, uid, person, node, journal, agent } = options;
  const deeds: { readonly id: number; readonly undo: Undo }[] = [];
  const programs: RunningProgram[] = [];
  const willUndo = (undo: Undo): void => {
    // Behind the end nobody would undo it.
    signal.throwIfAborted();
    const id = journal.add(undo);
    deeds.push({ id, undo });
  };
  const runner = programRunner(options, signal);
  const system: ProveSystem = {
    platform,
    simulated: root.simulated,
    uid,
    person,
    node,
    signal,
    agent,
    monotonic: () => systemClock.monotonic(),
    now: () => systemClock.now(),
    wait: async (milliseconds) => {
      await pause(milliseconds, undefined, { signal });
    },
    host: (macPath) => root.toHost(macPath),
    has: (macPath) => existsSync(macPath === node ? node : root.toHost(macPath)),
    facts(macPath) {
      const found = statSync(root.toHost(macPath), { throwIfNoEntry: false });
      return found === undefined ? undefined : { uid: found.uid, gid: found.gid, mode: found.mode & 0o7777 };
    },
    read: (macPath, mostBytes) => readBounded(root.toHost(macPath), mostBytes),
    async run(program, args, limits) {
      const answer = await runner(program, args, limits);
      // One that was killed for the end of the question is no answer.
      signal.throwIfAborted();
      return answer;
    },
    start(program, args, how = {}) {
      signal.throwIfAborted();
      const started = startProgram(programAt(program, options), args, how);
      if (started.pid > 0) willUndo({ kind: 'process', pid: started.pid, program });
      programs.push(started);
      signal.addEventListener('abort', () => void started.stop(), { once: true });
      return started;
    },
    willUndo,
    folder() {
      const base = root.toHost('/private/tmp');
      if (root.simulated) mkdirSync(base, { recursive: true });
      const folder = path.join(base, folderPrefix + randomBytes(8).toString('hex'));
      willUndo({ kind: 'folder', path: folder });
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    },
    addon: () => loadAddon(),
    sensor(kind) {
      const common = { root, clock: systemClock, logger: silentLogger, boot: 'prove' };
      return kind === 'process-scan'
        ? new ProcessScanSensor(common)
        : new EndpointSecuritySensor({ ...common, patterns: ['/Library/LaunchDaemons/*'] });
    },
  };
  return {
    system,
    async undo() {
      const left: string[] = [];
      await Promise.all(programs.map((one) => one.stop()));
      // The question's own signal may have ended it.
      const afterwards = programRunner(options, new AbortController().signal);
      for (const { id, undo } of deeds.reverse()) {
        const trouble = await undoOne(undo, afterwards);
        if (trouble === undefined) journal.done(id);
        else left.push(`${byHand(undo)}: ${trouble}`);
      }
      return left;
    },
  };
}

/** In a group of its own: eslogger leaves out what its own group does, which would be all that the question does. */
function startProgram(
  program: string,
  args: readonly string[],
  { onData, argv0 }: StartOptions,
): RunningProgram {
  const child = spawn(program, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(argv0 === undefined ? {} : { argv0 }),
    env: environment,
    cwd: '/',
    detached: true,
  });
  let errorText = '';
  let ended = false;
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => onData?.(chunk));
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    errorText = (errorText + text).slice(0, maxErrorText);
  });
  const end = new Promise<void>((resolve) => {
    const done = () => {
      ended = true;
      resolve();
    };
    child.once('close', done);
    child.once('error', (error) => {
      errorText = (errorText + error.message).slice(0, maxErrorText);
      done();
    });
  });
  return {
    pid: child.pid ?? -1,
    errorText: () => errorText,
    ended: () => ended,
    async stop() {
      if (ended) return;
      // One that could not be started has the number 0 until it says so, and by that our own group would be killed.
      if (child.pid === undefined) return end;
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      await end;
      clearTimeout(hard);
    },
  };
}

function readBounded(file: string, mostBytes: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(Math.min(mostBytes, fstatSync(fd).size));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
