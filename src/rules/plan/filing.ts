import type { Expr, Literal } from '../ast.js';
import { functionNamed } from '../functions/index.js';
import { foldText } from './fold.js';
import { eqlPattern } from './like.js';
import { pathParts } from './read.js';
import { numberOf } from './values.js';

/**
 * What must stand in an event for a condition to hold: one of the texts (or a text that begins with one of them) in one
 * field. Texts are folded, which asks for less than the condition may; a condition is filed under one of these.
 */
export interface Requirement {
  readonly parts: readonly string[];
  readonly kind: 'equals' | 'prefix';
  readonly texts: readonly string[];
}

const maxTexts = 2_000;

/** Everything that a condition cannot hold without, as far as it can be told from its literals. */
export function requirementsOf(expr: Expr): readonly Requirement[] {
  switch (expr.kind) {
    case 'and':
      return expr.operands.flatMap(requirementsOf);
    case 'or':
      return common(expr.operands.map(requirementsOf));
    case 'compare': {
      const [field, literal] =
        expr.left.kind === 'literal' ? [expr.right, expr.left] : [expr.left, expr.right];
      return expr.op === '==' ? required(field, [literal], 'equals') : [];
    }
    case 'in':
      return required(expr.value, expr.items, 'equals');
    case 'like':
      return required(expr.value, expr.patterns, 'pattern');
    case 'call': {
      const [field, ...rest] = expr.args;
      const starts = functionNamed(expr.name)?.name === 'startsWith' && rest.length === 1;
      return field !== undefined && starts ? required(field, rest, 'prefix') : [];
    }
    case 'kql-is': {
      const { field, value } = expr;
      if (field === null || field.wildcard) return [];
      const parts = field.name.split('.');
      // An exact text may also be a CIDR block or a number in another spelling.
      if (value.kind === 'exact')
        return /[./:]/.test(value.text) && /^[\d.:a-fA-F/]+$/.test(value.text)
          ? []
          : usable({ parts, kind: 'equals', texts: [value.text] });
      return usable({ parts, kind: 'prefix', texts: [value.parts[0] ?? ''] });
    }
    default:
      return [];
  }
}

function required(
  field: Expr,
  others: readonly Expr[],
  kind: 'equals' | 'prefix' | 'pattern',
): readonly Requirement[] {
  if (field.kind !== 'field' || field.alias !== null) return [];
  if (!others.every((one): one is Literal => one.kind === 'literal' && typeof one.value === 'string'))
    return [];
  const parts = pathParts(field.path);
  const texts = others.map(({ value }) => value as string);
  if (kind !== 'pattern') return usable({ parts, kind, texts });
  const patterns = texts.map(eqlPattern);
  if (patterns.every((pattern) => pattern.parts.length === 1 && pattern.parts[0]?.text !== undefined)) {
    return usable({ parts, kind: 'equals', texts });
  }
  return usable({ parts, kind: 'prefix', texts: texts.map((text) => text.replace(/[*?].*$/s, '')) });
}

/** Numbers and booleans equal more than one text: nothing is filed under those. */
function usable({ parts, kind, texts }: Requirement): readonly Requirement[] {
  const folded = [...new Set(texts.map(foldText))];
  if (folded.length > maxTexts) return [];
  if (kind === 'prefix') return folded.includes('') ? [] : [{ parts, kind, texts: shortest(folded) }];
  const loose = folded.some((text) => numberOf(text) !== undefined);
  return loose ? [] : [{ parts, kind, texts: folded }];
}

/** Without the texts that begin with another one. */
function shortest(texts: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const text of [...texts].sort()) if (!text.startsWith(kept.at(-1) ?? '\u0000')) kept.push(text);
  return kept;
}

/** What every alternative requires of one field, as the union of what they allow. */
function common(alternatives: readonly (readonly Requirement[])[]): readonly Requirement[] {
  const [first = [], ...rest] = alternatives;
  return first.flatMap((one) => {
    let merged: Requirement | undefined = one;
    for (const others of rest) {
      const name = one.parts.join('.');
      const same = others.find(({ parts }) => parts.join('.') === name);
      if (same === undefined) return [];
      const kind: Requirement['kind'] =
        merged.kind === 'equals' && same.kind === 'equals' ? 'equals' : 'prefix';
      const texts: string[] = [...new Set([...merged.texts, ...same.texts])];
      merged = { parts: one.parts, kind, texts: kind === 'prefix' ? shortest(texts) : texts };
    }
    return merged.texts.length > maxTexts ? [] : [merged];
  });
}

// Fields whose values are so few that filing under them tells little.
const fewValues: Record<string, number> = {
  'event.action': 20,
  'event.type': 10,
  'event.category': 5,
  'event.kind': 1,
  'event.module': 1,
  'event.outcome': 5,
  'host.os.type': 0,
  'host.os.family': 0,
  'host.os.platform': 0,
  'agent.type': 0,
  'event.dataset': 5,
};

/** The requirement that keeps a condition from most events; undefined when none is worth a look-up. */
export function bestRequirement(expr: Expr): Requirement | undefined {
  let best: Requirement | undefined;
  let most = 0;
  for (const one of requirementsOf(expr)) {
    const worth = worthOf(one);
    if (worth > most) {
      most = worth;
      best = one;
    }
  }
  return best;
}

/** The event category that a KQL condition asks for itself, when it asks for exactly one. */
export function requiredCategory(expr: Expr): string | null {
  const parts = expr.kind === 'and' ? expr.operands : [expr];
  for (const part of parts) {
    if (part.kind !== 'kql-is' || part.value.kind !== 'exact' || part.field?.wildcard !== false) continue;
    if (part.field.name === 'event.category' && numberOf(part.value.text) === undefined)
      return part.value.text;
  }
  return null;
}

/** How soon to judge an expression among others that must hold too: what fails most often and costs least comes first. */
export function judgingOrder(expr: Expr): number {
  const found = requirementsOf(expr);
  if (found.length > 0) return 100 - Math.max(...found.map(worthOf));
  if (expr.kind === 'and' || expr.kind === 'or' || expr.kind === 'descendant-of') return 140;
  return expr.kind === 'regex' || expr.kind === 'call' ? 130 : 120;
}

function worthOf({ parts, kind, texts }: Requirement): number {
  const name = parts.join('.');
  if (kind === 'prefix') {
    const shortest = Math.min(...texts.map((text) => text.length));
    return Math.min(90, shortest * 4);
  }
  if (name === 'process.args' || name === 'process.parent.args') return 60;
  return fewValues[name] ?? (name === 'process.name' ? 110 : 100);
}
