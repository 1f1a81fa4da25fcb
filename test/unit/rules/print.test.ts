import { describe, expect, test } from 'vitest';
import {
  loadBuiltinRules,
  type Parsed,
  parseEql,
  parseKql,
  printQuery,
  type Query,
} from '../../../src/rules/index.js';
import { fc } from '../../helpers/property.js';
import { bare, eqlQuery, kqlExpression } from './trees.js';

function reparsed<Q extends Query>(text: string, parse: (text: string) => Parsed<Q>): unknown {
  const result = parse(text);
  return 'query' in result ? bare(result.query) : { text, diagnostics: result.diagnostics };
}

describe('parsing what was printed gives the same tree', () => {
  test('any EQL tree', () => {
    fc.assert(
      fc.property(eqlQuery, (query) => {
        expect(reparsed(printQuery(query), parseEql)).toEqual(bare(query));
      }),
      { numRuns: 1500 },
    );
  });

  test('any KQL tree', () => {
    fc.assert(
      fc.property(kqlExpression, (condition) => {
        const query: Query = { kind: 'kql', condition, span: { start: 0, end: 0 } };
        expect(reparsed(printQuery(query), parseKql)).toEqual(bare(query));
      }),
      { numRuns: 1500 },
    );
  });

  test('names of earlier steps', () => {
    const text = [
      'sequence by host.id with maxspan=90s',
      '  [file where true] by file.path with runs=2 as event0',
      '  [process where stringContains~(event0.file.path, process.name) and ?event0.`my-x` != null] by process.executable',
    ].join('\n');
    const parsed = parseEql(text);
    expect('query' in parsed && printQuery(parsed.query)).toBe(text);
  });

  test('our own rules', () => {
    for (const { query } of loadBuiltinRules()) {
      const parse = query.kind === 'kql' ? parseKql : parseEql;
      expect(reparsed<Query>(printQuery(query), parse)).toEqual(bare(query));
    }
  });
});

test('the tree is frozen', () => {
  const parsed = parseEql('sequence by a [b where c in (1, 2) and d like "x"] [e where true] | head 1');
  const check = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    expect(Object.isFrozen(node)).toBe(true);
    for (const value of Object.values(node)) check(value);
  };
  check('query' in parsed && parsed.query);
});
