import path from 'node:path';
import { formatMicros } from '../../base/time.js';
import type { FileFields, LaunchwardenFields } from '../../event/document.js';
import type { Event } from '../../event/event.js';
import type { Snapshot } from './snapshot.js';
import type { Item } from './tree.js';

export type FileAction = 'modification' | 'rename' | 'deletion';

/** Nanoseconds since 1970 as an event's time. */
export function splitNanos(time: bigint): { time: number; nanos: number } {
  return { time: Number(time / 1000n), nanos: Number(time % 1000n) };
}

export function formatNanos(time: bigint): string {
  const { time: micros, nanos } = splitNanos(time);
  return formatMicros(micros, nanos);
}

function extensionOf(name: string): string | undefined {
  const extension = path.posix.extname(name).slice(1).toLowerCase();
  return extension === '' ? undefined : extension;
}

function nameFields(macPath: string): FileFields {
  const name = path.posix.basename(macPath);
  const extension = extensionOf(name);
  return { path: macPath, name, ...(extension === undefined ? {} : { extension }) };
}

/** `file.*` of an item as it was last looked at. */
function fileFields(item: Item, original: string | undefined): FileFields {
  const { snapshot } = item;
  const originalExtension = original === undefined ? undefined : extensionOf(original);
  const ext = {
    ...(original === undefined
      ? {}
      : {
          original: {
            path: original,
            ...(originalExtension === undefined ? {} : { extension: originalExtension }),
          },
        }),
    ...(item.header === undefined ? {} : { header_bytes: item.header }),
  };
  return {
    ...nameFields(item.path),
    size: snapshot.size,
    inode: snapshot.inode,
    type: snapshot.type,
    mode: snapshot.mode.toString(8).padStart(4, '0'),
    uid: String(snapshot.uid),
    gid: String(snapshot.gid),
    ctime: formatNanos(snapshot.ctime),
    mtime: formatNanos(snapshot.mtime),
    ...(snapshot.birth === 0n ? {} : { created: formatNanos(snapshot.birth) }),
    ...(item.link === undefined ? {} : { target_path: item.link }),
    ...(item.sha256 === undefined ? {} : { hash: { sha256: item.sha256 } }),
    ...(Object.keys(ext).length === 0 ? {} : { Ext: ext }),
  };
}

/** Of what a link leads to: never anything of its content. */
function targetFields({ type, mode, uid, gid }: Snapshot): NonNullable<LaunchwardenFields['target']> {
  return { type, mode: mode.toString(8).padStart(4, '0'), uid: String(uid), gid: String(gid) };
}

export interface FileEventFacts {
  readonly id: string;
  readonly action: FileAction;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** The look before it, nanoseconds, when all that is known is that it happened in between. */
  readonly notBefore?: bigint | undefined;
  /** The item, or the path alone of what was gone before it could be looked at. */
  readonly subject: Item | string;
  readonly original?: string | undefined;
  readonly findings: readonly string[];
}

/** A file event in Elastic Defend's macOS shape, as far as a file watcher knows: no process, no user. */
export function fileEvent(facts: FileEventFacts): Event {
  const { subject, action, findings, notBefore } = facts;
  return {
    id: facts.id,
    ...splitNanos(facts.time),
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatNanos(facts.time),
      event: {
        id: facts.id,
        category: ['file'],
        type: [action === 'deletion' ? 'deletion' : 'change'],
        action,
      },
      file: typeof subject === 'string' ? nameFields(subject) : fileFields(subject, facts.original),
      launchwarden: {
        sensor: {
          kind: 'file-watch',
          precision: notBefore === undefined ? 'exact' : 'interval',
          ...(notBefore === undefined ? {} : { not_before: formatNanos(notBefore) }),
        },
        ...(findings.length === 0 ? {} : { findings: [...findings] }),
        ...(typeof subject === 'string' || subject.leadsTo === undefined
          ? {}
          : { target: targetFields(subject.leadsTo) }),
      },
    },
  };
}
