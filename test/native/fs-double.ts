import type { Addon, NativeFileEventOptions, NativeFileEventSource } from '../../src/sensors/addon/index.js';
import { loadAddon } from '../../src/sensors/addon/index.js';

/** The flags of an event that mean something here (FSEvents.h). */
export const fsFlags = {
  mustScanSubDirs: 0x1,
  userDropped: 0x2,
  kernelDropped: 0x4,
  idsWrapped: 0x8,
  historyDone: 0x10,
  rootChanged: 0x20,
  mount: 0x40,
  unmount: 0x80,
  created: 0x100,
  removed: 0x200,
} as const;

export interface ScriptedFsEvent {
  readonly path: string | Buffer;
  readonly flags?: number;
  /** Decimal. */
  readonly id: string | number;
}

export interface FsScript {
  readonly openFails?: boolean;
  readonly startFails?: boolean;
  /** Events still come after the stream was closed. */
  readonly late?: boolean;
  readonly history?: string;
  readonly currentId?: string;
}

/** native/src/double/js_fs_double.cc: FSEvents that do what a test tells them. */
export interface FsDouble {
  /** On a thread of its own; returns once the handler was called for each. */
  deliver(events: readonly ScriptedFsEvent[]): void;
  /** What was called, in order. */
  calls(): string[];
}

type FsAddon = Addon & { readonly FileEventDouble: new (script?: FsScript) => FsDouble };

/** The addon with its double of FSEvents, or why there is none. */
export function addonWithFsDouble(): { readonly addon?: FsAddon; readonly reason: string } {
  const loaded = loadAddon();
  if (loaded.state !== 'loaded') return { reason: loaded.reason };
  if (!('FileEventDouble' in loaded.addon)) return { reason: 'this build has the real FSEvents' };
  return { addon: loaded.addon as FsAddon, reason: '' };
}

/** A source on a double. */
export function sourceOn(
  addon: FsAddon,
  double: FsDouble,
  options: Partial<NativeFileEventOptions> = {},
  onWake: () => void = () => {},
): NativeFileEventSource {
  const given = { paths: ['/Library', '/Users'], patterns: ['/Library/LaunchAgents'], ...options };
  return new addon.FileEventSource(given, onWake, double);
}
