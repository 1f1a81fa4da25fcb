import type { Clock } from '../../base/clock.js';
import type { RootMap } from '../../base/root.js';
import type { Event } from '../../event/event.js';
import { type LoadedAddon, loadAddon } from '../addon/index.js';
import { NativeProcessSource } from './native-source.js';
import { processScanDefaults } from './options.js';
import { PsListProcessSource } from './ps-list-source.js';
import { processEvent } from './to-event.js';

export interface RunningProcessesOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
  /** For tests. */
  readonly addon?: LoadedAddon;
}

/**
 * The processes that run now, as `already_running` events: what the table of parents starts from when a sensor is used
 * that tells of changes alone. Rejects when processes cannot be read here.
 */
export async function runningProcesses(options: RunningProcessesOptions): Promise<Event[]> {
  const { root, clock, boot, addon = loadAddon() } = options;
  const source =
    addon.state === 'loaded'
      ? new NativeProcessSource(addon.addon, processScanDefaults, clock)
      : new PsListProcessSource(processScanDefaults, clock);
  const events: Event[] = [];
  await source.start({
    process: (record) => {
      if (record.type === 'running') events.push(processEvent(record, { root, boot }));
    },
    completeThrough: () => {},
    dropped: () => {},
    stalled: () => {},
    failed: () => {},
  });
  await source.stop();
  return events;
}
