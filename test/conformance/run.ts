import type { EcsDocument } from '../../src/event/document.js';
import type { Event } from '../../src/event/event.js';
import type { FiledCase } from './corpus.js';

/** The modules under test: the real ones, or copies that were changed on purpose. */
export interface Engine {
  readonly rules: typeof import('../../src/rules/index.js');
  readonly detect: typeof import('../../src/detect/index.js');
  readonly nested: typeof import('../../src/event/nested.js').nested;
  readonly time: typeof import('../../src/base/time.js');
}

/** What a case came to; equal to `expected` when the engine conforms. */
export interface Outcome {
  readonly matches: unknown;
  readonly joinKeys?: unknown;
}

const start = Date.parse('2026-11-22T09:00:00.000Z') * 1000;

export function expected({ matches, join_keys }: FiledCase): Outcome {
  const lists = matches.map((match) => (typeof match === 'number' ? [match] : match));
  return { matches: lists, ...(join_keys === undefined ? {} : { joinKeys: join_keys }) };
}

/** Runs a case through the query's own matcher. Throws when the engine does: that is never an answer. */
export function run(one: FiledCase, engine: Engine): Outcome {
  const { compileQuery } = engine.rules;
  const compiled = compileQuery(one.language ?? 'eql', one.query);
  if ('diagnostics' in compiled) return { matches: compiled.diagnostics.map(({ message }) => message) };
  const events = one.events.map((doc, index) => eventOf(engine.nested(doc), index));
  const orderer = new engine.detect.Orderer();
  for (const event of events) orderer.push(event);
  const matches: (number | null)[][] = [];
  const joinKeys: unknown[] = [];
  const query = new engine.detect.QueryRun({
    query: compiled.query,
    onMatch(match) {
      matches.push(match.events.map((event) => (event === null ? null : Number(event.id))));
      joinKeys.push(match.joinKeys);
    },
  });
  for (const event of orderer.release(Number.POSITIVE_INFINITY)) query.process(event);
  query.finish();
  if (query.errors > 0) throw new Error(`${query.errors} events could not be judged`);
  return { matches, ...(one.join_keys === undefined ? {} : { joinKeys }) };
}

function eventOf({ t, ...doc }: Record<string, unknown>, index: number): Event {
  const fields = doc['event'] as { sequence?: number } | undefined;
  return {
    id: String(index),
    time: start + Math.round((typeof t === 'number' ? t : index) * 1e6),
    nanos: 0,
    sequence: fields?.sequence ?? Number.POSITIVE_INFINITY,
    doc: doc as EcsDocument,
  };
}
