import type { Gap } from '../event/event.js';
import type { SetAside } from './aside.js';

/**
 * How a database is kept: `ok` in its file; `reserve` in its file, with the room that the reserve gave back; otherwise in
 * memory until the file can be written again, because the disk is `full`, another process holds a lock (`busy`), or the
 * file cannot be opened, read or written (`refused`).
 */
export type FileState = 'ok' | 'reserve' | 'full' | 'busy' | 'refused';

/** For `status`. */
export interface StoreCondition {
  /** The worst of both files. */
  readonly state: FileState;
  /** A sentence; null when all is well. */
  readonly reason: string | null;
  /** ISO time since when; null when all is well. */
  readonly since: string | null;
  /** Alerts and events that are in memory alone. Alerts go to the destinations from there. */
  readonly held_alerts: number;
  readonly held_events: number;
  /** What did not fit into memory, since the start. */
  readonly lost_events: number;
  readonly lost_evidence: number;
  readonly files: Readonly<Record<string, { readonly state: FileState; readonly reason: string | null }>>;
  /** Damaged databases that stand beside the ones in use, the newest first. */
  readonly set_aside: readonly SetAside[];
}

/** Something that happened to the store and is to be told like a gap of observation. */
export type StoreNotice = Omit<Gap, 'sensor'> & {
  readonly reason: 'store-damaged' | 'store-lost' | 'store-refused' | 'overflow';
};
