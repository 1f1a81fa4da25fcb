import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/base/clock.js';
import { openStore, type Store, type StoreOptions } from '../../../src/store/index.js';
import { start } from './sample-data.js';

export * from './sample-data.js';

/** A clock that stands until it is moved; timers never ring. */
export function standingClock(): Clock & { time: number } {
  const none = { cancel() {} };
  return {
    time: start,
    now() {
      return this.time;
    },
    monotonic() {
      return this.time / 1000;
    },
    after: () => none,
    every: () => none,
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'launchwarden-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function temporaryStore(options: Partial<StoreOptions> = {}): Store {
  const dataDir = options.dataDir ?? path.join(temporaryFolder(), 'data');
  const store = openStore({ clock: standingClock(), ...options, dataDir });
  onTestFinished(() => store.close());
  return store;
}
