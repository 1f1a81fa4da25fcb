import { accessSync, constants } from 'node:fs';
import { offBySettings, preflight, probeSensors, requestControl } from '../agent/index.js';
import type { Clock } from '../base/clock.js';
import { messageOf, UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import { runTool } from '../base/tool.js';
import type { Settings } from '../config/index.js';
import type { System } from '../install/index.js';
import { openStore } from '../store/index.js';
import type { AgentAnswer, DoctorSystem } from './system.js';

export interface DoctorOptions {
  readonly platform: NodeJS.Platform;
  /** `--root`, links resolved, where it was given. */
  readonly root: string | undefined;
  /** Where the data stand, as far as that can be told of settings that cannot be read. */
  readonly dataDir: string;
  readonly settings: Settings | UserError;
  readonly version: string;
  readonly clock: Clock;
  readonly program: DoctorSystem['program'];
  readonly install: System;
  readonly network: boolean;
}

const runLimits = { timeoutMs: 15_000, mostBytes: 32 * 1024 * 1024 };
const answerMs = 5_000;

/** This machine, or the tree that stands for one. */
export function openDoctor(options: DoctorOptions): DoctorSystem {
  const { platform, settings, dataDir, version, clock, program, install, network } = options;
  const read = settings instanceof UserError ? undefined : settings;
  const root = new RootMap(read?.root ?? options.root);
  let answer: Promise<AgentAnswer> | undefined;
  return {
    platform,
    uid: install.uid,
    root,
    settings: settings instanceof UserError ? { problem: settings } : { read: settings },
    dataDir,
    version,
    clock,
    program,
    install,
    network,
    agent() {
      answer ??= ask(dataDir);
      return answer;
    },
    async withStore(use) {
      const store = openStore({ dataDir, readOnly: true, clock });
      try {
        return use(store);
      } finally {
        store.close();
      }
    },
    has(macPath) {
      try {
        accessSync(root.toHost(macPath), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    },
    run: (macPath, args) =>
      runTool(root.toHost(macPath), args, { ...runLimits, signal: new AbortController().signal }),
    async probeSensors(known) {
      const { tier } = await probeSensors(known, clock);
      return { tier: tier.running, reason: tier.reason };
    },
    async preflight(known) {
      const asRoot = platform === 'darwin' && known.root === undefined && install.uid === 0;
      const problems = await preflight({ settings: known, system: install, version, clock, asRoot });
      const { all, reasons } = offBySettings(known, clock.now());
      return [
        ...problems.map(({ stops, code, message, hint }) => ({
          stops,
          line: `${message.split('\n')[0]} [${code}]${hint === undefined ? '' : `. ${hint}`}`,
        })),
        ...(all === undefined ? reasons : [all]).map((line) => ({ stops: all !== undefined, line })),
      ];
    },
  };
}

async function ask(dataDir: string): Promise<AgentAnswer> {
  try {
    const reply = await requestControl(dataDir, { op: 'status' }, answerMs);
    return reply === undefined ? { state: 'none' } : { state: 'runs', status: reply.result };
  } catch (error) {
    return { state: 'silent', reason: messageOf(error) };
  }
}
