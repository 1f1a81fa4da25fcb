import type { RootMap } from '../base/root.js';
import { type LoadedAddon, loadAddon } from '../sensors/addon/index.js';
import {
  type FileEventMark,
  type FileWatchSensorOptions,
  fileEventsRefused,
  restlessLimits,
} from '../sensors/file-watch/index.js';

/** What wakes the file watcher. */
export type Waking = Pick<FileWatchSensorOptions, 'events' | 'restless' | 'limits'>;

/** libuv's file events of macOS: they are lost now and then, so that more is polled. */
const libuv: Waking = { restless: true, limits: restlessLimits };

export interface WakingChoice {
  readonly root: RootMap;
  readonly platform: NodeJS.Platform;
  /** Where the history of file events goes on, as `markText` wrote it. */
  readonly since: string | undefined;
  readonly addon?: LoadedAddon;
}

/** The ways to be woken on this system, best first. */
export function wakingOptions({ root, platform, since, addon = loadAddon() }: WakingChoice): Waking[] {
  if (platform !== 'darwin') return [{}];
  if (root.simulated || addon.state !== 'loaded') return [libuv];
  return [{ events: { addon: addon.addon, since: readMark(since) } }, libuv];
}

/** True when the next way should be tried. */
export function isRefused(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === fileEventsRefused;
}

export function markText({ id, history }: FileEventMark): string {
  return `${history} ${id}`;
}

function readMark(text: string | undefined): FileEventMark | undefined {
  const [, history, id] = /^(\S+) ([0-9]{1,20})$/.exec(text ?? '') ?? [];
  return history === undefined || id === undefined ? undefined : { history, id };
}
