import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { openMachine } from '../../src/agent/respond-machine.js';
import { systemClock } from '../../src/base/clock.js';
import { RootMap } from '../../src/base/root.js';
import { Engine, type Machine, type Told } from '../../src/respond/index.js';
import { loadAddon } from '../../src/sensors/addon/index.js';
import { openStore, type Store } from '../../src/store/index.js';

const addon = loadAddon();
/** Undefined where responses can be tried: otherwise why not. */
export const noAddon =
  addon.state === 'loaded' && addon.addon.fileCalls !== undefined
    ? undefined
    : 'the native addon is not built';
if (noAddon !== undefined) process.stderr.write(`skipped: responses cannot be tried, ${noAddon}\n`);

export interface RespondPlace {
  readonly base: string;
  readonly root: string;
  readonly dataDir: string;
  readonly store: Store;
  readonly machine: Machine;
  readonly engine: Engine;
  readonly told: Told[];
  host(macPath: string): string;
}

/** A tree that stands for a Mac, with a data folder; all of it is removed when the test has ended. */
export function respondPlace(how: { readonly dataIn?: string } = {}): RespondPlace {
  const base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-respond-')));
  const dataBase =
    how.dataIn === undefined ? base : realpathSync(mkdtempSync(path.join(how.dataIn, 'lw-respond-')));
  onTestFinished(() => {
    for (const one of [base, dataBase]) rmSync(one, { recursive: true, force: true });
  });
  const root = path.join(base, 'root');
  const dataDir = path.join(dataBase, 'data');
  mkdirSync(path.join(root, 'Library/LaunchAgents'), { recursive: true });
  mkdirSync(path.join(root, 'Users/alice/Library/LaunchAgents'), { recursive: true });
  const store = openStore({ dataDir, clock: systemClock });
  onTestFinished(() => store.close());
  const machine = openMachine({
    root: new RootMap(root),
    clock: systemClock,
    dataDir,
    store,
    scopePid: process.pid,
    willPlace: async () => {},
  });
  const told: Told[] = [];
  const engine = new Engine({ machine, tell: async (one) => void told.push(one) });
  return { base, root, dataDir, store, machine, engine, told, host: (macPath) => path.join(root, macPath) };
}
