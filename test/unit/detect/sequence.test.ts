import { expect, test } from 'vitest';
import { Detector, type QueryMatch, QueryRun } from '../../../src/detect/index.js';
import { compareEvents, type Event } from '../../../src/event/event.js';
import { fc } from '../../helpers/property.js';
import { event, query, rule, second } from './events.js';

function matchesOf(text: string, events: readonly Event[]): string[] {
  const found: QueryMatch[] = [];
  const run = new QueryRun({ query: query('eql', text), onMatch: (match) => found.push(match) });
  for (const one of events) run.process(one);
  run.finish();
  return found.map(({ events: list }) => list.map((one) => one?.id ?? '-').join(' '));
}

interface Reference {
  readonly stages: number;
  readonly maxspan: number;
  readonly until: boolean;
}

/**
 * The way Elasticsearch does it (SequenceMatcher): stage after stage over all events, with a list of sequences for each
 * stage and key of which the latest before the event is taken and all earlier ones go.
 */
function byStages(events: readonly Event[], { stages, maxspan, until }: Reference): string[] {
  const tag = (one: Event) => one.doc['tag'] as string;
  const key = (one: Event) => one.doc['user'] as unknown;
  const place = new Map(events.map((one, index) => [one, index]));
  const order = (one: Event) => place.get(one) as number;
  let before: Event[][] = [];
  for (let stage = 0; stage < stages; stage++) {
    const hits = events.filter((one) => tag(one) === 'ABCD'[stage]);
    const next: Event[][] = [];
    for (const hit of hits) {
      if (stage === 0) {
        next.push([hit]);
        continue;
      }
      const mine = before.filter(
        (list) => key(list[0] as Event) === key(hit) && order(list.at(-1) as Event) < order(hit),
      );
      const latest = mine.reduce<Event[] | undefined>(
        (best, list) =>
          best === undefined || order(list.at(-1) as Event) > order(best.at(-1) as Event) ? list : best,
        undefined,
      );
      if (latest === undefined) continue;
      before = before.filter((list) => !mine.includes(list));
      const ended = events.some(
        (one) =>
          until &&
          tag(one) === 'U' &&
          key(one) === key(hit) &&
          order(one) > order(latest.at(-1) as Event) &&
          order(one) < order(hit),
      );
      if (!ended && hit.time - (latest[0] as Event).time <= maxspan) next.push([...latest, hit]);
    }
    before = next;
  }
  return before
    .sort((a, b) => order(a.at(-1) as Event) - order(b.at(-1) as Event))
    .map((list) => list.map(({ id }) => id).join(' '));
}

test('event by event gives what stage by stage gives', () => {
  const part = fc.record({
    tag: fc.constantFrom('A', 'A', 'B', 'B', 'C', 'U', 'x'),
    user: fc.constantFrom(1, 2),
    gap: fc.constantFrom(0, 1, 3, 7),
  });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      fc.constantFrom(2, 3),
      fc.boolean(),
      (parts, stages, until) => {
        let at = 0;
        const events = parts.map(({ tag, user, gap }, index) => {
          at += gap;
          return event(String(index), at, { tag, user });
        });
        const steps = [...'ABC'].slice(0, stages).map((tag) => `[any where tag == "${tag}"]`);
        const text = `sequence by user with maxspan=10s ${steps.join(' ')} ${until ? 'until [any where tag == "U"]' : ''}`;
        expect(matchesOf(text, events)).toEqual(byStages(events, { stages, maxspan: 10 * second, until }));
      },
    ),
    { numRuns: 1000 },
  );
});

/** Missing events as they are defined, over all matches of the steps that must be there. */
function withoutMissing(events: readonly Event[], steps: readonly string[], maxspan: number): string[] {
  const positive = steps.filter((step) => !step.startsWith('!'));
  const renamed = events.map(
    (one): Event => ({
      ...one,
      doc: { tag: 'ABCD'[positive.indexOf(one.doc['tag'] as string)] ?? 'x' },
    }),
  );
  const ids = byStages(renamed, { stages: positive.length, maxspan, until: false });
  const byId = new Map(events.map((one) => [one.id, one]));
  return ids.flatMap((line) => {
    const matched = line.split(' ').map((id) => byId.get(id) as Event);
    const [first, last] = [matched[0] as Event, matched.at(-1) as Event];
    let stage = 0;
    let led: number | undefined;
    let trailed: number | undefined;
    const placed: string[] = [];
    for (const step of steps) {
      if (!step.startsWith('!')) {
        placed.push((matched[stage++] as Event).id);
        continue;
      }
      placed.push('-');
      const times = events.filter((one) => one.doc['tag'] === step.slice(1)).map(({ time }) => time);
      if (stage === 0) led = Math.max(led ?? -1, ...times.filter((time) => time < first.time));
      else if (stage === matched.length)
        trailed = Math.min(trailed ?? Number.POSITIVE_INFINITY, ...times.filter((time) => time > last.time));
      else if (
        times.some(
          (time) => time > (matched[stage - 1] as Event).time && time < (matched[stage] as Event).time,
        )
      )
        return [];
    }
    const leading = steps[0]?.startsWith('!') === true;
    const trailing = steps.at(-1)?.startsWith('!') === true;
    if (leading && led === -1) led = undefined;
    if (trailing && trailed === Number.POSITIVE_INFINITY) trailed = undefined;
    if (leading && trailing && led !== undefined && trailed !== undefined && trailed - led <= maxspan)
      return [];
    if (leading && !trailing && led !== undefined && last.time - led <= maxspan) return [];
    if (trailing && !leading && trailed !== undefined && trailed - first.time <= maxspan) return [];
    return [placed.join(' ')];
  });
}

test('missing events are judged as over the whole input, whatever comes when', () => {
  const part = fc.record({
    tag: fc.constantFrom('A', 'B', 'C', 'M', 'N', 'x'),
    gap: fc.constantFrom(0, 1, 3, 8),
  });
  const shapes = [
    ['!M', 'A'],
    ['A', '!M'],
    ['!M', 'A', '!N'],
    ['!M', 'A', '!M'],
    ['A', '!M', 'B'],
    ['A', '!M', 'B', '!N', 'C'],
    ['!M', 'A', 'B'],
    ['A', 'B', '!M'],
    ['!M', 'A', '!N', 'B', '!M'],
  ];
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 30 }),
      fc.constantFrom(...shapes),
      fc.boolean(),
      (parts, steps, ticking) => {
        let at = 0;
        const events = parts.map(({ tag, gap }, index) => {
          at += gap;
          return event(String(index), at, { tag });
        });
        const text = steps
          .map((step) => `${step.startsWith('!') ? '!' : ''}[any where tag == "${step.replace('!', '')}"]`)
          .join(' ');
        const found: string[] = [];
        const run = new QueryRun({
          query: query('eql', `sequence with maxspan=10s ${text}`),
          onMatch: (match) => found.push(match.events.map((one) => one?.id ?? '-').join(' ')),
        });
        for (const [index, one] of events.entries()) {
          run.process(one);
          // A watermark may come at any time that is complete: up to before the next event.
          const next = events[index + 1];
          if (ticking && (next === undefined || next.time > one.time))
            run.advance((next?.time ?? one.time + 1) - 1);
        }
        run.finish();
        expect(found).toEqual(withoutMissing(events, steps, 10 * second));
      },
    ),
    { numRuns: 2000 },
  );
});

test('a trailing missing event is told once the watermark passes, before the next event', () => {
  const found: string[] = [];
  const detector = new Detector({
    rules: [rule('eql', 'sequence with maxspan=10s [any where tag == "A"] ![any where tag == "M"]')],
    onDetection: ({ events }) => found.push(events.map((one) => one?.id ?? '-').join(' ')),
  });
  const first = event('a', 0, { tag: 'A' });
  detector.process(first);
  detector.advance(first.time + 10 * second - 1);
  expect(found).toEqual([]);
  detector.advance(first.time + 10 * second);
  expect(found).toEqual(['a -']);
});

test('join keys live as long as maxspan, and no more than there is room for; the longest untouched go first', () => {
  const text = 'sequence by user with maxspan=10s [any where tag == "A"] [any where tag == "B"]';
  const found: string[] = [];
  const detector = new Detector({
    rules: [rule('eql', text)],
    limits: { keys: 3 },
    onDetection: ({ events }) => found.push(events.map((one) => one?.id).join(' ')),
  });
  const feed = (id: string, at: number, tag: string, user: number) =>
    detector.process(event(id, at, { tag, user }));
  feed('a1', 0, 'A', 1);
  feed('a2', 1, 'A', 2);
  feed('a3', 2, 'A', 3);
  feed('a1b', 3, 'A', 1);
  feed('a4', 4, 'A', 4);
  expect(detector.counters()).toMatchObject({ keys: 3, evicted_keys: 1 });
  feed('b2', 5, 'B', 2);
  feed('b1', 5, 'B', 1);
  feed('b3', 5, 'B', 3);
  feed('b4', 5, 'B', 4);
  expect(found).toEqual(['a1b b1', 'a3 b3', 'a4 b4']);
  detector.advance(event('', 16).time);
  expect(detector.counters()['keys']).toBe(0);
});

test('a late event joins no step that came before it, and disturbs no newer one', () => {
  const text = 'sequence [any where tag == "A"] [any where tag == "B"]';
  const [a1, a2, b] = [
    event('a1', 5, { tag: 'A' }),
    event('a2', 2, { tag: 'A' }),
    event('b', 1, { tag: 'B' }),
  ];
  expect(matchesOf(text, [a1, b])).toEqual([]);
  expect(matchesOf(text, [a1, a2, event('b', 6, { tag: 'B' })])).toEqual(['a1 b']);
  expect([a1, a2, b].sort(compareEvents).map(({ id }) => id)).toEqual(['b', 'a2', 'a1']);
});

test('a late event is not compared with those that nothing of its sequence can have begun with', () => {
  const found: QueryMatch[] = [];
  const text = 'sequence by user with maxspan=1h [any where tag == "A"] [any where tag == "B"]';
  const run = new QueryRun({ query: query('eql', text), onMatch: (match) => found.push(match) });
  let reads = 0;
  const call = (id: string, at: number): Event => {
    const doc = { tag: 'B' };
    return event(id, at, Object.defineProperty(doc, 'user', { enumerable: true, get: () => `u${reads++}` }));
  };
  for (let count = 0; count < 100; count++) run.process(call(`call ${count}`, 10 + count));
  reads = 0;
  run.process(call('late', 5));
  expect(reads).toBeLessThan(5);
  run.process(event('begin', 1, { tag: 'A', user: 'u' }));
  run.process(event('end', 2, { tag: 'B', user: 'u' }));
  run.finish();
  expect(found.map(({ events }) => events.map((one) => one?.id))).toEqual([['begin', 'end']]);
});

test('an event takes part under a bounded number of join keys', () => {
  const users = Array.from({ length: 50 }, (_, index) => index);
  const detector = new Detector({
    rules: [rule('eql', 'sequence by user, host [any where tag == "A"] [any where tag == "B"]')],
    limits: { keysPerEvent: 100 },
    onDetection() {},
  });
  detector.process(event('a', 0, { tag: 'A', user: users, host: users }));
  expect(detector.counters()).toMatchObject({ keys: 100, cut_keys: 1 });
});

test('a fork and the exec of the same process are joined by entity_id, as in Elastic Defend', () => {
  const one = rule(
    'eql',
    'sequence by process.entity_id with maxspan=10s [process where event.action == "fork"] [process where event.action == "exec"]',
  );
  const process = (id: string, at: number, action: string, more: object) =>
    event(id, at, { event: { category: ['process'], action }, process: more });
  const found: string[] = [];
  const detector = new Detector({
    rules: [one],
    onDetection: ({ events }) => found.push(events.map((each) => each?.id).join(' ')),
  });
  for (const each of [
    process('f1', 0, 'fork', { entity_id: 'a' }),
    process('f2', 1, 'fork', { entity_id: 'b' }),
    process('e2', 2, 'exec', { entity_id: 'c', previous: [{ entity_id: 'b', executable: '/bin/sh' }] }),
    process('e3', 3, 'exec', { entity_id: 'd', previous: [{ entity_id: 'x' }] }),
  ])
    detector.process(each);
  expect(found).toEqual(['f2 e2']);
});
