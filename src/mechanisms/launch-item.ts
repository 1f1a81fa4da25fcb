import { flat } from '../base/flat.js';
import { type PlistValue, plistToJson, type Repeated } from '../base/plist/index.js';
import { type WhatRuns, whatRuns } from '../base/what-runs/index.js';
import type { LaunchItemFields, PersistenceFields } from '../event/document.js';
import { booleanOf, LaunchKeys } from './launch-keys.js';

/** Characters of one text and texts of one list that an event carries. */
const maxText = 4_096;
const maxArguments = 256;
/** Paths, and labels beside the one that counts, that an event carries. */
const maxPaths = 32;
const maxLabels = 8;
/** Arguments and characters that are searched for what runs: more than an event carries, so that nothing hides behind it. */
const maxRunArguments = 4_096;

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

export interface LaunchItem {
  readonly fields: LaunchItemFields;
  /** By the keys that count, then by those that they replaced. */
  readonly runs: readonly WhatRuns[];
  readonly findings: readonly string[];
}

/** What is known of a list besides its value. */
export interface LaunchItemContext {
  /** Where the file stands: tells the home of a user's item, and the bundle. */
  readonly path?: string | undefined;
  /** Earlier values of repeated keys: readers differ about which one counts. */
  readonly repeated?: Repeated | undefined;
}

/**
 * What a launchd job description says, tolerant of wrong types (a text where a number belongs is left out). `value` is
 * a whole property list; undefined when it is no dictionary. Its texts are copies: they keep nothing else alive.
 */
export function launchItem(value: PlistValue, context: LaunchItemContext = {}): LaunchItem | undefined {
  if (!(value instanceof Map)) return undefined;
  const keys = new LaunchKeys(value);
  const label = textOf(keys.get('Label'));
  const others = otherLabels(label, context.repeated);
  const program = programOf(keys.get('Program')) ?? programOf(keys.get('BundleProgram'));
  const args = textsOf(keys.get('ProgramArguments'));
  const runs = allRuns(keys, context);
  const runAtLoad = booleanOf(keys.get('RunAtLoad'));
  const keepAlive = keepAliveOf(keys.get('KeepAlive') ?? keys.get('OnDemand'), keys.has('KeepAlive'));
  const disabled = booleanOf(keys.get('Disabled'));
  const userName = textOf(keys.get('UserName'));
  const triggers = triggerKeys.filter((key) => keys.has(key));
  const paths = [...new Set(runs.flatMap((one) => one.paths))].slice(0, maxPaths);
  const own = ownCode([...(program === undefined ? [] : [program]), ...(args ?? []), ...paths]);
  return {
    fields: {
      ...(label === undefined ? {} : { label }),
      ...(others.length === 0 ? {} : { other_labels: others }),
      ...(program === undefined ? {} : { program }),
      ...(args === undefined ? {} : { program_arguments: args }),
      ...(paths.length === 0 ? {} : { runs: paths }),
      ...(own.length === 0 ? {} : { own_code: own }),
      ...(runAtLoad === undefined ? {} : { run_at_load: runAtLoad }),
      ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
      ...(disabled === undefined ? {} : { disabled }),
      ...(userName === undefined ? {} : { user_name: userName }),
      ...(triggers.length === 0 ? {} : { triggers }),
      json: plistToJson(value, context.repeated),
    },
    runs,
    findings: contentFindings({ label, program, args, runs }, keys, context.repeated),
  };
}

/**
 * Elastic Defend's `Persistence.*` of the same file; `KeepAlive` may be a dictionary, which counts as true. `args` are the
 * ProgramArguments alone: a rule of theirs looks for lists without any, which have a Program.
 */
export function persistenceOf(macPath: string, fields: LaunchItemFields): PersistenceFields {
  const args = fields.program_arguments;
  return {
    name: macPath.slice(macPath.lastIndexOf('/') + 1),
    path: macPath,
    ...(args === undefined ? {} : { args }),
    runatload: fields.run_at_load ?? false,
    keepalive: fields.keep_alive ?? false,
  };
}

/** What comes with macOS, on its sealed volume. */
const systemPath = /^\/(?:bin|sbin|usr\/(?:bin|sbin|libexec|lib)|System|Library\/Apple)\//;
const maxOwnCode = 16;
const maxOwnText = 1_024;

/** Of the arguments and paths those that are the item's own: programs and scripts of no system folder, and script texts. */
function ownCode(texts: readonly string[]): string[] {
  const own = texts.filter((text) => {
    if (text.length > maxOwnText) return false;
    return text.startsWith('/') ? !systemPath.test(text) : text.length >= 12 && /\s/.test(text);
  });
  return [...new Set(own)].slice(0, maxOwnCode).map(flat);
}

interface Said {
  readonly label: string | undefined;
  readonly program: string | undefined;
  readonly args: readonly string[] | undefined;
  readonly runs: readonly WhatRuns[];
}

function contentFindings(
  { label, program, args, runs }: Said,
  keys: LaunchKeys,
  repeated: Repeated | undefined,
): string[] {
  const findings: string[] = [...keys.findings];
  const first = program ?? args?.[0];
  if (label === undefined || label === '') findings.push('no-label');
  if (first === undefined || first === '') findings.push('no-program');
  findings.push(...new Set(runs.flatMap((one) => one.reasons)));
  const environments = [keys.get('EnvironmentVariables'), ...(repeated?.get('EnvironmentVariables') ?? [])];
  for (const environment of environments)
    if (environment instanceof Map && [...environment.keys()].some((name) => name.startsWith('DYLD_')))
      findings.push('dyld-environment');
  const longest = keys.get('ProgramArguments');
  if (Array.isArray(longest) && longest.length > maxRunArguments) findings.push('plist-too-complex');
  return [...new Set(findings)];
}

/** What runs by the keys that count, and by those that they replaced. */
function allRuns(keys: LaunchKeys, { path, repeated }: LaunchItemContext): WhatRuns[] {
  const environment = environmentOf(keys.get('EnvironmentVariables'));
  const common = {
    workingDirectory: wholeText(keys.get('WorkingDirectory')),
    rootDirectory: wholeText(keys.get('RootDirectory')),
    standardIn: wholeText(keys.get('StandardInPath')),
    environment,
    itemPath: path,
  };
  const program = wholeText(keys.get('Program'));
  const bundleProgram = wholeText(keys.get('BundleProgram'));
  const args = wholeTexts(keys.get('ProgramArguments'));
  const result = [whatRuns({ ...common, program, bundleProgram, args })];
  for (const key of ['Program', 'ProgramArguments'])
    for (const value of [...(repeated?.get(key) ?? []), ...keys.others(key)]) {
      const other = key === 'Program' ? { program: wholeText(value), args } : { args: wholeTexts(value) };
      result.push(whatRuns({ ...common, ...other }));
    }
  for (const value of repeated?.get('EnvironmentVariables') ?? [])
    result.push(whatRuns({ ...common, program, bundleProgram, args, environment: environmentOf(value) }));
  return result;
}

function environmentOf(value: PlistValue | undefined): ReadonlyMap<string, string> {
  const entries = value instanceof Map ? [...value].slice(0, maxArguments) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function otherLabels(label: string | undefined, repeated: Repeated | undefined): string[] {
  const others = (repeated?.get('Label') ?? [])
    .map(textOf)
    .filter((one) => one !== undefined && one !== label);
  return [...new Set(others as string[])].slice(0, maxLabels);
}

/** A list in the place of a text stands for its first text. */
function wholeText(value: PlistValue | undefined): string | undefined {
  const one = Array.isArray(value) ? value.find((item) => typeof item === 'string') : value;
  return typeof one === 'string' ? one : undefined;
}

/** A text in the place of a list stands for a list of one. */
function wholeTexts(value: PlistValue | undefined): string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  const result: string[] = [];
  for (const item of value.slice(0, maxRunArguments))
    if (typeof item === 'string') result.push(item);
    else if (typeof item !== 'object') result.push(String(item));
  return result;
}

function programOf(value: PlistValue | undefined): string | undefined {
  return textOf(wholeText(value));
}

function textOf(value: PlistValue | undefined): string | undefined {
  return typeof value === 'string' ? flat(value.slice(0, maxText)) : undefined;
}

function textsOf(value: PlistValue | undefined): string[] | undefined {
  const whole = wholeTexts(value);
  if (whole === undefined) return undefined;
  const kept: string[] = [];
  // What is said again takes no room again.
  const copies = new Map<string, string>();
  let room = maxText * 4;
  for (const text of whole) {
    if (kept.length >= maxArguments || room <= 0) break;
    const short = text.slice(0, Math.min(maxText, room));
    const copy = copies.get(short) ?? flat(short);
    copies.set(copy, copy);
    kept.push(copy);
    room -= text.length;
  }
  return kept;
}

/** `OnDemand` is the older word for the opposite. */
function keepAliveOf(value: PlistValue | undefined, modern: boolean): boolean | undefined {
  if (value instanceof Map) return true;
  const flag = booleanOf(value);
  return flag === undefined || modern ? flag : !flag;
}
