import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseEql, parseKql, printQuery } from '../../../src/rules/index.js';

/**
 * The grammar, case by case. `canonical` is the one text of the tree that must come out (worked out by hand, so that it
 * tells precedence and unescaping), `error` the code of the diagnostic; `source` is where the truth stands.
 */
interface Corpus {
  readonly language: 'eql' | 'kuery';
  readonly cases: readonly { query: string; canonical?: string; error?: string; source: string }[];
}

describe.each(['eql', 'kql'])('%s', (name) => {
  const corpus = JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')) as Corpus;
  const parse = corpus.language === 'eql' ? parseEql : parseKql;

  test.each(corpus.cases.map((one, index) => ({ ...one, index })))('$index: $query', (one) => {
    const result = parse(one.query);
    const got =
      'query' in result ? { canonical: printQuery(result.query) } : { error: result.diagnostics[0]?.code };
    expect(got, one.source).toEqual(
      one.error === undefined ? { canonical: one.canonical } : { error: one.error },
    );
  });
});
