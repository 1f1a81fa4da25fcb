import path from 'node:path';
import type { RootMap } from '../../base/root.js';
import { formatMicros } from '../../base/time.js';
import { argumentFields } from '../../event/arguments.js';
import type { EcsDocument, FileFields, ProcessFields } from '../../event/document.js';
import type { SensorKind } from '../../event/event.js';
import { entityId } from '../../event/ids.js';
import { codeSignature } from './code-signature.js';
import type { EsFile, EsMessage, EsProcess, EsToken } from './message.js';

export interface DocumentContext {
  readonly sensor: Extract<SensorKind, 'endpoint-security' | 'eslogger'>;
  readonly root: RootMap;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
}

const maxIds = 4_096;

/** `process.entity_id` of (pid, pidversion): hashed once for as long as a process is in use. */
export class EntityIds {
  readonly #boot: string;
  readonly #ids = new Map<number, string>();

  constructor(boot: string) {
    this.#boot = boot;
  }

  of({ pid, pidversion }: EsToken): string {
    // Pids have 17 bits, versions 32: exact in a double.
    const key = pidversion * 0x20000 + pid;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = entityId(this.#boot, pid, pidversion, '');
    if (this.#ids.size >= maxIds) this.#ids.clear();
    this.#ids.set(key, id);
    return id;
  }
}

/** What every event of a message says: when, by whom, on whose behalf. */
export function baseDocument(message: EsMessage, context: DocumentContext, ids: EntityIds): EcsDocument {
  const actor = message.instigator ?? message.process;
  const { responsible } = actor;
  const another =
    responsible !== undefined &&
    responsible.pid > 0 &&
    (responsible.pid !== actor.pid || responsible.pidversion !== actor.pidversion);
  const effective = another ? { pid: responsible.pid, entity_id: ids.of(responsible) } : undefined;
  const isProcess = message.kind === 'exec' || message.kind === 'fork' || message.kind === 'exit';
  return {
    '@timestamp': formatMicros(message.time, message.nanos),
    process: {
      ...processFields(actor, context.root, ids),
      ...(effective === undefined || !isProcess ? {} : { Ext: { effective_parent: effective } }),
    },
    user: { id: String(actor.euid), Ext: { real: { id: String(actor.ruid) } } },
    group: { id: String(actor.egid) },
    ...(effective === undefined || isProcess ? {} : { Effective_process: effective }),
    launchwarden: { sensor: { kind: context.sensor, precision: 'exact' } },
  };
}

/** `process.*` of one process, as the kernel knows it: without its arguments. */
export function processFields(process: EsProcess, root: RootMap, ids: EntityIds): ProcessFields {
  const executable = root.toMac(process.executable);
  const parentPid = process.parent?.pid ?? process.ppid;
  return {
    pid: process.pid,
    entity_id: ids.of(process),
    ...(process.executable === ''
      ? {}
      : { name: path.posix.basename(executable), executable, code_signature: codeSignature(process) }),
    ...(process.start === undefined ? {} : { start: formatMicros(process.start) }),
    ...(parentPid > 0
      ? {
          parent: {
            pid: parentPid,
            ...(process.parent === undefined ? {} : { entity_id: ids.of(process.parent) }),
          },
        }
      : {}),
    ...(process.group > 0 ? { group_leader: { pid: process.group } } : {}),
    ...(process.session > 0 ? { session_leader: { pid: process.session } } : {}),
  };
}

/** `process.*` of an exec: the arguments, the working folder and the script, if one was started. */
export function execFields(message: EsMessage, root: RootMap): ProcessFields {
  const { exec } = message;
  if (exec === undefined) return {};
  const args = exec.arguments.args.map((argument) => root.stripArgument(argument));
  return {
    ...argumentFields({ ...exec.arguments, args }),
    ...(exec.directory === undefined ? {} : { working_directory: root.toMac(exec.directory) }),
  };
}

/** A wait(2) word as a shell shows it: the exit code, or 128 and the signal. */
export function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

const types: readonly (readonly [number, string])[] = [
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'device'],
  [0o060000, 'device'],
];

/** `file.*` of a path and, where it is known, its stat. */
export function fileFields(file: EsFile, root: RootMap): FileFields {
  const macPath = root.toMac(file.path);
  const name = path.posix.basename(macPath);
  const extension = path.posix.extname(name).slice(1).toLowerCase();
  const { stat } = file;
  const type = types.find(([bits]) => bits === ((stat?.mode ?? 0) & 0o170000))?.[1];
  return {
    path: macPath,
    name,
    ...(extension === '' ? {} : { extension }),
    ...(stat === undefined
      ? {}
      : {
          size: stat.size,
          inode: stat.inode,
          ...(type === undefined ? {} : { type }),
          mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
          uid: String(stat.uid),
          gid: String(stat.gid),
          ...(stat.changed === 0 ? {} : { ctime: formatMicros(stat.changed) }),
        }),
  };
}
