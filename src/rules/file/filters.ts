import type { Expr, KqlField, KqlRange, Literal } from '../ast.js';
import { isTable, type TomlTable } from './table-reader.js';

const nowhere = Object.freeze({ start: 0, end: 0 });
const maxDepth = 32;
const maxNodes = 2_000;

/**
 * The condition that Kibana filters (`rule.filters`: Query DSL of Elasticsearch with a `meta` beside it) are, as far as they
 * are made of phrases, terms, wildcards, prefixes, ranges, existence and their combinations. Undefined when they ask for
 * more; disabled ones ask for nothing.
 */
export function filterConditions(filters: readonly unknown[]): readonly Expr[] | undefined {
  const reader = new FilterReader();
  const conditions = filters.map((filter) => reader.filter(filter));
  return conditions.every((condition) => condition !== undefined) ? conditions : undefined;
}

class FilterReader {
  #left = maxNodes;

  filter(filter: unknown): Expr | undefined {
    if (!isTable(filter)) return undefined;
    const meta = isTable(filter['meta']) ? filter['meta'] : {};
    if (meta['disabled'] === true) return { kind: 'match-all', span: nowhere };
    // Filters of old have the query beside `meta`, not inside `query`.
    const {
      query = Object.fromEntries(
        Object.entries(filter).filter(([key]) => /^[a-z]/.test(key) && key !== 'meta'),
      ),
    } = filter as { query?: unknown };
    const condition = this.#query(query, 0);
    return condition !== undefined && meta['negate'] === true ? not(condition) : condition;
  }

  #query(query: unknown, depth: number): Expr | undefined {
    if (depth > maxDepth || --this.#left < 0 || !isTable(query)) return undefined;
    const [entry, ...more] = Object.entries(query);
    if (entry === undefined || more.length > 0) return undefined;
    const [kind, body] = entry;
    if (!isTable(body)) return undefined;
    if (kind === 'bool') return this.#bool(body, depth);
    if (kind === 'match_all') return { kind: 'match-all', span: nowhere };
    if (kind === 'exists') return exists(body);
    const [named, ...others] = Object.entries(body).filter(([key]) => key !== 'boost');
    return named === undefined || others.length > 0 ? undefined : leaf(kind, named[0], named[1]);
  }

  #bool(body: TomlTable, depth: number): Expr | undefined {
    const {
      must = [],
      filter = [],
      should = [],
      must_not: mustNot = [],
      minimum_should_match: least,
      ...rest
    } = body;
    if (Object.keys(rest).some((key) => key !== 'boost' && key !== 'adjust_pure_negative')) return undefined;
    const read = (list: unknown) =>
      (Array.isArray(list) ? list : [list]).map((one) => this.#query(one, depth + 1));
    const all = [...read(must), ...read(filter)];
    const any = read(should);
    const none = read(mustNot);
    const isKnown = (list: readonly (Expr | undefined)[]): list is readonly Expr[] =>
      list.every((one) => one !== undefined);
    if (!isKnown(all) || !isKnown(any) || !isKnown(none)) return undefined;
    const needed = least === undefined ? (all.length === 0 ? 1 : 0) : Number(least);
    if (needed !== 0 && needed !== 1) return undefined;
    return and([...all, ...(any.length > 0 && needed === 1 ? [or(any)] : []), ...none.map(not)]);
  }
}

function leaf(kind: string, name: string, body: unknown): Expr | undefined {
  const field: KqlField = { kind: 'kql-field', name, wildcard: false, span: nowhere };
  switch (kind) {
    case 'match_phrase':
    case 'match':
      return phrase(field, isTable(body) ? body['query'] : body);
    case 'term':
      return isTable(body)
        ? body['case_insensitive'] === true
          ? insensitive(name, body['value'])
          : phrase(field, body['value'])
        : phrase(field, body);
    case 'terms':
      return Array.isArray(body) ? alternatives(body.map((value) => phrase(field, value))) : undefined;
    case 'prefix':
      return prefix(name, body);
    case 'wildcard':
      return wildcard(name, body);
    case 'range':
      return range(field, body);
    default:
      return undefined;
  }
}

function exists(body: TomlTable): Expr | undefined {
  const name = body['field'];
  if (typeof name !== 'string') return undefined;
  return {
    kind: 'kql-exists',
    field: { kind: 'kql-field', name, wildcard: false, span: nowhere },
    span: nowhere,
  };
}

function phrase(field: KqlField, value: unknown): Expr | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return {
    kind: 'kql-is',
    field,
    value: { kind: 'exact', text: String(value), quoted: true },
    span: nowhere,
  };
}

function alternatives(conditions: readonly (Expr | undefined)[]): Expr | undefined {
  return conditions.every((one) => one !== undefined) && conditions.length > 0 ? or(conditions) : undefined;
}

function prefix(name: string, body: unknown): Expr | undefined {
  const value = isTable(body) ? body['value'] : body;
  if (typeof value !== 'string') return undefined;
  const folded = isTable(body) && body['case_insensitive'] === true;
  return {
    kind: 'call',
    name: 'startsWith',
    insensitive: folded,
    args: [eqlField(name), literal(value)],
    span: nowhere,
  };
}

/** `*`, `?` and, with a backslash before it, each of them and the backslash as themselves: those EQL cannot say. */
function wildcard(name: string, body: unknown): Expr | undefined {
  const value = isTable(body) ? (body['value'] ?? body['wildcard']) : body;
  if (typeof value !== 'string' || /\\(?!\\)/.test(value.replaceAll('\\\\', ''))) return undefined;
  const folded = isTable(body) && body['case_insensitive'] === true;
  return {
    kind: 'like',
    op: folded ? 'like~' : 'like',
    value: eqlField(name),
    patterns: [literal(value.replaceAll('\\\\', '\\'))],
    span: nowhere,
  };
}

function insensitive(name: string, value: unknown): Expr | undefined {
  if (typeof value !== 'string') return undefined;
  return { kind: 'in', value: eqlField(name), items: [literal(value)], insensitive: true, span: nowhere };
}

const rangeOps: Readonly<Record<string, KqlRange['op']>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

function range(field: KqlField, body: unknown): Expr | undefined {
  if (!isTable(body)) return undefined;
  const bounds = Object.entries(body).filter(([key, value]) => key !== 'boost' && value !== null);
  const conditions = bounds.map(([key, value]): Expr | undefined => {
    const op = Object.hasOwn(rangeOps, key) ? rangeOps[key] : undefined;
    if (op === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
    return { kind: 'kql-range', field, op, value: String(value), quoted: true, span: nowhere };
  });
  return conditions.every((one) => one !== undefined) && conditions.length > 0 ? and(conditions) : undefined;
}

function eqlField(name: string): Expr {
  return { kind: 'field', path: name.split('.'), optional: false, alias: null, span: nowhere };
}

function literal(value: string): Literal {
  return { kind: 'literal', value, span: nowhere };
}

function not(operand: Expr): Expr {
  return { kind: 'not', operand, span: nowhere };
}

function and(operands: readonly Expr[]): Expr {
  const [only] = operands;
  if (only === undefined) return { kind: 'match-all', span: nowhere };
  return operands.length === 1 ? only : { kind: 'and', operands, span: nowhere };
}

function or(operands: readonly Expr[]): Expr {
  const [only] = operands;
  return operands.length === 1 ? (only as Expr) : { kind: 'or', operands, span: nowhere };
}
