import { randomUUID } from 'node:crypto';
import { things } from '../base/count.js';
import { formatMicros, type Micros } from '../base/time.js';
import type { ChainEnd } from '../event/chain.js';
import type { EcsDocument, HostFields } from '../event/document.js';
import type { Gap } from '../event/event.js';
import { notSeen } from './unseen.js';

/** Who speaks in a status document. */
export interface StatusContext {
  readonly version: string;
  readonly agentId: string;
  readonly host?: HostFields;
  readonly simulated: boolean;
}

/** A document of our own, ready for the status lane. `id` is unlike any other. */
export interface StatusDocument {
  readonly id: string;
  readonly body: string;
}

interface Part {
  readonly time: Micros;
  readonly action: string;
  readonly kind: 'event' | 'metric' | 'state';
  readonly message: string;
  readonly outcome?: 'success' | 'failure';
  readonly start?: Micros;
  readonly end?: Micros;
  readonly details: Record<string, unknown>;
}

function statusDocument(part: Part, context: StatusContext): StatusDocument {
  const id = randomUUID();
  const doc: EcsDocument = {
    '@timestamp': formatMicros(part.time),
    message: part.message,
    ecs: { version: '8.11.0' },
    agent: { id: context.agentId, type: 'launchwarden', version: context.version },
    data_stream: { type: 'logs', dataset: 'launchwarden.status', namespace: 'default' },
    event: {
      id,
      kind: part.kind,
      module: 'launchwarden',
      dataset: 'launchwarden.status',
      category: ['host'],
      type: ['info'],
      action: part.action,
      created: formatMicros(part.time),
      ...(part.outcome === undefined ? {} : { outcome: part.outcome }),
      ...(part.start === undefined ? {} : { start: formatMicros(part.start) }),
      ...(part.end === undefined ? {} : { end: formatMicros(part.end) }),
    },
    ...(context.host === undefined ? {} : { host: context.host }),
    labels: { launchwarden_simulated: context.simulated },
    launchwarden: { status: { action: part.action, ...part.details } },
  };
  return { id, body: JSON.stringify(doc) };
}

/** A stretch of time in which something may have been missed. */
export function gapDocument(gap: Gap, now: Micros, context: StatusContext): StatusDocument {
  const { sensor, reason, from, to, lost, detail } = gap;
  return statusDocument(
    {
      time: now,
      action: 'gap',
      kind: 'event',
      outcome: 'failure',
      message: `${sensor} may have missed something: ${reason}`,
      start: from,
      end: to,
      details: {
        ...{ sensor, reason, detail: detail.slice(0, 1000) },
        not_seen: notSeen(gap),
        since: formatMicros(from),
        ...(lost === undefined ? {} : { lost }),
      },
    },
    context,
  );
}

/** One thing that speaks against the agent, and since when it does. */
export interface HealthReason {
  readonly text: string;
  readonly since: Micros;
}

export interface HealthChange {
  readonly verdict: string;
  /** What it was before; undefined at the first time. */
  readonly before: string | undefined;
  /** All that speak against it now, the gravest first. */
  readonly reasons: readonly HealthReason[];
  /** Those that came just now, and those that are over. */
  readonly begun: readonly string[];
  readonly ended: readonly string[];
}

/** How well the agent sees, keeps and delivers has changed. */
export function healthDocument(
  { verdict, before, reasons, begun, ended }: HealthChange,
  now: Micros,
  context: StatusContext,
): StatusDocument {
  const [first] = reasons.filter(({ text }) => begun.includes(text)).concat(reasons);
  return statusDocument(
    {
      time: now,
      action: 'health',
      kind: 'state',
      outcome: reasons.length === 0 ? 'success' : 'failure',
      message:
        first === undefined ? 'launchwarden is healthy again' : `launchwarden is ${verdict}: ${first.text}`,
      ...(first === undefined ? {} : { start: first.since }),
      details: {
        verdict,
        ...(before === undefined ? {} : { before }),
        ...(first === undefined ? {} : { not_seen: first.text, since: formatMicros(first.since) }),
        reasons: reasons.map(({ text, since }) => `${text} (since ${formatMicros(since).slice(0, 19)}Z)`),
        begun: [...begun],
        ended: [...ended],
      },
    },
    context,
  );
}

/** The last word of an agent that ends in order. */
export function stoppedDocument(chain: ChainState, now: Micros, context: StatusContext): StatusDocument {
  return statusDocument(
    {
      time: now,
      action: 'stopping',
      kind: 'state',
      outcome: 'failure',
      message: 'launchwarden ends: nothing is seen until it starts again',
      start: now,
      details: {
        not_seen: notSeen({ sensor: 'agent', reason: 'stopping' }),
        since: formatMicros(now),
        chain,
      },
    },
    context,
  );
}

/** A result of a response that is about no alert. */
export function responseDocument(
  { author, text }: { readonly author: string; readonly text: string },
  now: Micros,
  context: StatusContext,
): StatusDocument {
  return statusDocument(
    {
      time: now,
      action: 'response',
      kind: 'event',
      message: text.slice(0, 2_000),
      details: { author, detail: text.slice(0, 2_000) },
    },
    context,
  );
}

/** What happened to the configuration or the policy of this Mac; the refused ones left everything as it was. */
export type ChangeAction = 'policy-applied' | 'policy-refused' | 'policy-rolled-back' | 'config-refused';

export function changeDocument(
  { action, text }: { readonly action: ChangeAction; readonly text: string },
  now: Micros,
  context: StatusContext,
): StatusDocument {
  return statusDocument(
    {
      time: now,
      action,
      kind: 'event',
      outcome: action === 'policy-applied' ? 'success' : 'failure',
      message: text.slice(0, 2_000),
      details: { detail: text.slice(0, 2_000) },
    },
    context,
  );
}

/** What the outbox lost or gave up for one destination since the last such document. */
export interface Losses {
  readonly destination: string;
  readonly dead: number;
  readonly evictedAlerts: number;
  readonly evictedEvents: number;
  /** Ids of the first documents that died. */
  readonly deadIds: readonly string[];
}

export function lossDocument(losses: Losses, now: Micros, context: StatusContext): StatusDocument {
  const { destination, dead, evictedAlerts, evictedEvents, deadIds } = losses;
  return statusDocument(
    {
      time: now,
      action: 'delivery-loss',
      kind: 'event',
      outcome: 'failure',
      message: `${things(dead + evictedAlerts + evictedEvents, `document for "${destination}" was`, `documents for "${destination}" were`)} not delivered`,
      details: {
        destination,
        dead_letters: dead,
        evicted_alerts: evictedAlerts,
        evicted_events: evictedEvents,
        document_ids: [...deadIds],
      },
    },
    context,
  );
}

/** A destination that cannot be set up, or can be again: the others hear of it. */
export function parkedDocument(
  parked: { readonly destination: string; readonly reason: string | undefined },
  now: Micros,
  context: StatusContext,
): StatusDocument {
  const { destination, reason } = parked;
  return statusDocument(
    {
      time: now,
      action: reason === undefined ? 'destination-set-up' : 'destination-parked',
      kind: 'event',
      outcome: reason === undefined ? 'success' : 'failure',
      message:
        reason === undefined
          ? `destination "${destination}" is set up`
          : `destination "${destination}" cannot be set up: ${reason}`,
      details: { destination, ...(reason === undefined ? {} : { reason }) },
    },
    context,
  );
}

/** The state of the chain over all committed alerts (`launchwarden.chain` of each alert document). */
export interface ChainState extends ChainEnd {
  /** How the chain of the database before ended. */
  readonly before?: ChainEnd;
}

export interface Heartbeat {
  readonly chain: ChainState;
  /** When the next one is made at the latest. */
  readonly next: Micros;
  /** Names and counts that the agent wants told: sensors, rules, queue depths. */
  readonly health: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/**
 * "I am alive, and so many alerts were committed, the last one with this digest." A receiver that holds fewer, or whose
 * last digest is another, knows that something was kept from it; one that hears nothing by `next` knows that the agent is gone.
 */
export function heartbeatDocument(beat: Heartbeat, now: Micros, context: StatusContext): StatusDocument {
  const { chain, health, next } = beat;
  return statusDocument(
    {
      time: now,
      action: 'heartbeat',
      kind: 'metric',
      outcome: 'success',
      message: 'launchwarden is alive',
      details: {
        next: formatMicros(next),
        chain,
        health,
      },
    },
    context,
  );
}

/** An alert that somebody hands on, with what is needed to work on it elsewhere. */
export interface Escalation {
  /** Document of the alert; what a receiver shows of an alert is taken from it. */
  readonly alert: EcsDocument;
  readonly alertId: string;
  readonly author: string;
  readonly ticket?: string;
  readonly note?: string;
  /** Timeline, answers, evidence: `launchwarden.escalation.*`. */
  readonly bundle: Readonly<Record<string, unknown>>;
}

export function escalationDocument(
  { alert, alertId, author, ticket, note, bundle }: Escalation,
  now: Micros,
  context: StatusContext,
): StatusDocument {
  const rule = alert['rule'] as { name?: unknown } | undefined;
  const made = statusDocument(
    {
      time: now,
      action: 'escalated',
      kind: 'event',
      message: `${author} escalated an alert: ${String(rule?.name ?? alertId)}`,
      details: {},
    },
    context,
  );
  const doc = JSON.parse(made.body) as EcsDocument;
  const { file, process, user, launchwarden, labels } = alert;
  const subject = { rule, threat: alert['threat'], file, process, user };
  const body = {
    ...doc,
    ...Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== undefined)),
    labels: { ...labels, ...doc.labels },
    launchwarden: {
      ...doc.launchwarden,
      alert: launchwarden?.['alert'],
      ...(launchwarden?.findings === undefined ? {} : { findings: launchwarden.findings }),
      ...(launchwarden?.plist === undefined ? {} : { plist: launchwarden.plist }),
      ...(launchwarden?.persistence === undefined ? {} : { persistence: launchwarden.persistence }),
      escalation: {
        alert: alertId,
        author,
        ...(ticket === undefined ? {} : { ticket }),
        ...(note === undefined ? {} : { note }),
        ...bundle,
      },
    },
  };
  return { id: made.id, body: JSON.stringify(body) };
}

/** What `forward test` sends: a status document that says so. */
export function testDocument(now: Micros, context: StatusContext): StatusDocument {
  return statusDocument(
    { time: now, action: 'test', kind: 'event', message: 'launchwarden tests this destination', details: {} },
    context,
  );
}
