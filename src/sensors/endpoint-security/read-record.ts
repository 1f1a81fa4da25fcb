import type { PackedRecord } from '../addon/index.js';
import {
  type Draft,
  type EsExec,
  type EsFile,
  type EsLaunchItem,
  type EsMessage,
  type EsProcess,
  type EsToken,
  esKinds,
} from './message.js';

// native/src/es/pack.cc writes what is read here, in this order.
const recordBase = 16;
const parts = {
  instigator: 1,
  file: 2,
  other: 4,
  fileWithoutStat: 8,
  actor: 16,
  pathCut: 32,
  modified: 64,
  mapped: 128,
  legacy: 256,
  managed: 512,
} as const;
const firstProcess = 6;
const processNumbers = 17;
const processTexts = 4;
const fileNumbers = 6;
const fileTexts = 2;

/** The message that a record holds, or undefined when it holds none. */
export function readRecord({ kind: number, numbers, strings }: PackedRecord): EsMessage | undefined {
  const kind = esKinds[number - recordBase];
  if (kind === undefined) return undefined;
  const flags = numbers[3]!;
  const has = (part: number) => (flags & part) !== 0;
  const next = { number: firstProcess, text: 0 };
  const message: Draft<EsMessage> = {
    kind,
    version: numbers[2]!,
    time: numbers[0]!,
    nanos: numbers[1]!,
    process: readProcess(numbers, strings, next),
  };
  if (has(parts.actor)) message.actor = readProcess(numbers, strings, next);
  if (has(parts.instigator)) message.instigator = readProcess(numbers, strings, next);
  if (has(parts.file)) {
    const file = readFile(numbers, strings, next);
    message.file = has(parts.fileWithoutStat) ? { path: file.path } : file;
    if (has(parts.pathCut)) message.file = { ...message.file, pathTruncated: true };
  }
  if (has(parts.other)) message.other = readFile(numbers, strings, next);
  switch (kind) {
    case 'exec': {
      const exec: Draft<EsExec> = {
        arguments: {
          args: strings.slice(next.text + 2),
          count: numbers[next.number]!,
          front: numbers[next.number + 1]!,
          shortened: numbers[next.number + 2]!,
        },
      };
      const [directory, script] = [strings[next.text]!, strings[next.text + 1]!];
      if (directory !== '') exec.directory = directory;
      if (script !== '') exec.script = script;
      message.exec = exec;
      break;
    }
    case 'exit':
      message.exitStatus = numbers[4]!;
      break;
    case 'close':
      message.modified = has(parts.modified);
      message.mappedWritable = has(parts.mapped);
      break;
    case 'setmode':
      message.mode = numbers[4]!;
      break;
    case 'setextattr':
    case 'deleteextattr':
      message.attribute = strings[next.text]!;
      break;
    case 'mount':
      message.mountFrom = strings[next.text]!;
      break;
    case 'btm_launch_item_add':
    case 'btm_launch_item_remove': {
      const [url, appUrl, executable] = strings.slice(next.text);
      const item: Draft<EsLaunchItem> = {
        type: numbers[4]!,
        legacy: has(parts.legacy),
        managed: has(parts.managed),
        uid: numbers[5]!,
        url: url!,
      };
      if (appUrl !== '') item.appUrl = appUrl!;
      if (executable !== '') item.executable = executable!;
      message.item = item;
      break;
    }
    case 'bootstrap_check_in':
      message.service = strings[next.text]!;
      break;
    default:
  }
  return message;
}

/** Where the next part begins; a part that is read moves it on. */
interface Place {
  number: number;
  text: number;
}

function readToken(numbers: Float64Array, at: number): EsToken | undefined {
  const pid = numbers[at]!;
  return Number.isNaN(pid) ? undefined : { pid, pidversion: numbers[at + 1]! };
}

function readProcess(numbers: Float64Array, strings: readonly string[], place: Place): EsProcess {
  const { number: at, text } = place;
  place.number += processNumbers;
  place.text += processTexts;
  const process: Draft<EsProcess> = {
    pid: numbers[at]!,
    pidversion: numbers[at + 1]!,
    ruid: numbers[at + 2]!,
    euid: numbers[at + 3]!,
    rgid: numbers[at + 4]!,
    egid: numbers[at + 5]!,
    ppid: numbers[at + 6]!,
    group: numbers[at + 7]!,
    session: numbers[at + 8]!,
    signingFlags: numbers[at + 9]!,
    platformBinary: numbers[at + 10] === 1,
    executable: strings[text]!,
    signingId: strings[text + 1]!,
    teamId: strings[text + 2]!,
    cdhash: strings[text + 3]!,
  };
  const start = numbers[at + 11]!;
  if (!Number.isNaN(start)) process.start = start;
  const parent = readToken(numbers, at + 12);
  if (parent !== undefined) process.parent = parent;
  const responsible = readToken(numbers, at + 14);
  if (responsible !== undefined) process.responsible = responsible;
  const category = numbers[at + 16]!;
  if (!Number.isNaN(category)) process.category = category;
  return process;
}

function readFile(numbers: Float64Array, strings: readonly string[], place: Place): EsFile {
  const { number: at, text } = place;
  place.number += fileNumbers;
  place.text += fileTexts;
  return {
    path: strings[text]!,
    stat: {
      size: numbers[at]!,
      mode: numbers[at + 1]!,
      uid: numbers[at + 2]!,
      gid: numbers[at + 3]!,
      links: numbers[at + 4]!,
      changed: numbers[at + 5]!,
      inode: strings[text + 1]!,
    },
  };
}
