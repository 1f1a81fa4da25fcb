import { hashParts } from '../base/digest.js';
import type { Micros } from '../base/time.js';
import type { SensorKind } from './event.js';

/** An identity is a hash, never a counter: the same observation gets the same id after a crash, a rescan or a replay. */

/** Of a process start: `image` is the executable, so that an exec in place is a new event of the same pid. */
export function processEventId(
  sensor: SensorKind,
  boot: string,
  pid: number,
  start: string | number,
  image: string,
): string {
  return hashParts(['process', sensor, boot, pid, start, image]);
}

/** Of a file event: `kind` is its action. `ctime` in nanoseconds as the snapshot saw it. */
export function fileEventId(
  sensor: SensorKind,
  boot: string,
  path: string,
  inode: string,
  ctimeNanos: bigint,
  kind: string,
): string {
  return hashParts(['file', sensor, boot, path, inode, ctimeNanos, kind]);
}

/** Of an event of a capture without an `event.id`: its text. */
export function capturedEventId(line: string): string {
  return hashParts(['capture', line]);
}

/** Of an alert: the rule (without its version) and the matched events in order; a missing-event step counts as empty. */
export function alertId(ruleId: string, eventIds: readonly (string | null)[]): string {
  return hashParts(['alert', ruleId, ...eventIds.map((id) => id ?? '')]);
}

/** Of the alert that counts what `max_signals` held back of a user's in the window that began at `windowStart`. */
export function summaryAlertId(ruleId: string, user: string, windowStart: Micros): string {
  return hashParts(['summary', ruleId, user, windowStart]);
}

/** `process.entity_id`: unique for one image of one process on one boot. */
export function entityId(boot: string, pid: number, start: string | number, image: string): string {
  return hashParts(['entity', boot, pid, start, image]);
}

/**
 * Of a persistent item: the mechanism and the canonical path of its file, or of the label where there is none. Volumes of
 * a Mac compare names without regard to case and composition, and so does this.
 */
export function persistentItemId(mechanism: string, pathOrLabel: string): string {
  return hashParts(['item', mechanism, pathOrLabel.normalize('NFC').toLowerCase()]);
}
