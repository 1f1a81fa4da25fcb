import type { Micros } from '../../base/time.js';
import type { KeptArguments } from '../../event/arguments.js';

/**
 * What EndpointSecurity tells, as the addon packs it and as eslogger prints it: one shape, so that one normaliser makes
 * the events of both. What a message does not have (an older version, a null pointer) is absent.
 */
export interface EsMessage {
  readonly kind: EsKind;
  /** Message version, 6 (macOS 13) to 11; older ones are read too. */
  readonly version: number;
  readonly time: Micros;
  /** Nanoseconds below `time`, 0 to 999. */
  readonly nanos: number;
  /** Who did it; of `exec` the new image, of `fork` the child. */
  readonly process: EsProcess;
  /** Of `exec` the image before it, of `fork` the process that forked. */
  readonly actor?: EsProcess;
  /** On whose behalf: background task management. Who begins to serve: `bootstrap_check_in`. */
  readonly instigator?: EsProcess;
  readonly file?: EsFile;
  /** The source of a rename, link, clone or copy; the second file of an exchange. */
  readonly other?: EsFile;
  readonly exec?: EsExec;
  /** wait(2) word of `exit`. */
  readonly exitStatus?: number;
  readonly modified?: boolean;
  readonly mappedWritable?: boolean;
  /** New permission bits of `setmode`. */
  readonly mode?: number;
  /** Extended attribute of `setextattr` and `deleteextattr`. */
  readonly attribute?: string;
  readonly mountFrom?: string;
  readonly item?: EsLaunchItem;
  /** Of `bootstrap_check_in`: the name that the Mach service is looked up by. */
  readonly service?: string;
}

/** The newest message version whose fields are known (macOS 27). */
export const newestVersion = 11;

const imageKinds = ['exec', 'fork', 'exit'] as const;
const itemKinds = ['btm_launch_item_add', 'btm_launch_item_remove'] as const;
/** What changes a file. */
export const fileKinds = [
  'create',
  'close',
  'rename',
  'unlink',
  'link',
  'clone',
  'copyfile',
  'truncate',
  'exchangedata',
  'setmode',
  'setowner',
  'mount',
] as const;
/** What systems before macOS 27 do not have, and refuse. */
const newKinds = ['bootstrap_check_in'] as const;
/** What a process does, and what becomes a launch item or a running job by it. */
export const processKinds = [...imageKinds, ...itemKinds, ...newKinds] as const;

/** Names as eslogger has them. The order is part of the contract with native/src/es/es_api.h. */
export const esKinds = [
  ...imageKinds,
  ...fileKinds,
  'open',
  'setextattr',
  'deleteextattr',
  ...itemKinds,
  ...newKinds,
] as const;
export type EsKind = (typeof esKinds)[number];

/** The two numbers that name one image of one process. */
export interface EsToken {
  readonly pid: number;
  readonly pidversion: number;
}

export interface EsProcess extends EsToken {
  readonly ppid: number;
  readonly ruid: number;
  readonly euid: number;
  readonly rgid: number;
  readonly egid: number;
  readonly group: number;
  readonly session: number;
  /** Code signing flags of the kernel. */
  readonly signingFlags: number;
  readonly platformBinary: boolean;
  /** `cs_validation_category`, message version 10 and later. */
  readonly category?: number;
  /** Time of its fork. */
  readonly start?: Micros;
  readonly parent?: EsToken;
  readonly responsible?: EsToken;
  /** Empty, as all of its signature, when only the process's token is known. */
  readonly executable: string;
  readonly signingId: string;
  readonly teamId: string;
  /** Lower-case hexadecimal. */
  readonly cdhash?: string;
}

export interface EsFile {
  readonly path: string;
  readonly pathTruncated?: boolean;
  /** Absent where only a folder and a name are known. */
  readonly stat?: EsStat;
}

export interface EsStat {
  /** As text: macOS inode numbers exceed 2^53. */
  readonly inode: string;
  readonly size: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly changed: Micros;
}

export interface EsExec {
  readonly arguments: KeptArguments;
  readonly directory?: string;
  readonly script?: string;
}

/** A launch item that background task management was told of. */
export interface EsLaunchItem {
  /** 0 user item, 1 app, 2 login item, 3 agent, 4 daemon. */
  readonly type: number;
  readonly legacy: boolean;
  readonly managed: boolean;
  readonly uid: number;
  /** File URLs, percent-encoded; `url` may be relative to `appUrl`. */
  readonly url: string;
  readonly appUrl?: string;
  readonly executable?: string;
}

/** While a part is being read. Parts are filled by assignment: spreads cost several times as much, for every message. */
export type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
