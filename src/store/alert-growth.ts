import { parseTime } from '../base/time.js';
import {
  type AlertContext,
  alertDocument,
  type Candidate,
  type Detection,
  type Settled,
  shownOf,
  type WorkflowFields,
  withPriority,
} from '../event/alert.js';
import type { EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';

/** What we read back from `launchwarden.alert` of a stored document (written by alertDocument). */
interface AlertFields {
  kind: Detection['kind'];
  revision?: number;
  repeats: number;
  suppressed: number;
  candidates: CandidateFields[];
  candidate_count: number;
  sensors: string[];
  file_event_id?: string;
  process_event_id?: string;
  /** Why it needs nobody, as the agent found out. */
  settled?: Settled;
  /** Where it is in the work of people. */
  workflow?: WorkflowFields;
}

interface CandidateFields {
  event_id: string;
  path?: string;
  action?: string;
  sha256?: string;
  label?: string;
  findings?: string[];
  named: boolean;
}

export function alertFields(doc: EcsDocument): AlertFields {
  return doc.launchwarden?.['alert'] as AlertFields;
}

function storedEvents(doc: EcsDocument): EcsDocument[] {
  return Array.isArray(doc['Events']) ? (doc['Events'] as EcsDocument[]) : [];
}

/**
 * Ids of every event that an alert's document speaks of. A summary takes part in no amendment: whoever floods could make it
 * grow with each file that is still being written.
 */
export function eventIdsOf(doc: EcsDocument): string[] {
  const { kind, candidates } = alertFields(doc);
  if (kind === 'summary') return [];
  const ids = [
    ...storedEvents(doc).map((event) => event.event?.id),
    ...candidates.map((candidate) => candidate.event_id),
  ];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** Hashes of every file content that an alert's document names. */
export function hashesOf(doc: EcsDocument): string[] {
  const hashes = [
    doc.file?.hash?.sha256,
    ...storedEvents(doc).map((event) => event.file?.hash?.sha256),
    ...alertFields(doc).candidates.map((candidate) => candidate.sha256),
  ];
  return [...new Set(hashes.filter((hash) => typeof hash === 'string'))];
}

/**
 * The document after a detection came again with more, or undefined when it tells nothing new. Nothing that is stored
 * ever shrinks: counts take the larger, candidates the union, an event the fuller of its two documents. `amended` holds
 * the events whose stored document is newer than what detection remembers.
 */
export function grownDocument(
  doc: EcsDocument,
  detection: Detection,
  context: AlertContext & { readonly amended: ReadonlySet<string> },
): EcsDocument | undefined {
  const old = alertFields(doc);
  const known = new Map(storedEvents(doc).map((stored) => [stored.event?.id, stored]));
  let grew = detection.repeats > old.repeats || detection.suppressed > old.suppressed;

  const fuller = (event: Event): Event => {
    const stored = known.get(event.id);
    if (stored === undefined) return event;
    const more = JSON.stringify(event.doc).length > JSON.stringify(stored).length;
    if (!more || context.amended.has(event.id)) return { ...event, doc: stored };
    grew = true;
    return event;
  };
  const events = detection.events.map((event) => (event === null ? null : fuller(event)));
  const candidates: Candidate[] = detection.candidates.map((one) => ({ ...one, event: fuller(one.event) }));

  const present = new Set(candidates.map(({ event }) => event.id));
  const before = new Map(old.candidates.map((candidate) => [candidate.event_id, candidate]));
  const left = old.candidates.filter((candidate) => !present.has(candidate.event_id));
  const allShown = old.candidate_count <= old.candidates.length;
  const total = allShown ? candidates.length + left.length : Math.max(old.candidate_count, candidates.length);
  const hadNamed = old.candidates.some((candidate) => candidate.named);
  const isSummary = detection.kind === 'summary';
  if (!isSummary && total > old.candidate_count) grew = true;
  for (const { event, named } of candidates) {
    if (named && (before.get(event.id)?.named ?? hadNamed) === false) grew = true;
  }
  if (!grew && !isSummary) return undefined;

  const next = alertDocument(
    {
      ...detection,
      events,
      candidates,
      repeats: Math.max(detection.repeats, old.repeats),
      suppressed: Math.max(detection.suppressed, old.suppressed),
      time: Math.max(detection.time, parseTime(doc['@timestamp'])?.time ?? 0),
    },
    { ...context, sensors: [...new Set([...old.sensors, ...context.sensors])] },
  );
  const fields = alertFields(next);
  if (old.settled !== undefined) fields.settled = old.settled;
  if (old.workflow !== undefined) fields.workflow = old.workflow;
  const story = doc.launchwarden?.['story'];
  if (story !== undefined) next.launchwarden = { ...next.launchwarden, story };
  const isNews = ({ event_id, named }: CandidateFields) => {
    const stored = before.get(event_id);
    return stored === undefined || (named && !stored.named);
  };
  if (!grew && !fields.candidates.some(isNews)) return undefined;
  const kept = fields.candidates.map((candidate) => {
    const stored = before.get(candidate.event_id);
    return stored?.named === true && !candidate.named ? stored : candidate;
  });
  const all = [...kept, ...left].sort((a, b) => Number(b.named) - Number(a.named));
  fields.candidates = shownOf(detection.kind, all);
  if (!isSummary) fields.candidate_count = total;
  const file = old.file_event_id;
  if (file === undefined) return withPriority(next);
  const told = new Set([...present, ...events.map((event) => event?.id)]);
  const isNamed = candidates.some(({ event, named }) => named && event.id === file);
  if (!told.has(file) || (before.get(file)?.named === true && !isNamed)) keepFile(next, doc);
  return withPriority(next);
}

/** The file that the stored alert named is not among what came now: it stays. */
function keepFile(next: EcsDocument, stored: EcsDocument): void {
  copyFileFields(next, stored);
  const id = alertFields(stored).file_event_id;
  if (id !== undefined) alertFields(next).file_event_id = id;
  next.event = { ...next.event, reason: stored.event?.['reason'] };
}

function copyFileFields(target: EcsDocument, source: EcsDocument): void {
  for (const key of ['file', 'Persistence'] as const) {
    if (source[key] !== undefined) target[key] = source[key] as never;
  }
  const own = { ...target.launchwarden };
  for (const key of ['plist', 'findings', 'persistence', 'scan'] as const) {
    if (source.launchwarden?.[key] !== undefined) own[key] = source.launchwarden[key] as never;
  }
  target.launchwarden = own;
}

/** Of an alert about a process alone: what a scan says of the files that it names. */
function copyScan(target: EcsDocument, { launchwarden }: EcsDocument): void {
  if (launchwarden?.scan === undefined) return;
  const own = target.launchwarden ?? {};
  const findings = [...new Set([...(own.findings ?? []), ...(launchwarden.findings ?? [])])];
  target.launchwarden = { ...own, scan: launchwarden.scan, ...(findings.length === 0 ? {} : { findings }) };
}

/** The document after one of its events was amended, or undefined when that changes nothing. */
export function amendedDocument(doc: EcsDocument, event: Event): EcsDocument | undefined {
  const before = JSON.stringify(doc);
  const next = JSON.parse(before) as EcsDocument;
  next['Events'] = storedEvents(next).map((stored) => (stored.event?.id === event.id ? event.doc : stored));
  const fields = alertFields(next);
  for (const candidate of fields.candidates) {
    if (candidate.event_id !== event.id) continue;
    const sha256 = event.doc.file?.hash?.sha256;
    const label = event.doc.launchwarden?.plist?.label;
    if (sha256 !== undefined) candidate.sha256 = sha256;
    if (label !== undefined) candidate.label = label;
    const findings = event.doc.launchwarden?.findings;
    if (findings !== undefined) candidate.findings = findings;
  }
  if (fields.file_event_id === event.id) copyFileFields(next, event.doc);
  if (fields.process_event_id === event.id && event.doc.process !== undefined)
    next.process = event.doc.process;
  if (fields.process_event_id === event.id && fields.file_event_id === undefined) copyScan(next, event.doc);
  return JSON.stringify(next) === before ? undefined : withPriority(next);
}
