import { things } from '../../base/count.js';
import { formatMicros } from '../../base/time.js';
import type { Alert } from '../../event/alert.js';
import type { Store, Version } from '../../store/index.js';
import { eventsAround, timelineOf, versionsOf } from './bundle.js';

/** How much of a bundle fits into one document. */
export interface EscalationSize {
  /** JSON text of all of it. */
  readonly maxBytes: number;
}

const maxTimeline = 300;
const maxVersions = 50;
const maxSays = 500;

/**
 * The bundle of an alert as a part of one document: timeline, answers, what is known of its files, and as many of their
 * bytes as there is room for, the smallest first. What is left out is said; `collect` has it all.
 */
export function escalationBundle(
  store: Pick<Store, 'events' | 'evidence' | 'versions' | 'investigations'>,
  alert: Alert,
  { maxBytes }: EscalationSize,
): Record<string, unknown> {
  const leftOut: string[] = [];
  const all = timelineOf(alert, eventsAround(store, alert).events);
  const timeline = nearest(all, alert.time).map((one) => ({ ...one, says: one.says.slice(0, maxSays) }));
  if (timeline.length < all.length)
    leftOut.push(
      `${things(all.length - timeline.length, 'line of the timeline that lies', 'lines of the timeline that lie')} farther from the alert`,
    );
  const investigation = store.investigations.get(alert.id);
  const versions = versionsOf(store, alert, maxVersions);
  const bundle: Record<string, unknown> = {
    timeline,
    ...(investigation === undefined
      ? {}
      : { investigation: { ...investigation, time: formatMicros(investigation.time) } }),
    versions: versions.map(({ path, kind, sha256, size, time, owner, uid, kept }) => ({
      path,
      kind,
      sha256,
      size,
      time: formatMicros(time),
      owner: owner ?? String(uid),
      kept,
    })),
  };
  if (sizeOf(bundle) > maxBytes) {
    bundle['timeline'] = nearest(timeline, alert.time, 20);
    delete bundle['investigation'];
    leftOut.push('most of the timeline and the answers of the investigation, for want of room');
  }
  const room = maxBytes - sizeOf(bundle);
  const evidence = bytesWithin(store, versions, room);
  if (evidence.files.length > 0) bundle['evidence'] = evidence.files;
  leftOut.push(...evidence.leftOut);
  if (leftOut.length > 0) bundle['left_out'] = leftOut.slice(0, 20);
  return bundle;
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function nearest<T extends { readonly time: string }>(
  lines: readonly T[],
  time: number,
  most = maxTimeline,
): T[] {
  if (lines.length <= most) return [...lines];
  const after = lines.findIndex((line) => line.time >= formatMicros(time));
  const from = Math.max(0, Math.min(lines.length - most, (after === -1 ? lines.length : after) - most / 2));
  return lines.slice(from, from + most);
}

function bytesWithin(
  store: Pick<Store, 'evidence'>,
  versions: readonly Version[],
  room: number,
): { readonly files: readonly object[]; readonly leftOut: readonly string[] } {
  const files: object[] = [];
  const leftOut: string[] = [];
  const seen = new Set<string>();
  let left = room;
  for (const { sha256, path, size, kept } of [...versions].sort((a, b) => a.size - b.size)) {
    if (sha256 === undefined || kept === 'none' || seen.has(sha256)) continue;
    seen.add(sha256);
    // Base64 takes a third more.
    const needs = Math.ceil((Math.min(size, room) * 4) / 3) + 512 + path.length;
    const read = needs > left ? undefined : store.evidence.read(sha256);
    if (read === undefined) leftOut.push(`the bytes of ${path}, for want of room`);
    else if (read.state !== 'kept') leftOut.push(`the bytes of ${path}: ${read.state}`);
    else {
      const base64 = Buffer.from(read.content.bytes).toString('base64');
      files.push({ path, sha256, truncated: read.content.truncated, base64 });
      left -= base64.length + 512 + path.length;
    }
  }
  return { files, leftOut };
}
