import type { Call, Expr, Field, In, KqlField, KqlIs, Like, Literal, Query, StepCondition } from './ast.js';
import { furtherSpellings, isPathField, type PathParts, pathParts, patternText } from './path-spellings.js';

/**
 * Adds, wherever a query compares a path with a text, that path in the spelling of events. What was written stays: an event
 * of another source may carry it. Done once, when a query is compiled; events cost nothing more.
 */
export function spellPaths<Q extends Query>(query: Q): Q {
  if (query.kind === 'kql' || query.kind === 'event') {
    return { ...query, condition: spelled(query.condition, '') };
  }
  const step = <S extends StepCondition>(one: S): S => ({ ...one, condition: spelled(one.condition, '') });
  const steps = query.steps.map(step);
  if (query.kind === 'sample') return { ...query, steps };
  return { ...query, steps, until: query.until === null ? null : step(query.until) };
}

/** `prefix`: what stands before the names inside of KQL's braces. */
function spelled(expr: Expr, prefix: string): Expr {
  switch (expr.kind) {
    case 'and':
    case 'or':
      return { ...expr, operands: expr.operands.map((operand) => spelled(operand, prefix)) };
    case 'not':
      return { ...expr, operand: spelled(expr.operand, prefix) };
    case 'descendant-of':
      return { ...expr, query: { ...expr.query, condition: spelled(expr.query.condition, '') } };
    case 'kql-nested':
      return { ...expr, condition: spelled(expr.condition, `${prefix}${expr.field.name}.`) };
    case 'compare':
      return comparison(expr);
    case 'in':
      return isPath(expr.value) ? list(expr) : expr;
    case 'like':
      return isPath(expr.value) ? likeness(expr) : expr;
    case 'call':
      return call(expr);
    case 'kql-is':
      return kqlIs(expr, prefix);
    default:
      return expr;
  }
}

function isPath(expr: Expr | undefined): expr is Field {
  return expr?.kind === 'field' && isPathField(expr.path.join('.'));
}

function textOf(expr: Expr | undefined): string | undefined {
  return expr?.kind === 'literal' && typeof expr.value === 'string' ? expr.value : undefined;
}

/** Of a text that is compared as it is: the exact spellings of it. */
function exactSpellings(text: string, insensitive: boolean): readonly string[] {
  return furtherSpellings(pathParts(text, ''), insensitive).map((parts) =>
    parts.map((part) => (typeof part === 'string' ? '' : part.text)).join(''),
  );
}

function literals(texts: readonly string[], { span }: Expr): readonly Literal[] {
  return texts.map((value) => ({ kind: 'literal', value, span }));
}

function comparison(expr: Extract<Expr, { kind: 'compare' }>): Expr {
  const { op, span } = expr;
  const sides = [spelled(expr.left, ''), spelled(expr.right, '')] as const;
  const [left, right] = sides;
  const same = { ...expr, left, right };
  const [field, other] = isPath(left) ? [left, right] : [right, left];
  const text = textOf(other);
  if ((op !== '==' && op !== '!=') || !isPath(field) || text === undefined) return same;
  const further = exactSpellings(text, false);
  if (further.length === 0) return same;
  const items = [other, ...literals(further, other)];
  const any: In = { kind: 'in', value: field, items, insensitive: false, span };
  return op === '==' ? any : { kind: 'not', operand: any, span };
}

function list(expr: In): In {
  const further = expr.items.flatMap((item) => {
    const text = textOf(item);
    return text === undefined ? [] : literals(exactSpellings(text, expr.insensitive), item);
  });
  return further.length === 0 ? expr : { ...expr, items: [...expr.items, ...further] };
}

function likeness(expr: Like): Like {
  const further = expr.patterns.flatMap((pattern) => {
    const text = textOf(pattern);
    if (text === undefined) return [];
    return literals(patternTexts(furtherSpellings(pathParts(text, '*?'), expr.op !== 'like')), pattern);
  });
  return further.length === 0 ? expr : { ...expr, patterns: [...expr.patterns, ...further] };
}

function patternTexts(patterns: readonly PathParts[]): readonly string[] {
  return patterns.map(patternText).filter((text) => text !== undefined);
}

const around: Readonly<Record<string, readonly [before: '' | '*', after: '' | '*']>> = {
  startsWith: ['', '*'],
  endsWith: ['*', ''],
  stringContains: ['*', '*'],
};

/** The functions that are patterns in other words. */
function call(expr: Call): Expr {
  const [value, part] = expr.args;
  const text = textOf(part);
  const wild = Object.hasOwn(around, expr.name) ? around[expr.name] : undefined;
  if (wild === undefined || !isPath(value) || text === undefined || text === '' || expr.args.length !== 2)
    return expr;
  const [before, after] = wild;
  const parts = [...pathParts(before, '*'), ...pathParts(text, ''), ...pathParts(after, '*')];
  const further = patternTexts(furtherSpellings(parts, expr.insensitive));
  if (further.length === 0) return expr;
  const { span } = expr;
  const op = expr.insensitive ? 'like~' : 'like';
  const like: Like = { kind: 'like', op, value, patterns: literals(further, part as Expr), span };
  return { kind: 'or', operands: [expr, like], span };
}

function kqlIs(expr: KqlIs, prefix: string): Expr {
  const { field, value, span } = expr;
  if (field === null || !isPathField(prefix + field.name)) return expr;
  const parts: PathParts =
    value.kind === 'exact'
      ? pathParts(value.text, '')
      : value.parts.flatMap((text, index) => [
          ...(index === 0 ? [] : (['any'] as const)),
          ...pathParts(text, ''),
        ]);
  const further = furtherSpellings(parts, false).map((one) => kqlNode(field, one, span));
  return further.length === 0 ? expr : { kind: 'or', operands: [expr, ...further], span };
}

function kqlNode(field: KqlField, parts: PathParts, span: Expr['span']): KqlIs {
  const texts = [''];
  for (const part of parts) {
    if (part === 'any') texts.push('');
    else texts[texts.length - 1] += part === 'one' ? '?' : part.text;
  }
  const [text = ''] = texts;
  return {
    kind: 'kql-is',
    field,
    value: texts.length === 1 ? { kind: 'exact', text, quoted: true } : { kind: 'pattern', parts: texts },
    span,
  };
}
