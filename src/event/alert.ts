import { things } from '../base/count.js';
import { formatMicros, type Micros } from '../base/time.js';
import type { EcsDocument, LaunchdJobFields } from './document.js';
import type { Event } from './event.js';
import { type Priority, priorityOf } from './priority.js';
import { type RuleMeta, type Severity, severityScore, type Threat } from './rule-meta.js';

/**
 * A file that could have been the one a sequence is about, best first. In a summary: what an alert that was held back is
 * about, its last event when that is no file.
 */
export interface Candidate {
  readonly event: Event;
  /** True when the completing process names it: by path, by a folder it is in, or by its label. */
  readonly named: boolean;
  /**
   * Why it stands where it stands: `path`, `directory`, `label`, `matched` (the rule language chose it), `possible` (what
   * the process names was not seen in full, or led nowhere any more), `window`.
   */
  readonly link: 'path' | 'directory' | 'label' | 'matched' | 'possible' | 'window';
  /** The process event that it was judged with, when that is not the last event of the alert. */
  readonly process?: Event;
}

/**
 * What detection found. The same id may come again with more repeats or candidates: the alert has grown. A detection
 * never shrinks one.
 */
export interface Detection {
  readonly id: string;
  readonly rule: RuleMeta;
  /** `summary` counts what `max_signals` held back in one interval. */
  readonly kind: 'match' | 'summary';
  /** Event time of the last matched event; of a summary, the time of the newest event that it counts. */
  readonly time: Micros;
  /** The matched events in sequence order; a missing-event step stands as null. Empty for a summary. */
  readonly events: readonly (Event | null)[];
  readonly joinKeys: readonly unknown[];
  readonly candidates: readonly Candidate[];
  /**
   * True when the launchctl call was seen in full and named none of the files of the window when the rule matched: the rule
   * language joins them, and the alert is about the call. No longer so once a candidate is named.
   */
  readonly unlinked?: true;
  /** Later matches of the same rule on the same file (path and inode), counted instead of alerted again. */
  readonly repeats: number;
  /** Of a summary: how many alerts it stands for. */
  readonly suppressed: number;
  /** Of a summary: whose alerts were held back, the newest of them, and some that are odd. */
  readonly flood?: {
    readonly user: string;
    readonly newest?: Candidate;
    readonly odd: readonly Candidate[];
  };
}

export const alertStatuses = ['open', 'acknowledged', 'closed'] as const;
export type AlertStatus = (typeof alertStatuses)[number];

/** What an alert turned out to be when a person closed it. */
export const closeReasons = ['true_positive', 'false_positive', 'benign'] as const;
export type CloseReason = (typeof closeReasons)[number];

/** A stored alert. `doc` is what is shown and forwarded; triage state is kept beside it. */
export interface Alert {
  readonly id: string;
  /** 1 at first; one more each time the document changed. Id and revision name a document at every destination. */
  readonly revision: number;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: Severity;
  readonly riskScore: number;
  /** From the findings: how soon a person should look at it. */
  readonly priority: Priority;
  /** `launchwarden.persistence.item_id` of what it is about; undefined when it is about no persistent item. */
  readonly item?: string;
  /** Event time. */
  readonly time: Micros;
  /** When it was committed. */
  readonly created: Micros;
  readonly updated: Micros;
  readonly status: AlertStatus;
  /** Of a closed one; undefined when whoever closed it gave none. */
  readonly closedAs?: CloseReason;
  /** When it was closed; undefined while it is not. */
  readonly closedAt?: Micros;
  /** Who works on it. */
  readonly assignee?: string;
  /** In the order of the alphabet. */
  readonly tags: readonly string[];
  readonly doc: EcsDocument;
  /** Everything that was done to it, oldest first. */
  readonly notes: readonly AlertNote[];
}

export interface AlertNote {
  readonly time: Micros;
  readonly author: string;
  /** What was done: `note`, `response`, `assigned`, `tagged`, `untagged`, or the state it was moved to. */
  readonly kind: string;
  /** May be empty, but not of a note. */
  readonly text: string;
  /** Of `closed` the reason, of `assigned` the person (empty: nobody), of `tagged` and `untagged` the tag; else empty. */
  readonly value: string;
}

/** Where an alert is in the work of people: `launchwarden.alert.workflow`, absent until somebody works on it. */
export interface WorkflowFields {
  readonly status: AlertStatus;
  readonly reason?: CloseReason;
  readonly assignee?: string;
  readonly tags?: readonly string[];
  /** ISO 8601, of the newest change. */
  readonly changed: string;
  readonly changed_by: string;
  /** The newest steps, oldest first. */
  readonly history: readonly {
    readonly time: string;
    readonly by: string;
    readonly action: string;
    readonly value?: string;
    readonly text?: string;
  }[];
}

/** Author of what the agent itself does to an alert. */
export const agentAuthor = 'launchwarden';

/** Why an alert needs nobody, as the agent found out by itself: `launchwarden.alert.settled`. */
export interface Settled {
  readonly reason: 'known update' | 'exception' | 'canary';
  /** For people. */
  readonly text: string;
}

/** Where the item of an alert is in its life, as it was told last: `launchwarden.story`. */
export interface StoryFields {
  readonly stage: string;
  /** ISO 8601. */
  readonly since: string;
  readonly says?: string;
}

export interface AlertContext {
  readonly version: string;
  readonly agentId: string;
  readonly created: Micros;
  /** Sensors that ran when it was made: the telemetry tier. */
  readonly sensors: readonly string[];
  readonly simulated: boolean;
}

function threatFields(threat: readonly Threat[]): object {
  const tactics = threat.map((entry) => entry.tactic);
  const techniques = threat.flatMap((entry) => entry.technique);
  const sub = techniques.flatMap((technique) => technique.subtechnique ?? []);
  const fields = (list: readonly { id: string; name: string; reference: string }[]) => ({
    id: list.map((one) => one.id),
    name: list.map((one) => one.name),
    reference: list.map((one) => one.reference),
  });
  return {
    framework: threat[0]?.framework ?? 'MITRE ATT&CK',
    tactic: fields(tactics),
    technique: { ...fields(techniques), ...(sub.length === 0 ? {} : { subtechnique: fields(sub) }) },
  };
}

/** The last event that has the field set: the completing step speaks first. */
function lastWith(events: readonly Event[], field: string): Event | undefined {
  return events.findLast((event) => event.doc[field] !== undefined);
}

function reasonOf(
  detection: Detection,
  about: {
    readonly file: EcsDocument | undefined;
    readonly process: EcsDocument | undefined;
    readonly job: LaunchdJobFields | undefined;
    /** The process that names the file, when it is another one. */
    readonly naming: EcsDocument | undefined;
  },
): string {
  const { file: fileDoc, process: processDoc, job, naming } = about;
  if (detection.kind === 'summary') return floodReason(detection);
  const parts: string[] = [];
  if (isUnlinked(detection)) return unlinkedReason(detection, processDoc);
  const path = fileDoc?.file?.path;
  if (path !== undefined) parts.push(`${fileDoc?.event?.action ?? 'change'} of ${path}`);
  const commandLine = processDoc?.process?.command_line;
  if (commandLine !== undefined) parts.push(`process ${commandLine}`);
  const namedBy = naming && commandLineOf(naming);
  if (namedBy !== undefined) parts.push(`named by ${namedBy}`);
  if (job?.label !== undefined) parts.push(`loaded as ${job.domain ?? '?'}/${job.label}`);
  const user = processDoc?.user?.name ?? processDoc?.user?.id;
  if (user !== undefined) parts.push(`by user ${user}`);
  return parts.length === 0 ? detection.rule.name : parts.join(', ');
}

function isUnlinked({ unlinked, candidates }: Detection): boolean {
  return unlinked === true && !candidates.some(({ named }) => named);
}

function unlinkedReason({ candidates }: Detection, process: EcsDocument | undefined): string {
  const [newest] = candidates;
  const user = process?.user?.name ?? process?.user?.id;
  const parts = [
    `process ${process?.process?.command_line ?? (process && commandLineOf(process)) ?? 'launchctl'}`,
    ...(user === undefined ? [] : [`by user ${user}`]),
    'it names none of the files that changed before',
    ...(newest === undefined ? [] : [`the newest of them: ${subjectOf(newest) ?? '?'}`]),
  ];
  return parts.join(', ');
}

/** A path in a reason is cut to so many characters. */
const maxReasonPath = 512;

function floodReason({ suppressed, rule, flood }: Detection): string {
  const parts = [
    `${things(suppressed, `more alert of "${rule.name}" was`, `more alerts of "${rule.name}" were`)} held back by max_signals`,
  ];
  if (flood !== undefined) parts[0] += `: the ${rule.maxSignals} of ${flood.user} are used up`;
  const newest = flood?.newest && subjectOf(flood.newest);
  if (newest !== undefined) parts.push(`newest: ${newest}`);
  const odd = (flood?.odd ?? []).map(subjectOf).filter((one) => one !== undefined);
  if (odd.length > 0) parts.push(`odd: ${odd.join(', ')}`);
  return parts.join('; ');
}

/** What an alert that was held back is about: its file with the findings about it, else its process. */
function subjectOf({ event: { doc } }: Candidate): string | undefined {
  const path: unknown = doc.file?.path;
  if (typeof path !== 'string') return commandLineOf(doc);
  const findings: unknown = doc.launchwarden?.findings;
  const words = Array.isArray(findings) ? findings.filter((one) => typeof one === 'string') : [];
  return `${path.slice(0, maxReasonPath)}${words.length === 0 ? '' : ` (${words.slice(0, 5).join(', ')})`}`;
}

/**
 * A document names so many candidates, the best ones; `candidate_count` tells how many there were. A summary names more,
 * since each would have been an alert, as far as they fit into so many characters of JSON.
 */
const shownCandidates: Record<Detection['kind'], number> = { match: 100, summary: 1_000 };
const maxCandidateText = 256 * 1024;
const maxCommandLine = 256;

/** The first ones that there is room for in a document of that kind. */
export function shownOf<C extends object>(kind: Detection['kind'], candidates: readonly C[]): C[] {
  const shown = candidates.slice(0, shownCandidates[kind]);
  if (kind === 'match') return shown;
  let room = maxCandidateText;
  return shown.filter((one) => {
    const { length } = JSON.stringify(one);
    if (length > room) return false;
    room -= length;
    return true;
  });
}

function commandLineOf({ process }: EcsDocument): string | undefined {
  const args: unknown = process?.args;
  const text: unknown = Array.isArray(args)
    ? args
        .slice(0, maxCommandLine)
        .filter((one) => typeof one === 'string')
        .join(' ')
    : process?.command_line;
  if (typeof text !== 'string' || text === '') return undefined;
  return text.length > maxCommandLine ? `${text.slice(0, maxCommandLine - 1)}…` : text;
}

function candidateFields({ event, named, link, process }: Candidate): object {
  return {
    event_id: event.id,
    '@timestamp': event.doc['@timestamp'],
    path: event.doc.file?.path,
    action: event.doc.event?.action,
    sha256: event.doc.file?.hash?.sha256,
    label: event.doc.launchwarden?.plist?.label,
    findings: event.doc.launchwarden?.findings,
    named,
    link,
    ...(process === undefined
      ? {}
      : {
          process: {
            event_id: process.id,
            '@timestamp': process.doc['@timestamp'],
            command_line: commandLineOf(process.doc),
          },
        }),
  };
}

/**
 * The document of an alert: an ECS document that satisfies the field contract of Elastic's prebuilt "External Alerts"
 * rule (elastic/detection-rules rules/promotions/external_alerts.toml: event.kind, event.module, event.severity of
 * 21, 47, 73 or 99, event.risk_score, message as the rule's name). It embeds its events, since the event store is
 * pruned. Without `created` it is a pure function of the detection.
 */
export function alertDocument(detection: Detection, context: AlertContext): EcsDocument {
  const { rule } = detection;
  const events = detection.events.filter((event) => event !== null);
  const isSummary = detection.kind === 'summary';
  const [front] = detection.candidates;
  const best = isSummary
    ? undefined
    : front?.link === 'possible'
      ? front
      : (detection.candidates.find((candidate) => candidate.named) ?? unmatched(detection));
  const unlinked = isUnlinked(detection);
  const fileEvent = unlinked ? undefined : (best?.event ?? lastWith(events, 'file'));
  const processEvent = lastWith(events, 'process');
  const call = (best?.process ?? processEvent)?.doc.launchwarden?.process;
  const launchctl = (best?.process ?? processEvent)?.doc.launchwarden?.launchctl;
  const job = events.findLast(({ doc }) => doc.launchwarden?.job !== undefined)?.doc.launchwarden?.job;
  const about = fileEvent ?? events.findLast(({ doc }) => doc.launchwarden?.persistence !== undefined);
  const persistence = unlinked ? undefined : about?.doc.launchwarden?.persistence;
  const program = unlinked ? undefined : fileEvent?.doc.launchwarden?.program;
  const last = events.at(-1);
  const first = events[0];
  const subject = processEvent ?? fileEvent ?? last;
  return withPriority({
    '@timestamp': formatMicros(detection.time),
    message: rule.name,
    ecs: { version: '8.11.0' },
    agent: { id: context.agentId, type: 'launchwarden', version: context.version },
    data_stream: { type: 'logs', dataset: 'launchwarden.alerts', namespace: 'default' },
    event: {
      kind: 'alert',
      module: 'launchwarden',
      dataset: 'launchwarden.alerts',
      category: ['intrusion_detection'],
      type: ['info'],
      action: 'rule-match',
      id: detection.id,
      created: formatMicros(context.created),
      severity: severityScore[rule.severity],
      risk_score: rule.riskScore,
      reason: reasonOf(detection, {
        file: fileEvent?.doc,
        process: processEvent?.doc,
        job,
        naming: best?.process?.doc,
      }),
      ...(first !== undefined && last !== undefined && first !== last
        ? { start: first.doc['@timestamp'], end: last.doc['@timestamp'] }
        : {}),
    },
    rule: {
      id: rule.id,
      uuid: rule.id,
      name: rule.name,
      description: rule.description,
      version: String(rule.version),
      ruleset: rule.file.startsWith('builtin/') ? 'launchwarden' : 'imported',
      author: [...rule.author],
      license: rule.license,
      reference: rule.references[0],
      category: rule.type,
    },
    threat: threatFields(rule.threat),
    ...(subject?.doc.host === undefined ? {} : { host: subject.doc.host }),
    ...(subject?.doc.user === undefined ? {} : { user: subject.doc.user }),
    ...(subject?.doc.group === undefined ? {} : { group: subject.doc.group }),
    ...(processEvent?.doc.process === undefined ? {} : { process: processEvent.doc.process }),
    ...(fileEvent?.doc.file === undefined ? {} : { file: fileEvent.doc.file }),
    ...(fileEvent?.doc.Persistence === undefined ? {} : { Persistence: fileEvent.doc.Persistence }),
    tags: [...rule.tags],
    labels: { launchwarden_simulated: context.simulated },
    launchwarden: {
      ...(fileEvent?.doc.launchwarden?.plist === undefined
        ? {}
        : { plist: fileEvent.doc.launchwarden.plist }),
      ...(unlinked ? { findings: ['not-the-loaded-item'] } : {}),
      ...(fileEvent?.doc.launchwarden?.findings === undefined
        ? {}
        : { findings: fileEvent.doc.launchwarden.findings }),
      ...(persistence === undefined ? {} : { persistence }),
      ...(program === undefined ? {} : { program }),
      ...(fileEvent?.doc.launchwarden?.scan === undefined ? {} : { scan: fileEvent.doc.launchwarden.scan }),
      ...(job === undefined ? {} : { job }),
      ...(call === undefined ? {} : { process: call }),
      ...(launchctl === undefined ? {} : { launchctl }),
      alert: {
        id: detection.id,
        kind: detection.kind,
        severity: rule.severity,
        repeats: detection.repeats,
        suppressed: detection.suppressed,
        ...(detection.flood === undefined ? {} : { user: detection.flood.user }),
        join_keys: detection.joinKeys.map((key) => JSON.stringify(key) ?? 'null'),
        candidates: shownOf(
          detection.kind,
          detection.candidates.slice(0, shownCandidates[detection.kind]).map(candidateFields),
        ),
        candidate_count: isSummary ? detection.suppressed : detection.candidates.length,
        file_event_id: fileEvent?.id,
        process_event_id: processEvent?.id,
        sensors: [...context.sensors],
      },
      rule: {
        interval: rule.interval,
        from: rule.from,
        max_signals: rule.maxSignals,
        references: [...rule.references],
        false_positives: [...rule.falsePositives],
        note: rule.note,
        setup: rule.setup,
        query: rule.query,
        file: rule.file,
        ...(rule.buildingBlock === undefined ? {} : { building_block_type: rule.buildingBlock }),
      },
    },
    Events: events.map((event) => event.doc),
  });
}

/** The best candidate when what the rule language matched is none: an exception hides that, and the alert is not about it. */
function unmatched({ events, candidates }: Detection): Candidate | undefined {
  const matched = new Set(events.map((event) => event?.id));
  return candidates.some(({ event }) => matched.has(event.id)) ? undefined : candidates[0];
}

/** The document of an alert with the priority that follows from what it holds now. */
export function withPriority(doc: EcsDocument): EcsDocument {
  const alert = doc.launchwarden?.['alert'] as { severity: Severity } | undefined;
  const priority = priorityOf(alert?.severity ?? 'low', doc);
  return marked({ ...doc, launchwarden: { ...doc.launchwarden, alert: { ...alert, priority } } });
}

/** An alert about the canary is told from others by a label, and by the lowest severity; one that is none any more is not. */
function marked(doc: EcsDocument): EcsDocument {
  const { severity, settled } = (doc.launchwarden?.['alert'] ?? {}) as {
    severity?: Severity;
    settled?: Partial<Settled>;
  };
  const isCanary = settled?.reason === 'canary';
  if (!isCanary && doc.labels?.['launchwarden_canary'] === undefined) return doc;
  const { launchwarden_canary: _, ...labels } = doc.labels ?? {};
  return {
    ...doc,
    labels: isCanary ? { ...labels, launchwarden_canary: true } : labels,
    event: { ...doc.event, severity: severityScore[isCanary ? 'low' : (severity ?? 'low')] },
  };
}
