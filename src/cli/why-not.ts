import { clip } from '../base/escape.js';
import { formatDuration, formatMicros } from '../base/time.js';
import type { Event } from '../event/event.js';
import {
  planConditions,
  type Rule,
  type SequenceQuery,
  type StepCondition,
  type Verdict,
} from '../rules/index.js';
import { at } from './output/read.js';

export interface NamedStep extends StepCondition {
  readonly name: string;
}

/** The conditions of a rule with their names, in order; `until` last. */
export function stepsOf({ query }: Rule): NamedStep[] {
  if (query.kind === 'event') return [{ ...query, name: 'the query' }];
  if (query.kind === 'kql') return [{ category: null, condition: query.condition, name: 'the query' }];
  const steps = query.steps.map((step, index) => ({ ...step, name: `step ${index + 1}` }));
  if (query.kind === 'sequence' && query.until !== null) steps.push({ ...query.until, name: 'until' });
  return steps;
}

/** Events of a test that are named: what stands there first is event 1. */
export type NumberedEvent = Event & { readonly line: number };

const nameOf = ({ line }: NumberedEvent): string => `event ${line + 1}`;
const timeOf = ({ time, nanos }: NumberedEvent): string => formatMicros(time, nanos);

/** A predicate as the rule has it, and what it read. */
function predicateText(rule: Rule, { span, values }: Verdict): string {
  const source =
    span.start === span.end
      ? 'the category'
      : rule.meta.query.slice(span.start, span.end).replace(/\s+/g, ' ');
  const read = values.map(({ field, value }) => {
    const shown = value === undefined ? 'missing' : clip(JSON.stringify(value) ?? 'null', 100);
    return `${field} is ${shown}`;
  });
  return [clip(source, 120), ...(read.length === 0 ? [] : [`(${read.join(', ')})`])].join(' ');
}

/** How near an event comes to a condition, and what it fails on. */
interface Attempt {
  readonly event: NumberedEvent;
  readonly holds: boolean;
  readonly failed: readonly Verdict[];
}

/**
 * Why events give no alert of a rule, in a few lines of text that may hold what rules and events hold: the step that no
 * event satisfies, with the predicates that the nearest one fails; else the times or the keys that keep events apart.
 */
export function whyNot(rule: Rule, events: readonly NumberedEvent[]): string[] {
  if (events.length === 0) return ['the test has no events'];
  const { query } = rule;
  const steps = stepsOf(rule);
  const conditions = planConditions(steps);
  const attempts = steps.map((_, index) =>
    events.map((event): Attempt => {
      const failed = conditions.explain(index, event.doc).filter(({ holds }) => !holds);
      return { event, holds: conditions.test(index, event.doc), failed };
    }),
  );
  for (const [index, step] of steps.entries()) {
    const own = attempts[index] ?? [];
    if (step.name === 'until' || isMissing(rule, index)) continue;
    // A reference to an earlier step reads as missing here, and may fail for that reason alone.
    if (own.some(({ holds }) => holds)) continue;
    const [nearest] = [...own].sort((a, b) => a.failed.length - b.failed.length);
    if (nearest === undefined) continue;
    return [
      `no event satisfies ${step.name}; ${nameOf(nearest.event)} comes nearest and fails`,
      ...nearest.failed.slice(0, 5).map((one) => `  ${predicateText(rule, one)}`),
    ];
  }
  if (query.kind !== 'sequence')
    return ['every condition holds: an exception, a limit or a repeat keeps the alert back'];
  return sequenceReasons(query, attempts);
}

function isMissing({ query }: Rule, index: number): boolean {
  return query.kind === 'sequence' && query.steps[index]?.missing === true;
}

/** What each step's events are joined by: the fields of the sequence and of the step, with their values. */
function keysOf(
  query: SequenceQuery,
  index: number,
  event: NumberedEvent,
): readonly (readonly [string, unknown])[] {
  const fields = [...query.by, ...(query.steps[index]?.by ?? [])];
  return fields.map(({ path }) => [path.join('.'), at(event.doc, path.join('.'))] as const);
}

function sequenceReasons(query: SequenceQuery, attempts: readonly (readonly Attempt[])[]): string[] {
  const matching = attempts.map((own) => own.filter(({ holds }) => holds).map(({ event }) => event));
  for (const [index, step] of query.steps.entries()) {
    const later = query.steps.findIndex((one, other) => other > index && !one.missing);
    if (step.missing || later === -1) continue;
    const reason = pairReason(query, { index, later, matching });
    if (reason !== undefined) return [reason];
  }
  const stopped = query.until === null ? [] : (matching.at(-1) ?? []);
  if (stopped.length > 0) return [`${stopped.map(nameOf).join(', ')} satisfies until and ends the sequence`];
  const missing = query.steps.findIndex((step, index) => step.missing && (matching[index] ?? []).length > 0);
  if (missing !== -1)
    return [
      `${nameOf(matching[missing]?.[0] as NumberedEvent)} satisfies step ${missing + 1}, which must be missing`,
    ];
  return ['every step has an event, and each two fit: runs, an exception or a repeat keeps the alert back'];
}

function pairReason(
  query: SequenceQuery,
  of: {
    readonly index: number;
    readonly later: number;
    readonly matching: readonly (readonly NumberedEvent[])[];
  },
): string | undefined {
  const { index, later, matching } = of;
  const names = [`step ${index + 1}`, `step ${later + 1}`] as const;
  let reason: string | undefined;
  for (const a of matching[index] ?? []) {
    for (const b of matching[later] ?? []) {
      const own = pairProblem(query, { a, b, index, later, names });
      if (own === undefined) return undefined;
      reason ??= own;
    }
  }
  return reason;
}

function pairProblem(
  query: SequenceQuery,
  of: {
    readonly a: NumberedEvent;
    readonly b: NumberedEvent;
    readonly index: number;
    readonly later: number;
    readonly names: readonly [string, string];
  },
): string | undefined {
  const { a, b, index, later, names } = of;
  if (a === b) return `${nameOf(a)} satisfies both ${names[0]} and ${names[1]}: a sequence needs two events`;
  const keysA = keysOf(query, index, a);
  const keysB = keysOf(query, later, b);
  for (const [position, [field, value]] of keysA.entries()) {
    const [otherField, other] = keysB[position] ?? [field, undefined];
    if (value === undefined || value === null)
      return `${nameOf(a)} (${names[0]}) has no ${field}, by which it is joined`;
    if (other === undefined || other === null)
      return `${nameOf(b)} (${names[1]}) has no ${otherField}, by which it is joined`;
    if (JSON.stringify(value) !== JSON.stringify(other))
      return `the keys differ: ${field} of ${nameOf(a)} (${names[0]}) is ${JSON.stringify(value)}, ${otherField} of ${nameOf(b)} (${names[1]}) is ${JSON.stringify(other)}`;
  }
  const times = `${nameOf(a)} (${names[0]}) is of ${timeOf(a)}, ${nameOf(b)} (${names[1]}) of ${timeOf(b)}`;
  if (b.time < a.time || (b.time === a.time && b.sequence < a.sequence))
    return `the order is wrong: ${times}`;
  if (query.maxspan !== null && b.time - a.time > query.maxspan)
    return `too far apart: ${times}, ${formatDuration(b.time - a.time)}; maxspan is ${formatDuration(query.maxspan)}`;
  return undefined;
}
