import { parseTime } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import type { Lane, OutboxItem } from '../destination.js';
import { clipMiddle, slimDocument } from '../slim.js';
import { documentId } from '../updates.js';

/** One document with what every text format needs of it. */
export interface Subject {
  readonly doc: EcsDocument;
  readonly lane: Lane;
  readonly documentId: string;
  /** Of an alert that the receiver has got before; absent when it is new to it. */
  readonly revision: number | undefined;
  readonly version: string;
  /** Id and name of what happened: the rule's, or our own action. */
  readonly signature: string;
  readonly title: string;
  readonly severity: 'low' | 'medium' | 'high' | 'critical' | undefined;
  /** Milliseconds since 1970. */
  readonly time: number;
}

interface RuleFields {
  readonly id?: string;
  readonly uuid?: string;
  readonly name?: string;
}

export function subjectOf(item: OutboxItem, version: string): Subject {
  const doc = JSON.parse(item.body) as EcsDocument;
  const rule = doc['rule'] as RuleFields | undefined;
  const alert = doc.launchwarden?.['alert'] as { severity?: unknown } | undefined;
  const time = parseTime(doc['@timestamp']);
  return {
    doc,
    lane: item.lane,
    documentId: documentId(item),
    revision: item.update === true ? item.revision : undefined,
    version,
    signature: text(rule?.id ?? doc.event?.action) ?? item.lane,
    title: text(rule?.name ?? doc.message ?? doc.event?.action) ?? item.lane,
    severity: severityOf(alert?.severity),
    time: Math.floor((time?.time ?? 0) / 1000),
  };
}

/** CEF's and LEEF's, 0 to 10. */
const scores = { low: 3, medium: 5, high: 8, critical: 10, none: 1 };

/** A document from elsewhere may call anything its severity, `toString` too. */
function severityOf(value: unknown): Subject['severity'] {
  return typeof value === 'string' && value !== 'none' && Object.hasOwn(scores, value)
    ? (value as Subject['severity'])
    : undefined;
}

/** JSON in ASCII alone: some receivers know no UTF-8 without a mark, and choke on the mark. */
export function asciiJson(doc: EcsDocument): string {
  return JSON.stringify(doc).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function jsonPayload(subject: Subject, maxBytes: number): string {
  return asciiJson(slimDocument(subject.doc, maxBytes, (doc) => asciiJson(doc).length));
}

type Pair = readonly [key: string, value: string | number | undefined];

const maxValue = 1000;

/** Never by an object's own `toString`: a document may hold anything under that name. */
function plain(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function text(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const whole = Array.isArray(value) ? value.map(plain).join(' ') : plain(value);
  return whole.length > maxValue ? `${whole.slice(0, maxValue - 1)}…` : whole;
}

function technique(doc: EcsDocument): {
  readonly id: string | undefined;
  readonly tactic: string | undefined;
} {
  type Named = { id?: string[]; name?: string[]; subtechnique?: { id?: string[] } };
  const threat = doc['threat'] as { tactic?: Named; technique?: Named } | undefined;
  const ids = threat?.technique?.subtechnique?.id ?? threat?.technique?.id;
  return { id: text(ids), tactic: text(threat?.tactic?.name) };
}

// What a line-based receiver could take for a line's end or a command: controls, line and paragraph separators.
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function cefHeader(value: string): string {
  return value.replaceAll(/[\\|]/g, '\\$&').replaceAll(controls, ' ').slice(0, 512);
}

function cefValue(value: string): string {
  const escaped = value.replaceAll(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  return escaped.replaceAll(controls, ' ');
}

/** What stands or falls together: a label and its value. */
type Group = readonly Pair[];

/** The first groups, which are shortened before they are left out. */
const mustFit = 6;
const shortest = 32;

/**
 * Joins as many groups as fit into `maxBytes`, in their order. Of the first ones, which an alert cannot do without, long
 * values are shortened in their middle until all fit.
 */
function joinGroups(
  head: string,
  groups: readonly Group[],
  how: { separator: string; maxBytes: number; write: (key: string, value: string) => string },
): string {
  const given = groups
    .map((group) => group.map(([key, value]) => [key, text(value)] as const))
    .filter((group) => group.every(([, value]) => value !== undefined && value !== ''));
  const written = (group: readonly (readonly [string, string | undefined])[], limit: number) =>
    group.map(([key, value]) => how.write(key, clipMiddle(value as string, limit))).join(how.separator);
  for (let limit = maxValue; ; limit = Math.max(Math.floor(limit / 2), shortest)) {
    let line = head;
    let missed = 0;
    for (const [index, group] of given.entries()) {
      const part = written(group, index < mustFit ? limit : maxValue);
      const next = `${line}${line === head ? '' : how.separator}${part}`;
      if (Buffer.byteLength(next) <= how.maxBytes) line = next;
      else if (index < mustFit) missed++;
    }
    if (missed === 0 || limit === shortest) return line;
  }
}

/** 0 to 100, as text. */
function priorityOf(doc: EcsDocument): string | undefined {
  const alert = doc.launchwarden?.['alert'] as { priority?: { score?: unknown } } | undefined;
  return text(alert?.priority?.score);
}

/** ArcSight's Common Event Format, version 0. */
export function cefPayload(subject: Subject, maxBytes: number): string {
  const { doc } = subject;
  const { process, file } = doc;
  const severity = scores[subject.severity ?? 'none'];
  const { id, tactic } = technique(doc);
  const header = [
    'CEF:0',
    'launchwarden',
    'launchwarden',
    subject.version,
    subject.signature,
    subject.title,
    String(severity),
  ];
  const revision = subject.revision === undefined ? undefined : String(subject.revision);
  const labelled = (name: string, label: string, value: string | undefined): Group => [
    [`${name}Label`, label],
    [name, value],
  ];
  // Rule and severity stand in the header; what matters most comes first.
  const groups: Group[] = [
    [['rt', subject.time]],
    [['externalId', subject.documentId]],
    [['dvchost', text(doc.host?.name)]],
    [['filePath', text(file?.path)]],
    [['suser', text(doc.user?.name)]],
    labelled('cs4', 'launchLabel', text(doc.launchwarden?.plist?.label)),
    [['act', text(doc.event?.action)]],
    [['cat', tactic]],
    [['fname', text(file?.name)]],
    [['fileHash', text(file?.hash?.sha256)]],
    [['dvc', text(doc.host?.ip?.[0])]],
    [['suid', text(doc.user?.id)]],
    [['dproc', text(process?.executable)]],
    [['dpid', text(process?.pid)]],
    [['sproc', text(process?.parent?.executable)]],
    [['spid', text(process?.parent?.pid)]],
    [['msg', text(doc.event?.['reason'] ?? doc.message)]],
    labelled('cs1', 'commandLine', text(process?.command_line)),
    labelled('cs2', 'mitreTechnique', id),
    labelled('cs3', 'signingId', text(process?.code_signature?.signing_id)),
    labelled('flexString1', 'ruleUuid', text((doc['rule'] as RuleFields | undefined)?.uuid)),
    labelled('cn1', 'revision', revision),
    labelled('cn2', 'priority', priorityOf(doc)),
  ];
  const head = `${header.map((part, index) => (index === 0 ? part : cefHeader(part))).join('|')}|`;
  const write = (key: string, value: string) => `${key}=${cefValue(value)}`;
  return joinGroups(head, groups, { separator: ' ', maxBytes, write });
}

/** LEEF has no escapes: what would end a field becomes a space, in the header `|` becomes `/`. */
function leefText(value: string): string {
  return value.replaceAll(controls, ' ');
}

/** IBM QRadar's Log Event Extended Format 2.0, separated by tabs. */
export function leefPayload(subject: Subject, maxBytes: number): string {
  const { doc } = subject;
  const { process, file } = doc;
  const severity = scores[subject.severity ?? 'none'];
  const { id, tactic } = technique(doc);
  const header = ['LEEF:2.0', 'launchwarden', 'launchwarden', subject.version, subject.signature, 'x09'];
  const groups: Group[] = [
    [
      ['devTime', subject.time === 0 ? undefined : new Date(subject.time).toISOString()],
      ['devTimeFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSX"],
    ],
    [['ruleName', subject.title]],
    [['identHostName', text(doc.host?.name)]],
    [['resource', text(file?.path)]],
    [['eventId', subject.documentId]],
    [['sev', severity]],
    [['usrName', text(doc.user?.name)]],
    [['launchLabel', text(doc.launchwarden?.plist?.label)]],
    [['cat', tactic ?? text(doc.event?.action)]],
    [['action', text(doc.event?.action)]],
    [['fileHash', text(file?.hash?.sha256)]],
    [['process', text(process?.executable)]],
    [['pid', text(process?.pid)]],
    [['parentProcess', text(process?.parent?.executable)]],
    [['mitreTechnique', id]],
    [['reason', text(doc.event?.['reason'] ?? doc.message)]],
    [['commandLine', text(process?.command_line)]],
    [['revision', text(subject.revision)]],
    [['priority', priorityOf(doc)]],
  ];
  const head = `${header.map((part) => leefText(part).replaceAll('|', '/').slice(0, 512)).join('|')}|`;
  const write = (key: string, value: string) => `${key}=${leefText(value)}`;
  return joinGroups(head, groups, { separator: '\t', maxBytes, write });
}
