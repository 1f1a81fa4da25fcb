import type { Micros } from '../base/time.js';
import type { CodeSignatureFields, EcsDocument } from '../event/document.js';
import { installerOf, weightOf } from '../event/priority.js';
import {
  type ConditionSet,
  type Exception,
  planConditions,
  type Query,
  type RequiredSigner,
  type StepCondition,
} from '../rules/index.js';
import { conditionsOf } from './query-matcher.js';

/** What an exception may hide: one candidate of one match. */
export interface ExceptionCase {
  readonly rule: string;
  /** Event time. */
  readonly time: Micros;
  /** The candidate; of an alert about no file its last event. */
  readonly item: EcsDocument;
  /** The process event of the match, or the one that names the candidate. */
  readonly process: EcsDocument | undefined;
  /** The events of the match, the candidate in the place of its file; a missing event stands as undefined. */
  readonly steps: readonly (EcsDocument | undefined)[];
}

/** Findings of this weight speak against whoever signed the program: its list makes it do something else. */
const tooOdd = 20;

interface Planned {
  readonly exception: Exception;
  /** Places of its conditions in the set. */
  readonly item: number | undefined;
  readonly process: number | undefined;
  readonly steps: readonly { readonly number: number; readonly at: number }[];
}

/** Which candidates are not to be alerted on. */
export class Exceptions {
  readonly #planned: readonly Planned[];
  readonly #set: ConditionSet;

  readonly list: readonly Exception[];

  constructor(exceptions: readonly Exception[] = []) {
    this.list = exceptions;
    const conditions: StepCondition[] = [];
    const place = (query: Query | undefined): number | undefined =>
      query === undefined ? undefined : conditions.push(conditionsOf(query)[0] as StepCondition) - 1;
    this.#planned = exceptions.map((exception) => ({
      exception,
      item: place(exception.item),
      process: place(exception.process),
      steps: exception.steps.map(({ number, query }) => ({ number, at: place(query) as number })),
    }));
    this.#set = planConditions(conditions);
  }

  get size(): number {
    return this.#planned.length;
  }

  /** The first exception that hides the candidate. */
  find(one: ExceptionCase): Exception | undefined {
    return this.#planned.find((planned) => this.#hides(planned, one))?.exception;
  }

  #hides({ exception, ...at }: Planned, { rule, time, item, process, steps }: ExceptionCase): boolean {
    const { rules, expires, sha256, signer } = exception;
    if (rules.length > 0 && !rules.includes(rule)) return false;
    if (expires !== undefined && time >= expires) return false;
    if (sha256 !== undefined && item.file?.hash?.sha256 !== sha256) return false;
    if (sha256 === undefined && isOdd(item)) return false;
    if (signer !== undefined && !isSignedBy(item, signer)) return false;
    return (
      this.#holds(at.item, item) &&
      this.#holds(at.process, process) &&
      at.steps.every(({ number, at: place }) => this.#holds(place, steps[number - 1]))
    );
  }

  #holds(place: number | undefined, doc: EcsDocument | undefined): boolean {
    if (place === undefined) return true;
    try {
      return doc !== undefined && this.#set.test(place, doc);
    } catch {
      // What cannot be judged is not hidden.
      return false;
    }
  }
}

function isOdd({ launchwarden }: EcsDocument): boolean {
  const findings: unknown = launchwarden?.findings;
  const words = Array.isArray(findings) ? findings.filter((one) => typeof one === 'string') : [];
  return words.some((word) => weightOf([word]) >= tooOdd);
}

/**
 * Whether the vendor stands behind an item: its own signed program is what runs, and nobody else is known to have written
 * it; or its own signed program wrote it, and what runs is not known to be somebody else's.
 */
function isSignedBy(item: EcsDocument, signer: RequiredSigner): boolean {
  const program = item.launchwarden?.plist?.code_signature;
  const programIs =
    program?.trusted === undefined && program?.exists !== false ? undefined : isOf(program, signer);
  const writer = item.process?.code_signature;
  const writerIs = writer === undefined ? undefined : isOf(writer, signer);
  if (programIs === true) return writerIs !== false || installerOf(item.process) !== undefined;
  return programIs === undefined && writerIs === true;
}

function isOf(signature: CodeSignatureFields | undefined, { teamId, signingId }: RequiredSigner): boolean {
  return (
    signature?.trusted === true &&
    signature.team_id === teamId &&
    (signingId === undefined || signature.signing_id === signingId)
  );
}

/** Where a stored alert names a file. */
interface StoredCandidate {
  readonly event_id?: unknown;
  readonly named?: unknown;
  readonly link?: unknown;
}

/**
 * The exception that hides a whole stored alert: every candidate that it could be about is among its events and is hidden.
 * Undefined also when that cannot be told, as of a summary, or of a candidate whose event it does not embed.
 */
export function exceptionOf(exceptions: Exceptions, doc: EcsDocument, time: Micros): Exception | undefined {
  const { alert } = (doc.launchwarden ?? {}) as {
    alert?: { kind?: unknown; candidates?: unknown; candidate_count?: unknown; file_event_id?: unknown };
  };
  const rule: unknown = (doc['rule'] as { id?: unknown } | undefined)?.id;
  const embedded: unknown = doc['Events'];
  if (alert?.kind !== 'match' || typeof rule !== 'string' || !Array.isArray(embedded)) return undefined;
  const events = embedded.filter((one): one is EcsDocument => typeof one === 'object' && one !== null);
  const last = events.at(-1);
  if (last === undefined) return undefined;
  const candidates = (Array.isArray(alert.candidates) ? alert.candidates : []) as (StoredCandidate | null)[];
  const isPossible = candidates[0]?.link === 'possible';
  if (!isPossible && Number(alert.candidate_count ?? 0) > candidates.length) return undefined;
  const process = events.findLast((event) => event.process !== undefined);
  const judge = (item: EcsDocument) =>
    exceptions.find({ rule, time, item, process, steps: stepsWith(events, item) });
  const all = candidates.map((one) => ({ named: one?.named === true, id: one?.event_id }));
  // What a call may mean besides what it names is told file by file.
  const relevant = isPossible ? all.slice(0, 1) : isAboutNone(doc) ? [] : relevantOf(all);
  if (relevant.length === 0) return judge(last);
  let found: Exception | undefined;
  for (const { id } of relevant) {
    const item = events.find((event) => event.event?.id !== undefined && event.event.id === id);
    const exception = item && judge(item);
    if (exception === undefined) return undefined;
    found ??= exception;
  }
  return found;
}

/** Whether the call of an alert loads something else than any of its candidates: it is about the call alone. */
function isAboutNone({ launchwarden }: EcsDocument): boolean {
  const findings: unknown = launchwarden?.findings;
  return Array.isArray(findings) && findings.includes('not-the-loaded-item');
}

/** Those that an alert could be about: what a process names; where it names none, all of them. */
export function relevantOf<C extends { readonly named: boolean }>(candidates: readonly C[]): readonly C[] {
  const named = candidates.filter((one) => one.named);
  return named.length > 0 ? named : candidates;
}

/** The events of a match with the candidate in the place of the file, when the match has one. */
export function stepsWith(
  events: readonly (EcsDocument | undefined)[],
  item: EcsDocument,
): readonly (EcsDocument | undefined)[] {
  const files = events.filter((one) => one?.file !== undefined);
  if (files.length !== 1 || item.file === undefined) return events;
  return events.map((one) => (one === files[0] ? item : one));
}
