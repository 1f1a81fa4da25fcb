import type { LaunchItemFields, PersistenceFields } from '../event/document.js';
import { plistToJson } from './plist-json.js';
import type { PlistValue } from './plist-value.js';

/** Characters of one text and texts of one list that an event carries. */
const maxText = 4_096;
const maxArguments = 256;

/** Keys of launchd.plist(5), besides RunAtLoad and KeepAlive, that make launchd start the job. */
const triggerKeys = [
  'StartInterval',
  'StartCalendarInterval',
  'StartOnMount',
  'WatchPaths',
  'QueueDirectories',
  'Sockets',
  'MachServices',
  'LaunchEvents',
  'inetdCompatibility',
];

const interpreters =
  /^(?:sh|bash|zsh|dash|ksh|csh|tcsh|python[\d.]*|perl[\d.]*|ruby[\d.]*|osascript|node|php[\d.]*|swift|tclsh)$/;
const writableByAll = /^(?:\/private)?\/(?:tmp|var\/tmp|var\/folders)\/|^\/Users\/Shared\//i;

export interface LaunchItem {
  readonly fields: LaunchItemFields;
  readonly findings: readonly string[];
}

/**
 * What a launchd job description says, tolerant of wrong types (a text where a number belongs is left out). `value` is
 * a whole property list; undefined when it is no dictionary.
 */
export function launchItem(value: PlistValue): LaunchItem | undefined {
  if (!(value instanceof Map)) return undefined;
  const label = textOf(value.get('Label'));
  const program = textOf(value.get('Program')) ?? textOf(value.get('BundleProgram'));
  const args = textsOf(value.get('ProgramArguments'));
  const runAtLoad = booleanOf(value.get('RunAtLoad'));
  const keepAlive = keepAliveOf(value.get('KeepAlive') ?? value.get('OnDemand'), value.has('KeepAlive'));
  const disabled = booleanOf(value.get('Disabled'));
  const userName = textOf(value.get('UserName'));
  const triggers = triggerKeys.filter((key) => value.has(key));
  return {
    fields: {
      ...(label === undefined ? {} : { label }),
      ...(program === undefined ? {} : { program }),
      ...(args === undefined ? {} : { program_arguments: args }),
      ...(runAtLoad === undefined ? {} : { run_at_load: runAtLoad }),
      ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
      ...(disabled === undefined ? {} : { disabled }),
      ...(userName === undefined ? {} : { user_name: userName }),
      ...(triggers.length === 0 ? {} : { triggers }),
      json: plistToJson(value),
    },
    findings: contentFindings({ label, program, args }, value),
  };
}

/** Elastic Defend's `Persistence.*` of the same file; `KeepAlive` may be a dictionary, which counts as true. */
export function persistenceOf(macPath: string, fields: LaunchItemFields): PersistenceFields {
  const args = fields.program_arguments ?? (fields.program === undefined ? undefined : [fields.program]);
  return {
    name: macPath.slice(macPath.lastIndexOf('/') + 1),
    path: macPath,
    ...(args === undefined ? {} : { args }),
    runatload: fields.run_at_load ?? false,
    keepalive: fields.keep_alive ?? false,
  };
}

interface Said {
  readonly label: string | undefined;
  readonly program: string | undefined;
  readonly args: readonly string[] | undefined;
}

function contentFindings({ label, program, args }: Said, value: ReadonlyMap<string, PlistValue>): string[] {
  const findings: string[] = [];
  const runs = program ?? args?.[0];
  if (label === undefined || label === '') findings.push('no-label');
  if (runs === undefined || runs === '') findings.push('no-program');
  if (runs !== undefined) {
    if (writableByAll.test(runs)) findings.push('program-in-tmp');
    if (/\/\.[^./]/.test(runs)) findings.push('hidden-program');
    if (isOneLiner(runs, args ?? [])) findings.push('interpreter-one-liner');
  }
  const words = (args ?? []).join(' ');
  if (/\b(?:curl|wget|nscurl)\b|https?:\/\/|\/dev\/tcp\//i.test(words)) findings.push('network-download');
  if (/\bbase64\s+(?:-d|-D|--decode)|\bopenssl\b.{0,80}\s-d\b|\bb64decode\b|\bxxd\s+-r/.test(words))
    findings.push('encoded-command');
  const environment = value.get('EnvironmentVariables');
  if (environment instanceof Map && [...environment.keys()].some((name) => name.startsWith('DYLD_')))
    findings.push('dyld-environment');
  return findings;
}

/** `sh -c ...`, `python3 -e ...`: an argument of one dash whose letters hold c or e, before the first other word. */
function isOneLiner(program: string, args: readonly string[]): boolean {
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (!interpreters.test(name)) return false;
  for (const argument of args.slice(1)) {
    if (!argument.startsWith('-')) return false;
    if (/^-[a-z]*[cer]$/i.test(argument) || argument === '--eval') return true;
  }
  return false;
}

function textOf(value: PlistValue | undefined): string | undefined {
  return typeof value === 'string' ? value.slice(0, maxText) : undefined;
}

function textsOf(value: PlistValue | undefined): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  let room = maxText * 4;
  for (const item of value) {
    if (texts.length >= maxArguments || room <= 0) break;
    const text = typeof item === 'string' ? item : typeof item === 'object' ? undefined : String(item);
    if (text === undefined) continue;
    texts.push(text.slice(0, Math.min(maxText, room)));
    room -= text.length;
  }
  return texts;
}

/** launchd takes an integer for a boolean. */
function booleanOf(value: PlistValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? Boolean(value) : undefined;
}

/** `OnDemand` is the older word for the opposite. */
function keepAliveOf(value: PlistValue | undefined, modern: boolean): boolean | undefined {
  if (value instanceof Map) return true;
  const flag = booleanOf(value);
  return flag === undefined || modern ? flag : !flag;
}
