import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import type { FileCalls, RunningProcess } from '../base/file-calls.js';
import type { RootMap } from '../base/root.js';
import { runTool, type ToolAnswer } from '../base/tool.js';
import type { JobState, Launchd, Machine } from '../respond/index.js';
import { type Addon, loadAddon } from '../sensors/addon/index.js';
import {
  consoleUser,
  domainsOf,
  homeOwners,
  readDomain,
  readService,
} from '../sensors/launchd-state/index.js';
import type { Store } from '../store/index.js';

const launchctl = '/bin/launchctl';
const pfctl = '/sbin/pfctl';
const timeoutMs = 10_000;
const mostBytes = 4 * 1024 * 1024;
/** Users whose sessions are asked about. */
const mostUsers = 16;
const buildHint =
  'Run "node scripts/build.mjs --native" in the program\'s folder (it needs a C++ compiler, make and python3).';

/** Without these nobody can work at a Mac, or it restarts. */
const vital =
  /^\/(?:sbin\/launchd|usr\/libexec\/(?:logd|opendirectoryd)|System\/Library\/CoreServices\/loginwindow\.app\/.*|System\/Library\/PrivateFrameworks\/SkyLight\.framework\/.*)$/;

export interface MachineOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly store: Pick<Store, 'versions' | 'evidence' | 'events'>;
  /** On a `--root` tree: only processes below this one, and programs that stand in the tree, may be ended. */
  readonly scopePid?: number | undefined;
  readonly willPlace: Machine['willPlace'];
}

/** This machine, or the tree that stands for one. */
export function openMachine(options: MachineOptions): Machine {
  const { root, clock, dataDir, store, scopePid, willPlace } = options;
  const processes = (pids?: readonly number[]): RunningProcess[] => {
    const read = addonOf().processes;
    if (read === undefined) throw noAddon('it is of another version of launchwarden');
    return pids === undefined ? read() : read(pids);
  };
  const agent = agentPid(dataDir);
  return {
    root,
    clock,
    dataDir,
    get files() {
      return filesOf();
    },
    launchd: launchdOf(root),
    events: store.events,
    processes,
    protects(one) {
      if (one.pid <= 1) return 'is the first process of the system';
      if (one.pid === agent) return 'is the agent itself';
      const all = processes();
      if (lineOf(process.pid, all).has(one.pid)) return 'is launchwarden itself, or runs it';
      if (root.simulated) return outsideOf(one, { root, scopePid, all });
      return vital.test(one.executable ?? '') ? 'is part of macOS that every user needs' : undefined;
    },
    signal: (pid, signal) => void process.kill(pid, signal),
    pfctl: (args) => run(root.toHost(pfctl), args),
    version(id) {
      const version = store.versions.get(id);
      if (version === undefined) return undefined;
      const bytes = version.sha256 === undefined ? undefined : store.evidence.get(version.sha256);
      return { version, bytes };
    },
    bytes: (sha256) => store.evidence.get(sha256),
    wait: async (milliseconds) => {
      await wait(milliseconds);
    },
    willPlace,
  };
}

function run(program: string, args: readonly string[]): Promise<ToolAnswer> {
  return runTool(program, args, { timeoutMs, mostBytes, signal: new AbortController().signal });
}

function launchdOf(root: RootMap): Launchd {
  const call = (args: readonly string[]) => run(root.toHost(launchctl), args);
  return {
    run: call,
    async job(target): Promise<JobState> {
      const answer = readService(await call(['print', target]), target);
      if (answer.state !== 'loaded') return answer;
      const { path: from, program, pid } = answer.facts;
      return {
        state: 'loaded',
        ...(from === undefined ? {} : { path: from }),
        ...(program === undefined ? {} : { program }),
        ...(pid === undefined || pid <= 1 ? {} : { pid }),
      };
    },
    domains(macPath) {
      const atScreen = consoleUser(root);
      const users = [...(atScreen === undefined ? [] : [atScreen]), ...homeOwners(root, mostUsers)];
      return [...new Set(domainsOf(macPath, users, root))];
    },
    async labels(domain) {
      const answer = readDomain(await call(['print', domain]));
      return answer === undefined ? undefined : [...answer.labels.keys()];
    },
  };
}

function addonOf(): Addon {
  const loaded = loadAddon();
  if (loaded.state === 'loaded') return loaded.addon;
  throw noAddon(loaded.reason);
}

function filesOf(): FileCalls {
  const { fileCalls } = addonOf();
  if (fileCalls === undefined) throw noAddon('it is of another version of launchwarden');
  return fileCalls;
}

function noAddon(reason: string): UserError {
  return new UserError('respond/no-addon', `a response needs the native addon: ${reason}`, {
    hint: buildHint,
  });
}

/** Of the agent that holds the data folder; undefined when none does. */
function agentPid(dataDir: string): number | undefined {
  try {
    const text = readFileSync(path.join(dataDir, 'agent.pid'), 'latin1').slice(0, 20).trim();
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** A process with its parents. */
function lineOf(pid: number, all: readonly RunningProcess[]): ReadonlySet<number> {
  const parents = new Map(all.map((one) => [one.pid, one.ppid]));
  const line = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !line.has(at); at = parents.get(at))
    line.add(at);
  return line;
}

/** Why a process does not belong to the tree. */
function outsideOf(
  one: RunningProcess,
  how: {
    readonly root: RootMap;
    readonly scopePid: number | undefined;
    readonly all: readonly RunningProcess[];
  },
): string | undefined {
  const { root, scopePid, all } = how;
  if (one.executable !== undefined && root.contains(one.executable)) return undefined;
  if (scopePid === undefined)
    return 'does not belong to the tree of --root (--root-scope names the process above its own)';
  const line = lineOf(one.pid, all);
  const near = [one.pgid, one.sid].flatMap((pid) => [...lineOf(pid, all)]);
  return one.pid !== scopePid && (line.has(scopePid) || near.includes(scopePid))
    ? undefined
    : 'is outside of --root-scope';
}
