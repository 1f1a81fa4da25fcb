// The rule engine on documents that are parsed already: speed beside a hand-written matcher and beside JSON.parse of the
// same documents, what join keys cost, what compiling costs.
import v8 from 'node:v8';
import vm from 'node:vm';
import { Detector } from '../../dist/detect/index.js';
import type { EcsDocument } from '../../dist/event/document.js';
import type { Event } from '../../dist/event/event.js';
import {
  compileQuery,
  loadBuiltinRules,
  planConditions,
  type Query,
  type Rule,
} from '../../dist/rules/index.js';
import { documents } from './documents.js';
import { queries } from './queries.js';
import { median, type Row } from './row.js';

/** The two rules that this project began with. */
const sourceRuleIds = ['84ef182d-0141-4ce2-ad66-64197c249018', '70244694-b1d5-459e-b5c7-950851876668'];

const rounds = 15;
const passes = 400;

/**
 * Median nanoseconds a call of each of the functions over all items. Their rounds alternate, so that another program's load
 * falls on all of them; the first round warms up.
 */
function nanoseconds<T>(items: readonly T[], ...calls: readonly ((item: T) => void)[]): number[] {
  const times = calls.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, call] of calls.entries()) {
      const start = performance.now();
      for (let pass = 0; pass < passes; pass++) for (const item of items) call(item);
      if (round > 0) times[index]?.push(performance.now() - start);
    }
  }
  return times.map((list) => (median(list) * 1e6) / (items.length * passes));
}

function conditionsOf(query: Query) {
  if (query.kind === 'kql') return [{ category: null, condition: query.condition }];
  return query.kind === 'event' ? [query] : query.steps;
}

function compiled(text: string): Query {
  const result = compileQuery('eql', text);
  if ('diagnostics' in result) throw new Error(`${text}: ${result.diagnostics[0]?.message}`);
  return result.query;
}

function has(value: string | string[] | undefined, wanted: string): boolean {
  return value === wanted || (Array.isArray(value) && value.includes(wanted));
}

/** The conditions of both source rules, as somebody would write them for speed. */
function handWritten(doc: EcsDocument): number {
  const { event, host } = doc;
  if (host?.os?.type !== 'macos') return 0;
  if (has(event?.category, 'file')) {
    if (has(event?.type, 'deletion')) return 0;
    const path = doc.file?.path;
    if (path === undefined) return 0;
    let found = 0;
    const lower = path.toLowerCase();
    if (
      lower.startsWith('/library/launchagents/') ||
      lower.startsWith('/system/library/launchagents/') ||
      (lower.startsWith('/users/') && lower.includes('/library/launchagents/', 7))
    ) {
      found |= 1;
    }
    if (path.startsWith('/Library/DirectoryServices/PlugIns/') && path.endsWith('.dsplug')) found |= 4;
    return found;
  }
  if (!has(event?.category, 'process')) return 0;
  if (!has(event?.type, 'start') && !has(event?.type, 'process_started')) return 0;
  return doc.process?.name === 'launchctl' && doc.process.args?.includes('load') === true ? 2 : 0;
}

function sourceRules(docs: readonly Record<string, unknown>[]): Row[] {
  const rules = loadBuiltinRules().filter(({ meta }) => sourceRuleIds.includes(meta.id));
  if (rules.length !== 2) throw new Error('the two source rules are not both among the built-in ones');
  const set = planConditions(rules.flatMap(({ query }) => [...conditionsOf(query)]));
  const hits: number[] = [];
  let hand = 0;
  let ours = 0;
  const byHand = (doc: Record<string, unknown>) => {
    if (handWritten(doc as EcsDocument) !== 0) hand++;
  };
  const byPlan = (doc: Record<string, unknown>) => {
    if (hits.length > 0) hits.length = 0;
    set.match(doc, hits);
    if (hits.length > 0) ours++;
  };
  const [left = Number.NaN, right = Number.NaN] = nanoseconds(docs, byHand, byPlan);
  if (hand !== ours) throw new Error(`the hand-written matcher found ${hand}, the engine ${ours}`);
  const detector = new Detector({ rules, onDetection() {} });
  const [whole = Number.NaN] = nanoseconds(docs.map(asEvent), (event) => detector.process(event));
  const against = 'a hand-written matcher of the conditions';
  return [
    {
      name: 'two source rules: conditions',
      value: 1e9 / right,
      unit: 'events/s',
      against,
      ratio: left / right,
    },
    {
      name: 'two source rules: whole detector',
      value: 1e9 / whole,
      unit: 'events/s',
      against,
      ratio: left / whole,
    },
  ];
}

let serial = 0;
function asEvent(doc: Record<string, unknown>): Event {
  const time = Date.parse(doc['@timestamp'] as string) * 1000;
  return { id: String(serial++), time, nanos: 0, sequence: serial, doc: doc as EcsDocument };
}

function manyRules(docs: readonly Record<string, unknown>[]): Row[] {
  const texts = queries(350);
  const compileTimes: number[] = [];
  let set = planConditions([]);
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    set = planConditions(texts.flatMap((text) => [...conditionsOf(compiled(text))]));
    compileTimes.push(performance.now() - start);
  }
  const hits: number[] = [];
  const pairs = docs.map((doc) => ({ doc, line: JSON.stringify(doc) }));
  const [parse = Number.NaN, rules = Number.NaN] = nanoseconds(
    pairs,
    ({ line }) => JSON.parse(line),
    ({ doc }) => {
      if (hits.length > 0) hits.length = 0;
      set.match(doc, hits);
    },
  );
  const against = 'JSON.parse of the event';
  return [
    { name: 'compile 350 rules', value: median(compileTimes), unit: 'ms' },
    { name: '350 rules: an event', value: rules / 1000, unit: 'us', against, ratio: rules / parse },
  ];
}

const sequence = `sequence by process.entity_id with maxspan=10m
  [process where event.action == "exec" and process.name == "step-one"]
  [process where event.action == "exec" and process.name == "step-two"]`;

/** Events that visit all keys in a scattered order; one in fifty is a second step. `from` counts on from earlier ones. */
function keyedEvents(keys: number, from: number, count: number): Event[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return asEvent({
      '@timestamp': new Date(1_795_000_000_000 + number).toISOString(),
      event: { category: ['process'], type: ['start'], action: 'exec' },
      host: { os: { type: 'macos' } },
      process: {
        name: number % 50 === 49 ? 'step-two' : 'step-one',
        entity_id: `entity-${(number * 7919) % keys}`,
      },
    });
  });
}

// Without a collection before each look the figure of memory would be of garbage.
v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

interface KeyRun {
  readonly nanoseconds: number;
  readonly bytes: number;
}

function keyRun(rule: Rule, keys: number, { filling, more }: Record<'filling' | 'more', Event[]>): KeyRun {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const detector = new Detector({ rules: [rule], onDetection() {} });
  for (const event of filling) detector.process(event);
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  const live = detector.counters()['keys'] as number;
  if (live < keys * 0.9) throw new Error(`${live} of ${keys} keys are live`);
  const start = performance.now();
  for (const event of more) detector.process(event);
  return { nanoseconds: ((performance.now() - start) * 1e6) / more.length, bytes };
}

function joinKeys(): Row[] {
  const rule = { ...(loadBuiltinRules()[0] as Rule), query: compiled(sequence) };
  const sets = [100, 100_000].map((keys) => ({
    keys,
    events: { filling: keyedEvents(keys, 0, 200_000), more: keyedEvents(keys, 200_000, 100_000) },
    runs: [] as KeyRun[],
  }));
  for (let round = 0; round < 9; round++) {
    for (const { keys, events, runs } of sets) runs.push(keyRun(rule, keys, events));
  }
  const [few = Number.NaN, many = Number.NaN] = sets.map(({ runs }) =>
    median(runs.slice(1).map(({ nanoseconds }) => nanoseconds)),
  );
  const found: Row[] = [
    {
      name: 'a sequence with 100,000 live keys: an event',
      value: many / 1000,
      unit: 'us',
      against: 'the same with 100 keys',
      ratio: many / few,
    },
  ];
  const bytes = median(sets[1]?.runs.map((run) => run.bytes) ?? []);
  found.push({ name: 'memory of 100,000 live keys, without their events', value: bytes / 1e6, unit: 'MB' });
  return found;
}

export async function rows(): Promise<Row[]> {
  // As many as stay in the processor's cache: an event is judged just after it was parsed.
  const docs = documents(100);
  return [...sourceRules(docs), ...manyRules(docs), ...joinKeys()];
}
