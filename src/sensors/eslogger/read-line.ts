import { parseTime } from '../../base/time.js';
import {
  type EsFile,
  type EsKind,
  type EsLaunchItem,
  type EsMessage,
  type EsProcess,
  type EsToken,
  esKinds,
} from '../endpoint-security/message.js';

/** A line of eslogger, read. */
export type EsloggerLine =
  | { readonly ok: true; readonly message: EsMessage; readonly globalSequence?: number }
  /**
   * `malformed`: no JSON object, or not one of eslogger's. `oversized`: longer than any message can be. `unknown-event`:
   * an event that nobody asked for. `unchanged`: a file closed as it was.
   */
  | {
      readonly ok: false;
      readonly reason: 'malformed' | 'oversized' | 'unknown-event' | 'unchanged';
      readonly globalSequence?: number;
    };

/** Characters of a line that are read; arguments and environment together stay below 1 MiB (ARG_MAX). */
export const maxLineLength = 4 * 1024 * 1024;
const maxArguments = 4_096;
const maxArgumentText = 65_536;

const kinds: ReadonlySet<string> = new Set(esKinds);
// Beyond 2^53 JSON.parse would round them. Inside a string the quotes are escaped, so that no text can pose as a key.
const largeInode = /"st_ino"\s*:\s*(\d{16,})/g;

/**
 * Reads one line, of message versions 6 to 11 as far as they are known, and forgivingly: the format is not an interface
 * of Apple's, keys come in any order and new ones appear. Shapes of exec, fork, exit and open were read from real
 * output; those of the file and background task events are made from documentation, and unproven. Never throws.
 */
export function readEsloggerLine(line: string): EsloggerLine {
  if (line.length > maxLineLength) return { ok: false, reason: 'oversized' };
  // Nearly all closes are of files that were only read: they are not worth parsing.
  if (
    line.includes('"close":{') &&
    line.includes('"modified":false') &&
    !line.includes('"was_mapped_writable":true')
  )
    return skipped('unchanged', sequenceOf(line));
  const exact = line.includes('"exec":{') ? line : line.replace(largeInode, '"st_ino":"$1"');
  let root: unknown;
  try {
    root = JSON.parse(exact);
  } catch {
    return { ok: false, reason: 'malformed' };
  }
  const envelope = objectOf(root);
  const events = objectOf(envelope?.['event']);
  const time = parseTime(envelope?.['time']);
  const process = objectOf(envelope?.['process']);
  if (envelope === undefined || events === undefined || time === undefined || process === undefined)
    return { ok: false, reason: 'malformed' };
  const globalSequence = numberOf(envelope['global_seq_num']);
  for (const kind of Object.keys(events)) {
    const body = kinds.has(kind) ? objectOf(events[kind]) : undefined;
    if (body === undefined) continue;
    const message = readMessage(kind as EsKind, body, {
      version: numberOf(envelope['version']) ?? 0,
      time: time.time,
      nanos: time.nanos,
      process,
    });
    if (message === undefined) return { ok: false, reason: 'malformed' };
    if (kind === 'close' && message.modified !== true && message.mappedWritable !== true)
      return skipped('unchanged', globalSequence);
    return { ok: true, message, ...(globalSequence === undefined ? {} : { globalSequence }) };
  }
  return skipped('unknown-event', globalSequence);
}

function skipped(reason: 'unknown-event' | 'unchanged', globalSequence: number | undefined): EsloggerLine {
  return { ok: false, reason, ...(globalSequence === undefined ? {} : { globalSequence }) };
}

/** The number of a line that is not worth parsing; inside a string the key's quotes would be escaped. */
export function sequenceOf(line: string): number | undefined {
  const key = '"global_seq_num":';
  const at = line.indexOf(key);
  if (at === -1) return undefined;
  const sequence = Number.parseInt(line.slice(at + key.length, at + key.length + 20), 10);
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Numbers also as text: a later version may print enumerations and large numbers so. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

interface Envelope {
  readonly version: number;
  readonly time: number;
  readonly nanos: number;
  readonly process: Json;
}

function readMessage(kind: EsKind, body: Json, envelope: Envelope): EsMessage | undefined {
  const { process: actor, ...when } = envelope;
  const subject = kind === 'exec' ? body['target'] : kind === 'fork' ? body['child'] : actor;
  const process = readProcess(subject);
  if (process === undefined) return undefined;
  const base = { kind, ...when, process };
  switch (kind) {
    case 'exec':
      return { ...base, exec: readExec(body) };
    case 'fork':
      return base;
    case 'exit':
      return { ...base, exitStatus: numberOf(body['stat']) ?? 0 };
    case 'btm_launch_item_add':
    case 'btm_launch_item_remove': {
      const item = readItem(body);
      const instigator = readProcess(body['instigator']);
      return {
        ...base,
        ...(item === undefined ? {} : { item }),
        ...(instigator === undefined ? {} : { instigator }),
      };
    }
    default:
      return readFileMessage(base, body);
  }
}

function readFileMessage(
  base: Pick<EsMessage, 'kind' | 'version' | 'time' | 'nanos' | 'process'>,
  body: Json,
): EsMessage | undefined {
  const { kind } = base;
  const destination = objectOf(body['destination']);
  const newPath = objectOf(destination?.['new_path']);
  const source = readFile(body['source']) ?? readFile(body['file2']);
  let file: EsFile | undefined;
  if (kind === 'create' || kind === 'rename') {
    const existing = readFile(destination?.['existing_file']);
    // A create with a new path was denied by another client: it did not happen.
    if (kind === 'create' && existing === undefined && newPath !== undefined) return undefined;
    // The object that a rename replaces has the stat of the old file: the moved one's is the source's.
    file =
      existing === undefined
        ? joined(newPath?.['dir'], newPath?.['filename'])
        : kind === 'rename'
          ? { path: existing.path, ...(source?.stat === undefined ? {} : { stat: source.stat }) }
          : existing;
  } else if (kind === 'mount') {
    const path = textOf(objectOf(body['statfs'])?.['f_mntonname']);
    file = path === undefined ? undefined : { path };
  } else {
    file =
      readFile(body['target']) ??
      readFile(body['target_file']) ??
      readFile(body['file']) ??
      readFile(body['file1']) ??
      joined(body['target_dir'], body['target_filename'] ?? body['target_name']);
  }
  if (file === undefined) return undefined;
  const attribute = textOf(body['extattr']);
  const mountFrom = textOf(objectOf(body['statfs'])?.['f_mntfromname']);
  const mode = kind === 'setmode' ? numberOf(body['mode']) : undefined;
  return {
    ...base,
    file,
    ...(source === undefined ? {} : { other: source }),
    ...(kind === 'close'
      ? { modified: body['modified'] === true, mappedWritable: body['was_mapped_writable'] === true }
      : {}),
    ...(mode === undefined ? {} : { mode }),
    ...(attribute === undefined ? {} : { attribute }),
    ...(mountFrom === undefined ? {} : { mountFrom }),
  };
}

function readExec(body: Json): NonNullable<EsMessage['exec']> {
  const given = Array.isArray(body['args']) ? (body['args'] as readonly unknown[]) : [];
  const args: string[] = [];
  let room = maxArgumentText;
  for (const argument of given) {
    const text = typeof argument === 'string' ? argument : '';
    room -= text.length + 1;
    if (room < 0 || args.length >= maxArguments) break;
    args.push(text);
  }
  const directory = textOf(objectOf(body['cwd'])?.['path']);
  const script = textOf(objectOf(body['script'])?.['path']);
  return {
    args,
    argsCount: given.length,
    ...(args.length < given.length ? { argsCut: true } : {}),
    ...(directory === undefined || directory === '' ? {} : { directory }),
    ...(script === undefined || script === '' ? {} : { script }),
  };
}

/** The parts of an audit token, which one beta of macOS 26 printed as the bare array. */
const tokenParts = ['auid', 'euid', 'egid', 'ruid', 'rgid', 'pid', 'asid', 'pidversion'] as const;

function tokenPart(token: unknown, part: (typeof tokenParts)[number]): number | undefined {
  return numberOf(Array.isArray(token) ? token[tokenParts.indexOf(part)] : objectOf(token)?.[part]);
}

function readToken(token: unknown): EsToken | undefined {
  const pid = tokenPart(token, 'pid');
  const pidversion = tokenPart(token, 'pidversion');
  return pid === undefined || pidversion === undefined ? undefined : { pid, pidversion };
}

function readProcess(value: unknown): EsProcess | undefined {
  const process = objectOf(value);
  const token = process?.['audit_token'];
  const own = readToken(token);
  if (process === undefined || own === undefined) return undefined;
  const start = parseTime(process['start_time'])?.time;
  const parent = readToken(process['parent_audit_token']);
  const responsible = readToken(process['responsible_audit_token']);
  const category = numberOf(process['cs_validation_category']);
  const cdhash = textOf(process['cdhash'])?.toLowerCase();
  return {
    ...own,
    ppid: numberOf(process['ppid']) ?? 0,
    ruid: tokenPart(token, 'ruid') ?? 0,
    euid: tokenPart(token, 'euid') ?? 0,
    rgid: tokenPart(token, 'rgid') ?? 0,
    egid: tokenPart(token, 'egid') ?? 0,
    group: numberOf(process['group_id']) ?? 0,
    session: numberOf(process['session_id']) ?? 0,
    signingFlags: numberOf(process['codesigning_flags']) ?? 0,
    platformBinary: process['is_platform_binary'] === true,
    executable: textOf(objectOf(process['executable'])?.['path']) ?? '',
    signingId: textOf(process['signing_id']) ?? '',
    teamId: textOf(process['team_id']) ?? '',
    ...(start === undefined ? {} : { start }),
    ...(parent === undefined ? {} : { parent }),
    ...(responsible === undefined ? {} : { responsible }),
    ...(category === undefined ? {} : { category }),
    ...(cdhash === undefined ? {} : { cdhash }),
  };
}

function readFile(value: unknown): EsFile | undefined {
  const file = objectOf(value);
  const path = textOf(file?.['path']);
  if (file === undefined || path === undefined || path === '') return undefined;
  const stat = objectOf(file['stat']);
  const inode = stat?.['st_ino'];
  return {
    path,
    ...(file['path_truncated'] === true ? { pathTruncated: true } : {}),
    ...(stat === undefined || (typeof inode !== 'number' && typeof inode !== 'string')
      ? {}
      : {
          stat: {
            inode: String(inode),
            size: numberOf(stat['st_size']) ?? 0,
            mode: numberOf(stat['st_mode']) ?? 0,
            uid: numberOf(stat['st_uid']) ?? 0,
            gid: numberOf(stat['st_gid']) ?? 0,
            links: numberOf(stat['st_nlink']) ?? 1,
            changed: parseTime(stat['st_ctimespec'])?.time ?? 0,
          },
        }),
  };
}

function joined(directory: unknown, name: unknown): EsFile | undefined {
  const folder = readFile(directory)?.path ?? textOf(directory);
  const file = textOf(name);
  if (folder === undefined || file === undefined || file === '') return undefined;
  return { path: folder.endsWith('/') ? folder + file : `${folder}/${file}` };
}

function readItem(body: Json): EsLaunchItem | undefined {
  const item = objectOf(body['item']);
  const url = textOf(item?.['item_url']);
  if (item === undefined || url === undefined) return undefined;
  const appUrl = textOf(item['app_url']);
  const executable = textOf(body['executable_path']);
  return {
    type: numberOf(item['item_type']) ?? 0,
    legacy: item['legacy'] === true,
    managed: item['managed'] === true,
    uid: numberOf(item['uid']) ?? 0,
    url,
    ...(appUrl === undefined || appUrl === '' ? {} : { appUrl }),
    ...(executable === undefined || executable === '' ? {} : { executable }),
  };
}
