import type { Micros } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import type { Event } from '../event/event.js';
import type { SequenceQuery } from '../rules/index.js';
import { joinKeysOf, type KeyReader, keyIdentity } from './join-keys.js';
import type { OnMatch, QueryMatcher, Revision } from './match.js';
import type { DetectorLimits, OnEvicted } from './options.js';
import { planSequence } from './sequence-plan.js';
import type { Users } from './user.js';

/** The first event of a deferred sequence, kept until the second one comes. */
export interface Deferred {
  readonly ruleId: string;
  /** The join key, as text. */
  readonly key: string;
  readonly user: string;
  readonly event: Event;
  /** Id of the event that completed it: it completes nothing else, unless it is judged again. */
  by?: string;
}

/** First events of all rules together, and the characters that they take when they are saved. */
const most = 1_000;
const mostText = 2 * 1024 * 1024;
/** So many make room at once. */
const batch = 100;
/** A document with more text than this is kept without the parts that only people read. */
const largeDocument = 4 * 1024;
/** Second events that a first one may still come for: it is told late when nobody looked when it happened. */
const mostSeconds = 1_000;

/**
 * What deferred sequences wait for: a part of an agent's memory that outlives restarts, of itself and of the machine. When it
 * is full, the user with the most entries gives up some: first what is complete, then what is not odd, the oldest first.
 */
export class DeferredMemory {
  readonly #entries = new Map<string, Deferred>();
  readonly #onEvicted: OnEvicted;
  #changed = false;

  /** `saved`: what an earlier one saved; what is not understood is left out. */
  constructor(saved: string | undefined, onEvicted: OnEvicted = () => {}) {
    this.#onEvicted = onEvicted;
    for (const entry of readSaved(saved)) this.#entries.set(idOf(entry.ruleId, entry.key), entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(ruleId: string, key: string): Deferred | undefined {
    return this.#entries.get(idOf(ruleId, key));
  }

  put(entry: Deferred): void {
    const id = idOf(entry.ruleId, entry.key);
    // It becomes the newest.
    this.#entries.delete(id);
    this.#entries.set(id, { ...entry, event: slimEvent(entry.event) });
    this.#changed = true;
    if (this.#entries.size > most) this.#evict();
  }

  complete(entry: Deferred, by: string): void {
    if (entry.by === by) return;
    entry.by = by;
    this.#changed = true;
  }

  /** Forgets what is older than its rule waits for. */
  expire(ruleId: string, before: Micros): void {
    for (const [id, entry] of this.#entries) {
      if (entry.ruleId !== ruleId || entry.event.time >= before) continue;
      this.#entries.delete(id);
      this.#changed = true;
    }
  }

  /** As text, for a later one; undefined when nothing has changed since it was saved last. */
  saved(): string | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    const texts: string[] = [];
    let left = mostText;
    for (const entry of [...this.#entries.values()].reverse()) {
      const text = JSON.stringify(entry);
      left -= text.length + 1;
      if (left < 0) break;
      texts.push(text);
    }
    return `[${texts.reverse().join(',')}]`;
  }

  #evict(): void {
    const counts = new Map<string, number>();
    for (const { user } of this.#entries.values()) counts.set(user, (counts.get(user) ?? 0) + 1);
    const [largest] = [...counts].reduce((top, one) => (one[1] > top[1] ? one : top), ['', 0]);
    const own = [...this.#entries].filter(([, { user }]) => user === largest);
    const rank = ({ by, event }: Deferred) => (by !== undefined ? 0 : isOdd(event) ? 2 : 1);
    // The newest stays, whatever it is.
    const order = own.slice(0, -1).sort(([, a], [, b]) => rank(a) - rank(b));
    for (const [id, { by }] of order.slice(0, batch)) {
      this.#entries.delete(id);
      if (by === undefined) this.#onEvicted('deferred', largest);
    }
  }
}

export interface DeferredOptions {
  readonly ruleId: string;
  readonly query: SequenceQuery;
  /** What follows sooner completes the sequence without a match: other rules see it. */
  readonly after: Micros;
  readonly memory: DeferredMemory;
  readonly limits: DetectorLimits;
  readonly users: Users;
  readonly onMatch: OnMatch;
}

/**
 * A sequence of two events of which the second may come after restarts: of each join key the newest first event is kept. It
 * matches once; the same content written again, after it has matched, is no news. Either may be told late.
 */
export class DeferredMatcher implements QueryMatcher {
  readonly due = Number.POSITIVE_INFINITY;
  readonly #options: DeferredOptions;
  readonly #keys: readonly (readonly KeyReader[])[];
  readonly #maxspan: Micros;
  readonly #seconds = new Map<string, Event>();
  #expired: Micros = Number.NEGATIVE_INFINITY;

  constructor(options: DeferredOptions) {
    this.#options = options;
    const { stages, maxspan } = planSequence(options.query);
    this.#keys = stages.map(({ keys }) => keys);
    this.#maxspan = maxspan;
  }

  process(event: Event, hits: readonly number[]): void {
    if (hits.includes(0)) this.#first(event);
    if (hits.includes(1)) this.#second(event);
  }

  revise(event: Event, { hits }: Revision): void {
    this.process(event, hits);
  }

  advance(time: Micros): void {
    if (time - this.#expired < 3_600_000_000) return;
    this.#expired = time;
    this.#options.memory.expire(this.#options.ruleId, time - this.#maxspan);
  }

  finish(): void {}

  #first(event: Event): void {
    const { memory, ruleId, users } = this.#options;
    for (const joinKey of this.#keysOf(0, event)) {
      const key = String(keyIdentity(joinKey));
      const known = memory.get(ruleId, key);
      if (known !== undefined && known.event.id !== event.id && !isNews(event, known)) continue;
      const by = known?.event.id === event.id ? known.by : undefined;
      const user = users.of(event.doc);
      memory.put({ ruleId, key, user, event, ...(by === undefined ? {} : { by }) });
      const second = this.#seconds.get(key);
      if (second !== undefined) this.#pair(key, joinKey, second);
    }
  }

  #second(event: Event): void {
    for (const joinKey of this.#keysOf(1, event)) {
      const key = String(keyIdentity(joinKey));
      this.#seconds.delete(key);
      this.#seconds.set(key, event);
      if (this.#seconds.size > mostSeconds) this.#seconds.delete(this.#seconds.keys().next().value as string);
      this.#pair(key, joinKey, event);
    }
  }

  #pair(key: string, joinKeys: ReturnType<typeof joinKeysOf>[number], second: Event): void {
    const { memory, ruleId, after, onMatch } = this.#options;
    const first = memory.get(ruleId, key);
    if (first === undefined || (first.by !== undefined && first.by !== second.id)) return;
    const distance = second.time - first.event.time;
    if (distance < 0 || distance > this.#maxspan) return;
    memory.complete(first, second.id);
    if (distance >= after) onMatch({ events: [first.event, second], joinKeys, window: [] });
  }

  #keysOf(stage: number, event: Event) {
    return joinKeysOf(this.#keys[stage] ?? [], event.doc, this.#options.limits.keysPerEvent);
  }
}

/** Whether a first event takes the place of the one that is kept. */
function isNews(event: Event, known: Deferred): boolean {
  if (event.time < known.event.time) return false;
  const [before, now] = [known.event.doc.file?.hash?.sha256, event.doc.file?.hash?.sha256];
  return known.by === undefined || before === undefined || before !== now;
}

function isOdd({ doc }: Event): boolean {
  const findings: unknown = doc.launchwarden?.findings;
  return Array.isArray(findings) && findings.length > 0;
}

function idOf(ruleId: string, key: string): string {
  return `${ruleId}\0${key}`;
}

/** Characters of what can be long in a document. */
function sizeOf({ process, launchwarden }: EcsDocument): number {
  const { json, program_arguments: args, own_code: own } = launchwarden?.plist ?? {};
  const lists = [args, own, process?.args, process?.parent?.args].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const texts: unknown[] = [json, process?.command_line, process?.parent?.command_line, ...lists];
  return texts.reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : 0), 0);
}

function slimEvent(event: Event): Event {
  if (sizeOf(event.doc) <= largeDocument) return { ...event };
  const { launchwarden, file, host, user, message, event: about, ...rest } = event.doc;
  const { json: _json, program_arguments: args, ...plist } = launchwarden?.plist ?? {};
  const doc: EcsDocument = {
    ...(rest['@timestamp'] === undefined ? {} : { '@timestamp': rest['@timestamp'] }),
    ...(message === undefined ? {} : { message }),
    ...(about === undefined ? {} : { event: about }),
    ...(host === undefined ? {} : { host }),
    ...(user === undefined ? {} : { user }),
    ...(file === undefined ? {} : { file }),
    launchwarden: {
      ...(launchwarden?.sensor === undefined ? {} : { sensor: launchwarden.sensor }),
      ...(launchwarden?.findings === undefined ? {} : { findings: launchwarden.findings.slice(0, 50) }),
      plist: { ...plist, ...(args === undefined ? {} : { program_arguments: args.slice(0, 4) }) },
    },
  };
  const small = JSON.stringify(doc).length <= 2 * largeDocument;
  return { ...event, doc: small ? doc : { ...doc, launchwarden: {} } };
}

function readSaved(text: string | undefined): readonly Deferred[] {
  let list: unknown;
  try {
    list = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  return Array.isArray(list) ? list.slice(-most).filter(isEntry).map(restored) : [];
}

function isEntry(one: unknown): one is Deferred {
  const { ruleId, key, user, event } = (one ?? {}) as Partial<Deferred>;
  return (
    [ruleId, key, user, event?.id].every((text) => typeof text === 'string') &&
    typeof event?.time === 'number' &&
    typeof event.doc === 'object' &&
    event.doc !== null
  );
}

/** JSON has no Infinity. */
function restored(entry: Deferred): Deferred {
  const { event } = entry;
  const nanos = Number(event.nanos) || 0;
  return { ...entry, event: { ...event, nanos, sequence: event.sequence ?? Number.POSITIVE_INFINITY } };
}
