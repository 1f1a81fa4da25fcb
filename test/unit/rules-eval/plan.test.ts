import { afterEach, expect, test, vi } from 'vitest';
import { nested } from '../../../src/event/nested.js';
import type { Expr, StepCondition } from '../../../src/rules/ast.js';
import { compileQuery, parseEql, parseKql, planConditions } from '../../../src/rules/index.js';
import { loadCorpus } from '../../conformance/corpus.js';
import { fc } from '../../helpers/property.js';

afterEach(() => vi.unstubAllGlobals());

function eql(text: string): StepCondition {
  const parsed = parseEql(text);
  if (!('query' in parsed) || parsed.query.kind !== 'event') throw new Error(JSON.stringify(parsed));
  return parsed.query;
}

function kql(text: string): StepCondition {
  const parsed = parseKql(text);
  if (!('query' in parsed)) throw new Error(JSON.stringify(parsed));
  return { category: null, condition: parsed.query.condition };
}

function hitsOf(conditions: readonly StepCondition[], doc: unknown): number[] {
  const hits: number[] = [];
  planConditions(conditions).match(doc, hits);
  return hits;
}

/** Every condition of the corpora, and every document. */
function corpusConditions(): { conditions: StepCondition[]; docs: Record<string, unknown>[] } {
  const corpus = loadCorpus();
  const conditions = corpus.flatMap(({ language, query }): StepCondition[] => {
    const compiled = compileQuery(language ?? 'eql', query);
    if ('diagnostics' in compiled) throw new Error(query);
    if (compiled.query.kind === 'kql') return [{ category: null, condition: compiled.query.condition }];
    return compiled.query.kind === 'event' ? [compiled.query] : [...compiled.query.steps];
  });
  return { conditions, docs: corpus.flatMap(({ events }) => [...events]) };
}

/** What remembers other events cannot be compared one document at a time. */
function isStateless({ condition }: StepCondition): boolean {
  const text = JSON.stringify(condition, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return !text.includes('"descendant-of"');
}

test('a condition holds in a large set exactly when it holds alone', () => {
  const { conditions, docs } = corpusConditions();
  const stateless = conditions.filter(isStateless);
  const all = planConditions(stateless);
  const alone = stateless.map((condition) => planConditions([condition]));
  for (const doc of docs) {
    const hits: number[] = [];
    all.match(doc, hits);
    const wanted: number[] = [];
    for (const [index, set] of alone.entries()) {
      const own: number[] = [];
      set.match(doc, own);
      if (own.length > 0) wanted.push(index);
    }
    expect(hits).toEqual(wanted);
  }
});

const texts = fc.constantFrom(
  'a',
  'A',
  'ab',
  'abcdef',
  'xabcdefx',
  '/Library/x',
  '/library/',
  '5',
  'true',
  'ſ',
  'Å',
  '',
);
const patterns = fc.constantFrom(
  'a*',
  '*b',
  'abc*',
  '*abcd*',
  '/Library/*',
  '*CDEF*',
  'a?c*',
  '*',
  'ab',
  '*/lib*/*x',
  'K*',
);
const quoted = (text: string) => JSON.stringify(text);
const atoms = fc.oneof(
  fc
    .tuple(fc.constantFrom('p.a', 'p.b', 'p.c.d'), fc.constantFrom('==', '!='), texts)
    .map(([field, op, text]) => `${field} ${op} ${quoted(text)}`),
  fc
    .tuple(
      fc.constantFrom('p.a', 'p.b'),
      fc.constantFrom(':', 'like', 'like~'),
      fc.array(patterns, { minLength: 1, maxLength: 3 }),
    )
    .map(([field, op, list]) => `${field} ${op} (${list.map(quoted).join()})`),
  fc
    .tuple(
      fc.constantFrom('p.a', 'p.c.d'),
      fc.constantFrom('in', 'in~', 'not in'),
      fc.array(texts, { minLength: 1, maxLength: 3 }),
    )
    .map(([field, op, list]) => `${field} ${op} (${list.map(quoted).join()})`),
  fc
    .tuple(
      fc.constantFrom('startsWith', 'endsWith~', 'stringContains~', 'stringContains'),
      fc.constantFrom('p.a', 'p.b'),
      texts,
    )
    .map(([name, field, text]) => `${name}(${field}, ${quoted(text)})`),
  fc.constantFrom('p.a == null', 'p.b > 3', 'p.b == 5', 'p.a == p.a', 'true', 'length(p.a) > 2'),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    atoms,
    fc
      .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('condition').map((one) => `not (${one})`),
  ),
}));
const value = fc.oneof(
  texts,
  fc.constantFrom(5, 3.5, true, null),
  fc.array(fc.oneof(texts, fc.constantFrom(5, null)), { maxLength: 3 }),
);
const written = fc.record(
  {
    event: fc.record({ category: fc.constantFrom('x', ['x'], ['y', 'x'], ['x', 'x'], [], 'y') }),
    p: fc.record(
      {
        a: value,
        b: value,
        c: fc.oneof(fc.record({ d: value }), fc.array(fc.record({ d: value }), { maxLength: 2 })),
      },
      { requiredKeys: [] },
    ),
    'p.a': value,
  },
  { requiredKeys: ['event'] },
);
const documents = written.map(nested);

test('generated code under the index gives what walking the tree gives, for any conditions and documents', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('x', 'y', 'any'), condition), { minLength: 1, maxLength: 12 }),
      fc.array(documents, { minLength: 1, maxLength: 5 }),
      (parts, docs) => {
        const set = planConditions(parts.map(([category, text]) => eql(`${category} where ${text}`)));
        for (const doc of docs) {
          const hits: number[] = [];
          set.match(doc, hits);
          expect(hits).toEqual(parts.map((_, index) => index).filter((index) => set.test(index, doc)));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('no text of a rule stands in generated code', () => {
  const sources: string[] = [];
  const original = Function;
  vi.stubGlobal(
    'Function',
    new Proxy(original, {
      construct(target, parts: string[]) {
        sources.push(parts.at(-1) as string);
        return Reflect.construct(target, parts) as object;
      },
    }),
  );
  const hostile = [
    '"];throw 1//',
    "'+process.exit()+'",
    '`$' + '{x}`',
    '\u2028\u2029',
    '*/}}}',
    '\\',
    'zqzq',
  ];
  const field = (name: string): Expr => ({
    kind: 'field',
    path: [name, 'zqzq'],
    optional: false,
    alias: null,
    span: { start: 0, end: 0 },
  });
  const literal = (text: string): Expr => ({ kind: 'literal', value: text, span: { start: 0, end: 0 } });
  const conditions = hostile.map(
    (text): StepCondition => ({
      category: text,
      condition: {
        kind: 'compare',
        op: '==',
        left: field(text),
        right: literal(text),
        span: { start: 0, end: 0 },
      },
    }),
  );
  for (const [index, text] of hostile.entries()) {
    const doc = nested({ event: { category: text }, [text]: { zqzq: text } });
    expect(hitsOf(conditions, doc)).toEqual([index]);
  }
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources)
    for (const text of hostile.slice(0, 4).concat('zqzq')) expect(source).not.toContain(text);
});

test('no document makes it throw', () => {
  const { conditions } = corpusConditions();
  const set = planConditions(conditions);
  const part = fc.constantFrom(
    'event',
    'category',
    'process',
    'name',
    'args',
    'file',
    'path',
    'host',
    'ip',
    'length',
    '__proto__',
  );
  const anything = fc.anything({
    key: part,
    maxDepth: 5,
    withNullPrototype: true,
    withBigInt: true,
    withDate: true,
    withMap: true,
  });
  fc.assert(
    fc.property(fc.dictionary(part, anything, { noNullPrototype: false }), (doc) => {
      const hits: number[] = [];
      set.match(doc, hits);
      for (let index = 0; index < set.size; index += 7) set.test(index, doc);
    }),
    { numRuns: 500 },
  );
});

test('lists as deep as the stack and as long as memory allows are read to a bound', () => {
  let deep: unknown = 'a';
  for (let level = 0; level < 100_000; level++) deep = [deep];
  const set = planConditions([
    eql('any where p.a == "a" or p.a.b == "a" or length(p.a) > 0'),
    kql('a'),
    kql('p.a:*'),
  ]);
  const hits: number[] = [];
  set.match({ p: { a: deep } }, hits);
  set.match({ p: deep }, hits);
  set.match({ p: { a: new Array(300_000).fill('b') } }, hits);
  expect(hits).toEqual([0, 2]);
});

test('a bomb of wildcards ends', () => {
  const text = 'a'.repeat(200_000);
  const bomb = `${'*a?'.repeat(300)}*b`;
  const set = planConditions([
    eql(`any where p.a : "${bomb}" or p.a like "${'*a'.repeat(1000)}*b"`),
    kql(`p.a:${'*a'.repeat(1000)}*b`),
  ]);
  const hits: number[] = [];
  set.match({ p: { a: text } }, hits);
  expect(hits).toEqual([]);
});

test('explain tells every predicate, what it read and what it came to', () => {
  const text = 'process where process.name : "a*" and not (user.id == 0 or process.args == "x")';
  const set = planConditions([eql(text)]);
  const doc = { event: { category: ['process'] }, process: { name: 'abc', args: ['y', 'x'] } };
  expect(set.test(0, doc)).toBe(false);
  const verdicts = set
    .explain(0, doc)
    .map(({ span, holds, values }) => [text.slice(span.start, span.end), holds, values]);
  expect(verdicts).toEqual([
    ['', true, [{ field: 'event.category', value: ['process'] }]],
    ['process.name : "a*"', true, [{ field: 'process.name', value: 'abc' }]],
    ['user.id == 0', false, [{ field: 'user.id', value: undefined }]],
    ['process.args == "x"', true, [{ field: 'process.args', value: ['y', 'x'] }]],
  ]);
});

test('a condition on a bound document is possible, and decided by its bindings', () => {
  const parsed = parseEql(
    'sequence [file where true] as event0 [process where process.name == "a" and not process.executable == event0.file.path]',
  );
  if (!('query' in parsed) || parsed.query.kind !== 'sequence') throw new Error('no sequence');
  const set = planConditions(parsed.query.steps);
  const doc = { event: { category: 'process' }, process: { name: 'a', executable: '/x' } };
  const hits: number[] = [];
  set.match(doc, hits);
  expect(hits).toEqual([1]);
  expect([set.isBound(0), set.isBound(1)]).toEqual([false, true]);
  expect(set.test(1, doc, new Map([['event0', { file: { path: '/x' } }]]))).toBe(false);
  expect(set.test(1, doc, new Map([['event0', { file: { path: '/y' } }]]))).toBe(true);
  set.match({ ...doc, process: { name: 'b' } }, hits);
  expect(hits).toEqual([1]);
});

test('350 conditions compile into one set that finds each of them', () => {
  const conditions = Array.from({ length: 350 }, (_, index) =>
    eql(
      `process where event.action == "exec" and process.name in ("p${index}", "q${index}") and process.args : "*x${index}*"`,
    ),
  );
  const set = planConditions(conditions);
  for (const index of [0, 17, 349]) {
    const hits: number[] = [];
    const doc = {
      event: { category: ['process'], action: 'exec' },
      process: { name: `q${index}`, args: ['a', `ax${index}-`] },
    };
    set.match(doc, hits);
    expect(hits).toContain(index);
    expect(hits.every((hit) => set.test(hit, doc))).toBe(true);
  }
});

test('every value of a long array is judged, by a condition alone and by one among many', () => {
  const args = [...new Array<string>(12_000).fill('-x'), '--last'];
  const queries = ['a', 'b', 'c', 'd', 'e', '--last'].map(
    (word) => `process where process.args == "${word}"`,
  );
  const further = [
    'process where length(process.args) == 6',
    'process where substring(process.args, 2) like "l*"',
  ];
  const doc = { event: { category: ['process'] }, process: { args } };
  const hits = hitsOf([...queries, ...further].map(eql), doc);
  expect(hits).toEqual([5, 6, 7]);
});
