import { type Micros, parseTime } from '../../base/time.js';
import { keepArguments } from '../../event/arguments.js';
import {
  type Draft,
  type EsFile,
  type EsKind,
  type EsLaunchItem,
  type EsMessage,
  type EsProcess,
  type EsStat,
  type EsToken,
  esKinds,
} from '../endpoint-security/message.js';

/** A line of eslogger, read. */
export type EsloggerLine =
  | { readonly ok: true; readonly message: EsMessage; readonly globalSequence?: number }
  /**
   * `malformed`: no JSON object, or not one of eslogger's. `oversized`: longer than any message can be. `unknown-event`:
   * an event that nobody asked for. `unchanged`: a file closed as it was. `denied`: another client of EndpointSecurity
   * kept it from happening.
   */
  | {
      readonly ok: false;
      readonly reason: 'malformed' | 'oversized' | 'unknown-event' | 'unchanged' | 'denied';
      readonly globalSequence?: number;
      /** Of `unknown-event`: what it calls itself. */
      readonly name?: string;
    };

/** Characters of a line that are read; arguments and environment stay below 1 MiB (ARG_MAX), and JSON escapes a control
 * character with six. */
export const maxLineLength = 8 * 1024 * 1024;

const kinds: ReadonlySet<string> = new Set(esKinds);
// Beyond 2^53 JSON.parse would round them. Inside a string the quotes are escaped, so that no text can pose as a key.
const largeInode = /"st_ino"\s*:\s*(\d{16,})/g;

/** Whether a process starts or ends, in the form in which eslogger prints it: most lines of a flood. */
export function isOfProcess(line: string): boolean {
  return line.includes('"exec":{') || line.includes('"exit":{') || line.includes('"fork":{');
}

/**
 * Reads one line, of message versions 6 to 11 as far as they are known, and forgivingly: the format is not an interface
 * of Apple's, keys come in any order and new ones appear. Shapes of exec, fork, exit and open were read from real
 * output; those of the file, background task and bootstrap events are made from documentation, and unproven. Never throws.
 */
export function readEsloggerLine(line: string): EsloggerLine {
  if (line.length > maxLineLength) return { ok: false, reason: 'oversized' };
  // Nearly all closes are of files that were only read: they are not worth parsing. Within a string the quote behind the
  // word would be escaped; the search begins with a letter, since quotes are everywhere.
  if (
    line.includes('modified":false') &&
    line.includes('"close":{') &&
    !line.includes('was_mapped_writable":true')
  )
    return skipped('unchanged', sequenceOf(line));
  const read = readText(line);
  // Files of the system volume alone have such numbers, and are hardly ever written.
  return read.ok && hasLargeInode(read.message) ? readText(line.replace(largeInode, '"st_ino":"$1"')) : read;
}

function hasLargeInode({ file, other }: EsMessage): boolean {
  return isLarge(file?.stat) || isLarge(other?.stat);
}

function isLarge(stat: EsStat | undefined): boolean {
  return stat !== undefined && stat.inode.length > 15 && !Number.isSafeInteger(Number(stat.inode));
}

function readText(text: string): EsloggerLine {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'malformed' };
  }
  const envelope = objectOf(root);
  const events = objectOf(envelope?.['event']);
  const time = timeOf(envelope?.['time']);
  const process = objectOf(envelope?.['process']);
  if (envelope === undefined || events === undefined || time === undefined || process === undefined)
    return { ok: false, reason: 'malformed' };
  const globalSequence = numberOf(envelope['global_seq_num']);
  if (isDenied(objectOf(objectOf(envelope['action'])?.['result']))) return skipped('denied', globalSequence);
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
    return globalSequence === undefined ? { ok: true, message } : { ok: true, message, globalSequence };
  }
  const [name] = Object.keys(events);
  return { ...skipped('unknown-event', globalSequence), ...(name === undefined ? {} : { name }) };
}

function skipped(
  reason: 'unknown-event' | 'unchanged' | 'denied',
  globalSequence: number | undefined,
): EsloggerLine {
  return { ok: false, reason, ...(globalSequence === undefined ? {} : { globalSequence }) };
}

/** es_result_t: an answer (1 is a refusal), or the flags of an open that were allowed. */
function isDenied(outcome: Json | undefined): boolean {
  const result = objectOf(outcome?.['result']);
  return numberOf(outcome?.['result_type']) === 1
    ? numberOf(result?.['flags']) === 0
    : numberOf(result?.['auth']) === 1;
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

/** `2025-08-07T15:13:09.811587464Z` with 6 or 9 digits, as eslogger prints it, in a third of the time of parseTime. */
function timeOf(value: unknown): { readonly time: Micros; readonly nanos: number } | undefined {
  if (typeof value === 'string' && (value.length === 30 || value.length === 27) && value.endsWith('Z')) {
    const millis = Date.parse(`${value.slice(0, 23)}Z`);
    const rest = Number(value.slice(23, -1));
    // `1e-5` is a number too, and one that no time can be made of.
    if (!Number.isNaN(millis) && rest >= 0 && Number.isInteger(rest)) {
      const micros = value.length === 30 ? Math.floor(rest / 1000) : rest;
      return { time: millis * 1000 + micros, nanos: value.length === 30 ? rest % 1000 : 0 };
    }
  }
  return parseTime(value);
}

interface Envelope {
  readonly version: number;
  readonly time: number;
  readonly nanos: number;
  readonly process: Json;
}

function readMessage(kind: EsKind, body: Json, envelope: Envelope): EsMessage | undefined {
  const subject = kind === 'exec' ? body['target'] : kind === 'fork' ? body['child'] : envelope.process;
  const process = readProcess(subject);
  if (process === undefined) return undefined;
  const { version, time, nanos } = envelope;
  const message: Draft<EsMessage> = { kind, version, time, nanos, process };
  switch (kind) {
    case 'exec':
    case 'fork': {
      const actor = readProcess(envelope.process);
      if (actor !== undefined) message.actor = actor;
      if (kind === 'exec') message.exec = readExec(body);
      return message;
    }
    case 'exit':
      message.exitStatus = numberOf(body['stat']) ?? 0;
      return message;
    case 'btm_launch_item_add':
    case 'btm_launch_item_remove': {
      const item = readItem(body);
      if (item !== undefined) message.item = item;
      const instigator = readProcess(body['instigator']);
      if (instigator !== undefined) message.instigator = instigator;
      return message;
    }
    case 'bootstrap_check_in': {
      const service = textOf(body['service_name']);
      // The process is gone when it is null; its token is always there.
      const instigator = readProcess(body['instigator']) ?? bareProcess(body['instigator_token']);
      if (service === undefined || instigator === undefined) return undefined;
      message.service = service;
      message.instigator = instigator;
      return message;
    }
    default:
      return readFileParts(message, body) ? message : undefined;
  }
}

/** False when the message names no file, or one that was not made after all. */
function readFileParts(message: Draft<EsMessage>, body: Json): boolean {
  const { kind } = message;
  const source = readFile(body['source']) ?? readFile(body['file2']);
  const file = readTarget(kind, body, source);
  if (file === undefined) return false;
  message.file = file;
  if (source !== undefined) message.other = source;
  const attribute = textOf(body['extattr']);
  if (attribute !== undefined) message.attribute = attribute;
  if (kind === 'close') {
    message.modified = body['modified'] === true;
    message.mappedWritable = body['was_mapped_writable'] === true;
  } else if (kind === 'setmode') {
    const mode = numberOf(body['mode']);
    if (mode !== undefined) message.mode = mode;
  } else if (kind === 'mount') {
    const from = textOf(objectOf(body['statfs'])?.['f_mntfromname']);
    if (from !== undefined) message.mountFrom = from;
  }
  return true;
}

function readTarget(kind: EsKind, body: Json, source: EsFile | undefined): EsFile | undefined {
  if (kind === 'mount') {
    const path = textOf(objectOf(body['statfs'])?.['f_mntonname']);
    return path === undefined ? undefined : { path };
  }
  if (kind !== 'create' && kind !== 'rename') {
    return (
      readFile(body['target']) ??
      readFile(body['target_file']) ??
      readFile(body['file']) ??
      readFile(body['file1']) ??
      joined(body['target_dir'], body['target_filename'] ?? body['target_name'])
    );
  }
  const destination = objectOf(body['destination']);
  const existing = readFile(destination?.['existing_file']);
  if (existing !== undefined) {
    if (kind === 'create') return existing;
    // The object that a rename replaces has the stat of the old file: the moved one's is the source's.
    return source?.stat === undefined ? { path: existing.path } : { path: existing.path, stat: source.stat };
  }
  // A create with a new path was denied by another client: it did not happen.
  if (kind === 'create') return undefined;
  const newPath = objectOf(destination?.['new_path']);
  return joined(newPath?.['dir'], newPath?.['filename']);
}

function readExec(body: Json): NonNullable<EsMessage['exec']> {
  const given = Array.isArray(body['args']) ? (body['args'] as readonly unknown[]) : [];
  const directory = textOf(objectOf(body['cwd'])?.['path']);
  const script = textOf(objectOf(body['script'])?.['path']);
  return {
    arguments: keepArguments(given.map((argument) => (typeof argument === 'string' ? argument : ''))),
    ...(directory === undefined || directory === '' ? {} : { directory }),
    ...(script === undefined || script === '' ? {} : { script }),
  };
}

/** The parts of an audit token, which one beta of macOS 26 printed as the bare array. */
const tokenParts = ['auid', 'euid', 'egid', 'ruid', 'rgid', 'pid', 'asid', 'pidversion'] as const;

function tokenPart(token: unknown, part: (typeof tokenParts)[number]): number | undefined {
  if (Array.isArray(token)) return numberOf(token[tokenParts.indexOf(part)]);
  return numberOf(objectOf(token)?.[part]);
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
  const read: Draft<EsProcess> = {
    pid: own.pid,
    pidversion: own.pidversion,
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
  };
  const start = timeOf(process['start_time'])?.time;
  if (start !== undefined) read.start = start;
  const parent = readToken(process['parent_audit_token']);
  if (parent !== undefined) read.parent = parent;
  const responsible = readToken(process['responsible_audit_token']);
  if (responsible !== undefined) read.responsible = responsible;
  const category = numberOf(process['cs_validation_category']);
  if (category !== undefined) read.category = category;
  const cdhash = textOf(process['cdhash'])?.toLowerCase();
  if (cdhash !== undefined) read.cdhash = cdhash;
  return read;
}

/** Of a process of which nothing but the token is left. */
function bareProcess(token: unknown): EsProcess | undefined {
  const own = readToken(token);
  if (own === undefined) return undefined;
  const part = (name: (typeof tokenParts)[number]) => tokenPart(token, name) ?? 0;
  return {
    ...own,
    ...{ ppid: 0, group: 0, session: 0, signingFlags: 0, platformBinary: false },
    ...{ ruid: part('ruid'), euid: part('euid'), rgid: part('rgid'), egid: part('egid') },
    ...{ executable: '', signingId: '', teamId: '' },
  };
}

function readFile(value: unknown): EsFile | undefined {
  const file = objectOf(value);
  const path = textOf(file?.['path']);
  if (file === undefined || path === undefined || path === '') return undefined;
  const read: Draft<EsFile> = { path };
  if (file['path_truncated'] === true) read.pathTruncated = true;
  const stat = objectOf(file['stat']);
  const inode = stat?.['st_ino'];
  if (stat !== undefined && (typeof inode === 'number' || typeof inode === 'string'))
    read.stat = {
      inode: String(inode),
      size: numberOf(stat['st_size']) ?? 0,
      mode: numberOf(stat['st_mode']) ?? 0,
      uid: numberOf(stat['st_uid']) ?? 0,
      gid: numberOf(stat['st_gid']) ?? 0,
      links: numberOf(stat['st_nlink']) ?? 1,
      changed: timeOf(stat['st_ctimespec'])?.time ?? 0,
    };
  return read;
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
