import { expect, test } from 'vitest';
import * as time from '../../src/base/time.js';
import * as detect from '../../src/detect/index.js';
import { nested } from '../../src/event/nested.js';
import * as rules from '../../src/rules/index.js';
import { loadCorpus, loadSkips } from './corpus.js';
import { expected, run } from './run.js';

const engine = { rules, detect, nested, time };
const skips = loadSkips();
const corpus = loadCorpus();

test('every case has a name of its own and a source', () => {
  expect(new Set(corpus.map(({ id }) => id)).size).toBe(corpus.length);
  expect(corpus.filter(({ source }) => source.length < 4).map(({ id }) => id)).toEqual([]);
});

test('every skip names a case and a reason', () => {
  const ids = new Set(corpus.map(({ id }) => id));
  for (const [id, reason] of Object.entries(skips)) {
    expect(ids).toContain(id);
    expect(reason.length).toBeGreaterThan(20);
  }
});

for (const one of corpus) {
  const reason = skips[one.id];
  if (reason === undefined) {
    test(`${one.id} [${one.source}]`, () => {
      expect(run(one, engine)).toEqual(expected(one));
    });
  } else {
    test(`${one.id} is still skipped: ${reason}`, () => {
      let passes: boolean;
      try {
        expect(run(one, engine)).toEqual(expected(one));
        passes = true;
      } catch {
        passes = false;
      }
      expect(passes, 'it passes now: take it off the skip list').toBe(false);
    });
  }
}

test('walking a condition gives what the generated code gives', () => {
  for (const one of corpus) {
    const compiled = rules.compileQuery(one.language ?? 'eql', one.query);
    if ('diagnostics' in compiled) continue;
    const { query } = compiled;
    if (query.kind !== 'event' && query.kind !== 'kql') continue;
    const set = rules.planConditions([
      query.kind === 'kql' ? { category: null, condition: query.condition } : query,
    ]);
    for (const { t, ...written } of one.events) {
      const doc = nested(written);
      const hits: number[] = [];
      set.match(doc, hits);
      expect(set.test(0, doc), `${one.id}: ${JSON.stringify(doc)}`).toBe(hits.length === 1);
    }
  }
});
