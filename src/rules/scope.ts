import { allowedValues, type PathPattern } from './allowed-values.js';
import type { Expr, Field, StepCondition } from './ast.js';
import { isOtherSpelling } from './path-spellings.js';
import type { Rule } from './rule.js';

export interface StepRequirements {
  /** 0 for the first step; `until` and the ancestors of `descendant of` say so. */
  readonly role: 'step' | 'missing' | 'until' | 'ancestor';
  readonly index: number;
  /** Of `event.category`; null when the condition does not say. */
  readonly categories: readonly string[] | null;
  /** Of `event.action`; null when the condition does not say. */
  readonly actions: readonly string[] | null;
  /** Of `event.type`; null when the condition does not say. */
  readonly types: readonly string[] | null;
  /** Actions and types that the condition excludes. */
  readonly without: { readonly actions: readonly string[]; readonly types: readonly string[] };
  /** `file.path` fits one of these whenever the condition holds; null when it may be any. */
  readonly paths: readonly PathPattern[] | null;
  /** `file.name` fits one of these whenever the condition holds; null when it may be any. */
  readonly names: readonly PathPattern[] | null;
  /** Fields without which the condition never holds, join keys included. */
  readonly required: readonly string[];
  /** Fields without which one of its alternatives never holds. */
  readonly alternative: readonly string[];
  /** Fields that exclude something: without them `not` is true, and what should be left out is reported. */
  readonly negated: readonly string[];
}

/** What each step of a rule reads: for the watch scope, the coverage report and the degraded mark. */
export function ruleRequirements(rule: Rule): readonly StepRequirements[] {
  const { query } = rule;
  const found: Draft[] = [];
  if (query.kind === 'event' || query.kind === 'kql') {
    const category = query.kind === 'event' ? query.category : null;
    found.push(draft({ category, condition: query.condition }, { role: 'step', index: 0, by: [] }));
  } else {
    query.steps.forEach((step, index) => {
      const role = step.missing ? 'missing' : 'step';
      found.push(draft(step, { role, index, by: [...query.by, ...step.by], alias: step.alias }));
    });
    if (query.kind === 'sequence' && query.until !== null) {
      const { until } = query;
      found.push(draft(until, { role: 'until', index: query.steps.length, by: [...query.by, ...until.by] }));
    }
  }
  const fields = [...(rule.threshold?.fields ?? []), ...(rule.newTerms?.fields ?? [])];
  for (const step of found) for (const name of fields) step.reads.required.add(groupedBy(name, step.reads));
  bindAliases(found);
  return found.flatMap((step) => [finished(step), ...step.reads.ancestors.map(finished)]);
}

// `.config/x` of a pattern that begins with `*/` and goes on so; undefined for other patterns.
export function anywhere({ text, wildcards }: PathPattern): string | undefined {
  return wildcards === '' ? undefined : /^\*\/([^*?/].*)$/s.exec(text)?.[1];
}

/** A launch_daemon event carries its path as `Persistence.path` alone, and is grouped by that. */
function groupedBy(name: string, { actions }: Reads): string {
  const ofItems = actions?.every((action) => action === 'launch_daemon') === true;
  return name === 'file.path' && ofItems ? 'Persistence.path' : name;
}

/** The paths that a set of rules reads, without repetition; null stands for a step that reads any path. */
export function watchPatterns(rules: readonly Rule[]): {
  readonly patterns: readonly PathPattern[];
  /** Names of files, and ends of paths, that are looked for in whatever folder, with wildcards. */
  readonly names: readonly string[];
  /** Rules with a step that looks at files anywhere. */
  readonly unbounded: readonly string[];
} {
  const patterns = new Map<string, PathPattern>();
  const names = new Set<string>();
  const unbounded = new Set<string>();
  for (const rule of rules) {
    for (const step of ruleRequirements(rule)) {
      if (!readsFiles(step) || isOfItems(step)) continue;
      if (step.paths === null && step.names === null) unbounded.add(rule.meta.id);
      if (step.paths === null) for (const { text } of step.names ?? []) names.add(text);
      for (const pattern of step.paths ?? []) {
        const end = anywhere(pattern);
        if (end === undefined) patterns.set(JSON.stringify(pattern), pattern);
        else names.add(end);
      }
    }
  }
  return { patterns: [...patterns.values()], names: [...names], unbounded: [...unbounded] };
}

/** Whether a step is about files of which it must know the path: launch items are found where launchd looks. */
export function readsFiles(step: StepRequirements): boolean {
  if (step.categories !== null && !step.categories.includes('file')) return false;
  if (step.categories === null && step.paths === null) return false;
  return step.actions?.every((action) => action === 'launch_daemon') !== true;
}

/** Whether a step is about files of persistent items alone: wherever their mechanisms keep them. */
export function isOfItems({ paths, required }: StepRequirements): boolean {
  return paths === null && required.some((name) => /^launchwarden\.(?:persistence|plist)\./.test(name));
}

interface Draft {
  readonly role: StepRequirements['role'];
  readonly index: number;
  readonly alias: string | null;
  readonly category: string | null;
  readonly reads: Reads;
}

/** What must hold for one value of a field: one of the listed values, or anything. */
type Allowed<T> = readonly T[] | null;

interface Reads {
  readonly required: Set<string>;
  readonly alternative: Set<string>;
  readonly negated: Set<string>;
  /** Fields of earlier steps, `alias.name`, and how they are read. */
  readonly bound: { alias: string; name: string; negated: boolean }[];
  readonly ancestors: Draft[];
  paths: Allowed<PathPattern>;
  names: Allowed<PathPattern>;
  actions: Allowed<string>;
  types: Allowed<string>;
  without: { readonly actions: readonly string[]; readonly types: readonly string[] };
  categories: Allowed<string>;
}

function nothing(): Reads {
  return {
    required: new Set(),
    alternative: new Set(),
    negated: new Set(),
    bound: [],
    ancestors: [],
    paths: null,
    names: null,
    actions: null,
    types: null,
    without: { actions: [], types: [] },
    categories: null,
  };
}

function draft(
  step: StepCondition,
  as: { role: Draft['role']; index: number; by: readonly Field[]; alias?: string | null },
): Draft {
  const reads = readsOf(step.condition, false, as.index);
  for (const field of as.by) if (!field.optional) reads.required.add(field.path.join('.'));
  return { role: as.role, index: as.index, alias: as.alias ?? null, category: step.category, reads };
}

function bindAliases(steps: readonly Draft[]): void {
  for (const { alias, name, negated } of steps.flatMap((step) => step.reads.bound)) {
    const bound = steps.find((step) => step.alias === alias);
    (negated ? bound?.reads.negated : bound?.reads.required)?.add(name);
  }
}

function finished({ role, index, category, reads }: Draft): StepRequirements {
  const list = (names: Set<string>) => Object.freeze([...names].sort());
  const { required, alternative, negated } = reads;
  const otherwise = new Set([...alternative].filter((name) => !required.has(name)));
  return Object.freeze({
    role,
    index,
    categories: category === null ? reads.categories : [category],
    actions: reads.actions,
    types: reads.types,
    without: reads.without,
    paths: byName(reads),
    names: reads.names,
    required: list(required),
    alternative: list(otherwise),
    negated: list(negated),
  });
}

/** Paths and names that are combined, at most. */
const mostByName = 256;
/** At most two folders: below those that are deeper everything is watched. */
const wide = /^(\/(?:[^/]+\/){0,2})\*$/;

/** `/Users/*` and the name `.zshrc`: no more is looked for than files of that name below the folder. */
function byName({ paths, names }: Reads): Allowed<PathPattern> {
  if (paths === null || names === null || paths.length * names.length > mostByName) return paths;
  return paths.flatMap((pattern) => {
    const folder = pattern.wildcards === '' ? null : wide.exec(pattern.text)?.[1];
    if (typeof folder !== 'string') return [pattern];
    return names.flatMap((name) => {
      // One wildcard may stand for itself in the one and not in the other.
      if (name.wildcards !== pattern.wildcards && /[*?]/.test(name.text)) return [pattern];
      const insensitive = pattern.insensitive || name.insensitive;
      return ['', '*/'].map((between) => ({
        ...pattern,
        text: `${folder}${between}${name.text}`,
        insensitive,
      }));
    });
  });
}

/** What a condition reads when it must be true, or, `negated`, when it must be false. */
function readsOf(expr: Expr, negated: boolean, index: number): Reads {
  switch (expr.kind) {
    case 'not':
      return readsOf(expr.operand, !negated, index);
    case 'and':
    case 'or': {
      const parts = expr.operands.map((operand) => readsOf(operand, negated, index));
      return (expr.kind === 'and') === negated ? eitherOf(parts) : allOf(parts);
    }
    case 'descendant-of': {
      const reads = nothing();
      (negated ? reads.negated : reads.required).add('process.Ext.ancestry');
      reads.ancestors.push(draft(expr.query, { role: 'ancestor', index, by: [] }));
      return reads;
    }
    default:
      return leaf(expr, negated);
  }
}

function allOf(parts: readonly Reads[]): Reads {
  const all = merged(parts);
  for (const part of parts) for (const name of part.required) all.required.add(name);
  all.paths = narrowest(parts.map((part) => part.paths));
  all.names = narrowest(parts.map((part) => part.names));
  all.actions = narrowest(parts.map((part) => part.actions));
  all.types = narrowest(parts.map((part) => part.types));
  all.without = {
    actions: parts.flatMap((part) => part.without.actions),
    types: parts.flatMap((part) => part.without.types),
  };
  all.categories = narrowest(parts.map((part) => part.categories));
  return all;
}

function eitherOf(parts: readonly Reads[]): Reads {
  const either = merged(parts);
  const counts = new Map<string, number>();
  for (const part of parts) for (const name of part.required) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts)
    (count === parts.length ? either.required : either.alternative).add(name);
  either.paths = union(parts.map((part) => part.paths));
  either.names = union(parts.map((part) => part.names));
  either.actions = union(parts.map((part) => part.actions));
  either.types = union(parts.map((part) => part.types));
  either.without = {
    actions: inAll(parts.map((part) => part.without.actions)),
    types: inAll(parts.map((part) => part.without.types)),
  };
  either.categories = union(parts.map((part) => part.categories));
  return either;
}

function merged(parts: readonly Reads[]): Reads {
  const reads = nothing();
  for (const part of parts) {
    for (const name of part.alternative) reads.alternative.add(name);
    for (const name of part.negated) reads.negated.add(name);
    reads.bound.push(...part.bound);
    reads.ancestors.push(...part.ancestors);
  }
  return reads;
}

/** Each of the lists holds; any one of them is a sound answer, and the shortest the most useful. */
function narrowest<T>(lists: readonly Allowed<T>[]): Allowed<T> {
  return lists.reduce((best, list) => {
    if (best === null || (list !== null && list.length < best.length)) return list;
    return best;
  }, null);
}

function inAll(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = lists;
  return first.filter((one) => others.every((list) => list.includes(one)));
}

function union<T>(lists: readonly Allowed<T>[]): Allowed<T> {
  const all = new Set<T>();
  for (const list of lists) {
    if (list === null) return null;
    for (const item of list) all.add(item);
  }
  return [...all];
}

function leaf(expr: Expr, negated: boolean): Reads {
  const reads = nothing();
  const fields: Field[] = [];
  const inverse = collect(expr, fields);
  // `!=` and `== null` are true for a missing field, and their negation is not.
  const excludes = inverse !== negated;
  for (const field of fields) {
    const name = field.path.join('.');
    if (field.alias !== null) reads.bound.push({ alias: field.alias, name, negated: excludes });
    else (excludes ? reads.negated : reads.required).add(name);
  }
  if (expr.kind === 'kql-is' || expr.kind === 'kql-exists' || expr.kind === 'kql-range') {
    if (expr.field !== null) (negated ? reads.negated : reads.required).add(expr.field.name);
  } else if (expr.kind === 'kql-nested') nestedFields(expr.field.name, expr.condition, reads, negated);
  if (!excludes) allow(reads, expr);
  else exclude(reads, expr, negated);
  return reads;
}

function nestedFields(prefix: string, condition: Expr, reads: Reads, negated: boolean): void {
  const inner = readsOf(condition, negated, 0);
  for (const kind of ['required', 'alternative', 'negated'] as const)
    for (const name of inner[kind]) reads[kind].add(`${prefix}.${name}`);
}

/** The fields that a comparison reads; true when it holds for a missing one. */
function collect(expr: Expr, into: Field[]): boolean {
  switch (expr.kind) {
    case 'field':
      into.push(expr);
      return false;
    case 'compare': {
      collect(expr.left, into);
      collect(expr.right, into);
      const withNull = isNull(expr.left) || isNull(expr.right);
      return withNull ? expr.op === '==' : expr.op === '!=';
    }
    case 'in':
      collect(expr.value, into);
      for (const item of expr.items) collect(item, into);
      return expr.items.some(isNull);
    case 'like':
    case 'regex':
      return collect(expr.value, into);
    case 'call':
      for (const arg of expr.args) collect(arg, into);
      return false;
    case 'arithmetic':
      collect(expr.left, into);
      collect(expr.right, into);
      return false;
    case 'negate':
    case 'not':
      collect(expr.operand, into);
      return false;
    case 'and':
    case 'or':
      for (const operand of expr.operands) collect(operand, into);
      return false;
    default:
      return false;
  }
}

function isNull(expr: Expr): boolean {
  return expr.kind === 'literal' && expr.value === null;
}

/** The values that a comparison, being true, leaves to the fields that are looked up by value. */
function allow(reads: Reads, expr: Expr): void {
  const found = allowedValues(expr);
  if (found === undefined) return;
  // No event carries a path in another spelling, or one of Windows, and nothing is watched there.
  if (found.name === 'file.path')
    reads.paths = found.patterns.filter(
      ({ text, insensitive }) => !isOtherSpelling(text, insensitive) && !/^[A-Za-z?]:\\/.test(text),
    );
  if (found.name === 'file.name' && found.patterns.every(({ text }) => /^[^/]*[^/*?][^/]*$/.test(text)))
    reads.names = found.patterns;
  const exact = found.patterns.every(({ wildcards }) => wildcards === '');
  const values = found.patterns.map(({ text }) => text);
  if (found.name === 'event.action' && exact) reads.actions = values;
  if (found.name === 'event.type' && exact) reads.types = values;
  if (found.name === 'event.category' && exact) reads.categories = values;
}

/** The actions and types that a comparison, being true, leaves no event of. */
function exclude(reads: Reads, expr: Expr, negated: boolean): void {
  const positive: Expr = !negated && expr.kind === 'compare' ? { ...expr, op: '==' } : expr;
  const found = allowedValues(positive);
  if (found === undefined || found.patterns.some(({ wildcards }) => wildcards !== '')) return;
  const values = found.patterns.map(({ text }) => text);
  if (found.name === 'event.action') reads.without = { actions: values, types: [] };
  if (found.name === 'event.type') reads.without = { actions: [], types: values };
}
