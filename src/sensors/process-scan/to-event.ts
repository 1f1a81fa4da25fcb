import path from 'node:path';
import type { RootMap } from '../../base/root.js';
import { formatMicros } from '../../base/time.js';
import { argumentFields, cutFields, type ProcessCutFields } from '../../event/arguments.js';
import type { ProcessFields, UserFields } from '../../event/document.js';
import type { Event } from '../../event/event.js';
import { entityId, processEventId } from '../../event/ids.js';
import type { ProcessRecord } from './source.js';

export interface ToEventContext {
  readonly root: RootMap;
  /** Identity of this boot. */
  readonly boot: string;
  /** Why its time is what it is, when that needs saying. */
  readonly reason?: string;
}

/** A start in the shape of Elastic Defend's process events on macOS; its time is the upper end of the interval. */
export function processEvent(record: ProcessRecord, context: ToEventContext): Event {
  const { root, boot } = context;
  const executable = record.executable === undefined ? undefined : root.toMac(record.executable);
  // An image is told from the next one of the same process by its path and, where that can be read, by its addresses.
  const image = `${executable ?? record.shortName}\0${record.imageKey}`;
  const id = processEventId(
    'process-scan',
    boot,
    record.pid,
    `${record.startKey} ${record.type === 'fork' ? 'fork' : 'exec'}`,
    image,
  );
  const cut = cutOf(record);
  const running = record.type === 'running' && context.reason === undefined;
  return {
    id,
    time: record.seen,
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatMicros(record.seen),
      event: {
        id,
        kind: 'event',
        category: ['process'],
        type: [running ? 'info' : 'start'],
        action: running ? 'already_running' : record.type === 'fork' ? 'fork' : 'exec',
        module: 'endpoint',
        dataset: 'endpoint.events.process',
        created: formatMicros(record.seen),
      },
      process: processFields(record, {
        root,
        executable,
        entity: entityId(boot, record.pid, record.startKey, image),
        cut,
      }),
      ...user(record),
      launchwarden: {
        sensor: {
          kind: 'process-scan',
          precision: 'interval',
          not_before: formatMicros(record.notBefore),
          ...(executable === undefined || record.argsInexact === true ? { name_inexact: true } : {}),
          ...(context.reason === undefined ? {} : { reason: context.reason }),
        },
        ...(cut === undefined ? {} : { process: cut }),
      },
    },
  };
}

/** What the event says of arguments that are not all there. */
function cutOf({ args, argsWithheld }: ProcessRecord): ProcessCutFields | undefined {
  if (args !== undefined) return cutFields(args);
  return argsWithheld === true ? { args_cut: true } : undefined;
}

interface Resolved {
  readonly root: RootMap;
  readonly executable: string | undefined;
  readonly entity: string;
  readonly cut: ProcessCutFields | undefined;
}

function processFields(record: ProcessRecord, { root, executable, entity, cut }: Resolved): ProcessFields {
  const args = record.args && {
    ...record.args,
    args: record.args.args.map((argument) => root.stripArgument(argument)),
  };
  return {
    pid: record.pid,
    entity_id: entity,
    name: executable === undefined ? record.shortName : path.posix.basename(executable),
    ...(executable === undefined ? {} : { executable }),
    ...(args === undefined ? {} : argumentFields(args)),
    ...(record.directory === undefined ? {} : { working_directory: root.toMac(record.directory) }),
    ...(record.start === undefined ? {} : { start: formatMicros(record.start) }),
    ...(record.ppid > 0 ? { parent: { pid: record.ppid } } : {}),
    ...(record.pgid === undefined || record.pgid <= 0 ? {} : { group_leader: { pid: record.pgid } }),
    ...(record.sid === undefined || record.sid <= 0 ? {} : { session_leader: { pid: record.sid } }),
    ...(cut === undefined ? {} : { Ext: { command_line_truncated: true } }),
  };
}

function user({ uid, euid, gid, egid }: ProcessRecord): { user?: UserFields; group?: UserFields } {
  const identity = (effective: number | undefined, real: number | undefined): UserFields => ({
    id: String(effective ?? real),
    ...(real === undefined ? {} : { Ext: { real: { id: String(real) } } }),
  });
  return {
    ...(uid === undefined && euid === undefined ? {} : { user: identity(euid, uid) }),
    ...(gid === undefined && egid === undefined ? {} : { group: identity(egid, gid) }),
  };
}
