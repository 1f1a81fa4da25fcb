import type { Expr, KqlField, KqlIs } from './ast.js';

/** A pattern that a path must fit as a whole. */
export interface PathPattern {
  readonly text: string;
  /** Which characters of `text` are wildcards: `*` any run, `/` included; `?` one character. */
  readonly wildcards: '' | '*' | '*?';
  readonly insensitive: boolean;
}

/** A field, and the patterns of which its value fits one whenever the comparison holds. */
export type Values = { readonly name: string; readonly patterns: readonly PathPattern[] } | undefined;

/** Of a comparison; undefined when it does not leave a list of values to one field. */
export function allowedValues(expr: Expr): Values {
  return expr.kind === 'kql-is' ? kqlValues(expr.field, expr.value) : eqlValues(expr);
}

function kqlValues(field: KqlField | null, value: KqlIs['value']): Values {
  if (field === null || field.wildcard) return undefined;
  const exact = value.kind === 'exact';
  // A literal `*` of a part cannot be told from a wildcard any more.
  if (!exact && value.parts.some((part) => part.includes('*'))) return undefined;
  const text = exact ? value.text : value.parts.join('*');
  return { name: field.name, patterns: [{ text, wildcards: exact ? '' : '*', insensitive: false }] };
}

function eqlValues(expr: Expr): Values {
  if (expr.kind === 'compare' && expr.op === '==') {
    return valuesOf(expr.left, [expr.right], '', false) ?? valuesOf(expr.right, [expr.left], '', false);
  }
  if (expr.kind === 'in') return valuesOf(expr.value, expr.items, '', expr.insensitive);
  if (expr.kind === 'like') return valuesOf(expr.value, expr.patterns, '*?', expr.op !== 'like');
  if (expr.kind === 'call' && expr.args[0] !== undefined) {
    const [value, part] = expr.args;
    const around = { startsWith: ['', '*'], endsWith: ['*', ''], stringContains: ['*', '*'] }[expr.name];
    if (around === undefined || part?.kind !== 'literal' || typeof part.value !== 'string') return undefined;
    if (part.value.includes('*')) return undefined;
    const text = `${around[0]}${part.value}${around[1]}`;
    return valuesOf(value, [{ ...part, value: text }], '*', expr.insensitive);
  }
  return undefined;
}

function valuesOf(
  value: Expr,
  items: readonly Expr[],
  wildcards: PathPattern['wildcards'],
  insensitive = false,
): Values {
  if (value.kind !== 'field' || value.alias !== null) return undefined;
  const patterns: PathPattern[] = [];
  for (const item of items) {
    if (item.kind !== 'literal' || typeof item.value !== 'string') return undefined;
    const wild = [...wildcards].some((one) => (item.value as string).includes(one));
    patterns.push({ text: item.value, wildcards: wild ? wildcards : '', insensitive });
  }
  return { name: value.path.join('.'), patterns };
}
