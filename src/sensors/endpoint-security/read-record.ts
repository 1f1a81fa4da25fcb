import type { PackedRecord } from '../addon/index.js';
import { type EsFile, type EsMessage, type EsProcess, type EsToken, esKinds } from './message.js';

// native/src/es/pack.cc writes what is read here, in this order.
const recordBase = 16;
const parts = {
  instigator: 1,
  file: 2,
  other: 4,
  fileWithoutStat: 8,
  argumentsCut: 16,
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
  let nextNumber = firstProcess + processNumbers;
  let nextText = processTexts;
  const process = readProcess(numbers, strings, { number: firstProcess, text: 0 });
  const base = { kind, version: numbers[2]!, time: numbers[0]!, nanos: numbers[1]!, process };
  if (kind === 'exec') {
    const [directory, script] = [strings[nextText]!, strings[nextText + 1]!];
    return {
      ...base,
      exec: {
        args: strings.slice(nextText + 2),
        argsCount: numbers[nextNumber]!,
        ...(has(parts.argumentsCut) ? { argsCut: true } : {}),
        ...(directory === '' ? {} : { directory }),
        ...(script === '' ? {} : { script }),
      },
    };
  }
  if (kind === 'fork') return base;
  if (kind === 'exit') return { ...base, exitStatus: numbers[4]! };

  const place = () => {
    const at = { number: nextNumber, text: nextText };
    return at;
  };
  let instigator: EsProcess | undefined;
  if (has(parts.instigator)) {
    instigator = readProcess(numbers, strings, place());
    nextNumber += processNumbers;
    nextText += processTexts;
  }
  const nextFile = (withStat: boolean, pathTruncated: boolean): EsFile => {
    const file = readFile(numbers, strings, { ...place(), withStat, pathTruncated });
    nextNumber += fileNumbers;
    nextText += fileTexts;
    return file;
  };
  const file = has(parts.file) ? nextFile(!has(parts.fileWithoutStat), has(parts.pathCut)) : undefined;
  const other = has(parts.other) ? nextFile(true, false) : undefined;
  return {
    ...base,
    ...(instigator === undefined ? {} : { instigator }),
    ...(file === undefined ? {} : { file }),
    ...(other === undefined ? {} : { other }),
    ...(kind === 'close' ? { modified: has(parts.modified), mappedWritable: has(parts.mapped) } : {}),
    ...(kind === 'setmode' ? { mode: numbers[4]! } : {}),
    ...(kind === 'setextattr' || kind === 'deleteextattr' ? { attribute: strings[nextText]! } : {}),
    ...(kind === 'mount' ? { mountFrom: strings[nextText]! } : {}),
    ...(kind === 'btm_launch_item_add' || kind === 'btm_launch_item_remove'
      ? {
          item: {
            type: numbers[4]!,
            legacy: has(parts.legacy),
            managed: has(parts.managed),
            uid: numbers[5]!,
            url: strings[nextText]!,
            ...(strings[nextText + 1] === '' ? {} : { appUrl: strings[nextText + 1]! }),
            ...(strings[nextText + 2] === '' ? {} : { executable: strings[nextText + 2]! }),
          },
        }
      : {}),
  };
}

interface Place {
  readonly number: number;
  readonly text: number;
}

function readToken(numbers: Float64Array, at: number): EsToken | undefined {
  const pid = numbers[at]!;
  return Number.isNaN(pid) ? undefined : { pid, pidversion: numbers[at + 1]! };
}

function readProcess(
  numbers: Float64Array,
  strings: readonly string[],
  { number: at, text }: Place,
): EsProcess {
  const start = numbers[at + 11]!;
  const parent = readToken(numbers, at + 12);
  const responsible = readToken(numbers, at + 14);
  const category = numbers[at + 16]!;
  return {
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
    ...(Number.isNaN(start) ? {} : { start }),
    ...(parent === undefined ? {} : { parent }),
    ...(responsible === undefined ? {} : { responsible }),
    ...(Number.isNaN(category) ? {} : { category }),
  };
}

function readFile(
  numbers: Float64Array,
  strings: readonly string[],
  { number: at, text, withStat, pathTruncated }: Place & { withStat: boolean; pathTruncated: boolean },
): EsFile {
  return {
    path: strings[text]!,
    ...(pathTruncated ? { pathTruncated: true } : {}),
    ...(withStat
      ? {
          stat: {
            size: numbers[at]!,
            mode: numbers[at + 1]!,
            uid: numbers[at + 2]!,
            gid: numbers[at + 3]!,
            links: numbers[at + 4]!,
            changed: numbers[at + 5]!,
            inode: strings[text + 1]!,
          },
        }
      : {}),
  };
}
