import type { Expr, Literal } from '../ast.js';
import { functionNamed } from '../functions/index.js';
import { foldText } from './fold.js';
import { leastNeedle } from './grams.js';
import { pathParts } from './read.js';
import { equalsOtherTexts } from './typed.js';
import { numberOf } from './values.js';

/**
 * What must stand in an event for a condition to hold: one of the texts in one field, or a text that begins with one of
 * them, or contains one. Texts are folded, which asks for less than the condition may; a condition is filed under one of
 * these.
 */
export interface Requirement {
  readonly parts: readonly string[];
  readonly kind: 'equals' | 'prefix' | 'contains';
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
      const kind = callKinds[functionNamed(expr.name)?.name ?? ''];
      return field !== undefined && kind !== undefined && rest.length === 1
        ? required(field, rest, kind)
        : [];
    }
    case 'kql-is': {
      const { field, value } = expr;
      if (field === null || field.wildcard) return [];
      const parts = field.name.split('.');
      // An exact text may also be a CIDR block or a number in another spelling.
      if (value.kind === 'exact') {
        const isAddress = /[./:]/.test(value.text) && /^[\d.:a-fA-F/]+$/.test(value.text);
        return isAddress || equalsOtherTexts(field.name, value.text)
          ? []
          : usable({ parts, kind: 'equals', texts: [value.text] });
      }
      return patterns(parts, [value.parts]);
    }
    default:
      return [];
  }
}

type Kind = Requirement['kind'];

const callKinds: Readonly<Record<string, Kind>> = {
  startsWith: 'prefix',
  endsWith: 'contains',
  stringContains: 'contains',
};

function required(field: Expr, others: readonly Expr[], kind: Kind | 'pattern'): readonly Requirement[] {
  if (field.kind !== 'field' || field.alias !== null) return [];
  if (!others.every((one): one is Literal => one.kind === 'literal' && typeof one.value === 'string'))
    return [];
  const parts = pathParts(field.path);
  const texts = others.map(({ value }) => value as string);
  if (kind === 'equals' && texts.some((text) => equalsOtherTexts(parts.join('.'), text))) return [];
  if (kind !== 'pattern') return usable({ parts, kind, texts });
  return patterns(
    parts,
    texts.map((text) => text.split(/[*?]/)),
  );
}

/** Patterns as the literal texts between their wildcards. */
function patterns(parts: readonly string[], texts: readonly (readonly string[])[]): readonly Requirement[] {
  if (texts.every((text) => text.length === 1)) {
    return usable({ parts, kind: 'equals', texts: texts.map(([text = '']) => text) });
  }
  const longest = texts.map((text) => text.reduce((best, one) => (one.length > best.length ? one : best)));
  return [
    ...usable({ parts, kind: 'prefix', texts: texts.map(([text = '']) => text) }),
    ...usable({ parts, kind: 'contains', texts: longest }),
  ];
}

/** Numbers and booleans equal more than one text: nothing is filed under those. */
function usable({ parts, kind, texts }: Requirement): readonly Requirement[] {
  const folded = [...new Set(texts.map(foldText))];
  if (folded.length === 0 || folded.length > maxTexts) return [];
  if (kind === 'prefix') return folded.includes('') ? [] : [{ parts, kind, texts: shortest(folded) }];
  if (kind === 'contains') return folded.some(isShort) ? [] : [{ parts, kind, texts: folded }];
  const loose = folded.some((text) => numberOf(text) !== undefined);
  return loose ? [] : [{ parts, kind, texts: folded }];
}

const isShort = (text: string) => text.length < leastNeedle;

/** Without the texts that begin with another one. */
function shortest(texts: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const text of [...texts].sort()) if (!text.startsWith(kept.at(-1) ?? '\u0000')) kept.push(text);
  return kept;
}

/** What every alternative requires of one field, as the union of what they allow. */
function common(alternatives: readonly (readonly Requirement[])[]): readonly Requirement[] {
  const named = alternatives.map(byField);
  return [...(named[0]?.keys() ?? [])].flatMap((name) => {
    const lists = named.map((fields) => fields.get(name));
    if (!lists.every((list) => list !== undefined)) return [];
    return kinds.flatMap((kind) => {
      const texts: string[] = [];
      for (const list of lists) {
        const one = nearestTo(list, kind);
        if (one === undefined || texts.length > maxTexts) return [];
        texts.push(...one.texts);
      }
      return usable({ parts: name.split('.'), kind, texts });
    });
  });
}

const kinds: readonly Kind[] = ['equals', 'prefix', 'contains'];

function byField(list: readonly Requirement[]): ReadonlyMap<string, readonly Requirement[]> {
  const fields = new Map<string, Requirement[]>();
  for (const one of list) {
    const name = one.parts.join('.');
    const same = fields.get(name);
    if (same === undefined) fields.set(name, [one]);
    else same.push(one);
  }
  return fields;
}

/**
 * The requirement that implies one of the kind: what equals a text begins with it and contains it, what begins with one
 * contains it. Of several the one with the fewest texts.
 */
function nearestTo(list: readonly Requirement[], kind: Kind): Requirement | undefined {
  const implying = list.filter((one) => kinds.indexOf(one.kind) <= kinds.indexOf(kind));
  return implying.reduce<Requirement | undefined>(
    (best, one) => (best === undefined || one.texts.length < best.texts.length ? one : best),
    undefined,
  );
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

/** The requirements worth a look-up, first the one that keeps the condition from most events. */
export function bestFirst(expr: Expr): readonly Requirement[] {
  return requirementsOf(expr)
    .filter((one) => worthOf(one) > 0)
    .sort((a, b) => worthOf(b) - worthOf(a));
}

/** The requirement that keeps a condition from most events; undefined when none is worth a look-up. */
export function bestRequirement(expr: Expr): Requirement | undefined {
  return bestFirst(expr)[0];
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
  const least = Math.min(...texts.map((text) => text.length));
  if (kind === 'prefix') return Math.min(90, least * 4);
  if (kind === 'contains') return 30 + Math.min(30, least * 2);
  if (name === 'process.args' || name === 'process.parent.args') return 60;
  return fewValues[name] ?? (name === 'process.name' ? 110 : 100);
}
