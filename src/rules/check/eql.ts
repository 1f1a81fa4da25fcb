import { didYouMean, nearest } from '../../base/nearest.js';
import { type FieldInfo, lookupField } from '../../event/fields.js';
import type { Call, Compare, Expr, Field, In, Like, Literal, Regex, Span, StepCondition } from '../ast.js';
import { leastNeedle } from '../plan/grams.js';
import { validateWildcard } from '../plan/like.js';
import { measureRegex } from '../regex.js';
import { type ArgumentKind, functionNames, signatureOf } from '../signatures.js';
import { isAddressOrBlock, neverEqual, type Report } from './report.js';

// The values that ECS allows for `event.category`, and `persistence` of the endpoint dialect. Others may be in use, so
// that only what looks like a slip is told.
const categories = [
  ...['api', 'authentication', 'configuration', 'database', 'driver', 'email', 'file', 'host', 'iam'],
  ...[
    'intrusion_detection',
    'library',
    'malware',
    'network',
    'package',
    'persistence',
    'process',
    'registry',
  ],
  ...['session', 'threat', 'vulnerability', 'web'],
];

/** States of all regular expressions of a query together; one that is refused counts as so many. */
const maxRegexStates = 20_000;
const refusedStates = 2_000;

/** Patterns that nothing but a search through the whole value can decide. */
const maxSearched = 1_000;
const tooManySearched = `more than ${maxSearched} patterns begin with a wildcard and hold no ${leastNeedle} characters in a row`;

type ValueType = 'string' | 'number' | 'boolean' | 'null' | 'any';

/** Checks one condition: functions, types, patterns, comparisons of fields, names. */
export class EqlConditionCheck {
  readonly #report: Report;
  #regexStates = 0;
  #searched = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** `category where condition`, which begins at `span`. */
  step({ category, condition }: StepCondition, span: Span): void {
    const near =
      category === null || categories.includes(category) ? undefined : nearest(category, categories);
    if (near !== undefined) {
      this.#report.warn(
        span,
        'eql/category',
        `no event has the category ${category}`,
        `Did you mean "${near}"?`,
      );
    }
    this.condition(condition);
  }

  condition(expr: Expr): void {
    const type = this.#value(expr);
    if (type === 'boolean' || type === 'any' || type === 'null') return;
    this.#report.error(
      expr.span,
      'eql/not-boolean',
      `a condition must be true or false; this is a ${type}`,
      expr.kind === 'field' ? 'Compare the field with something, or test it with != null.' : undefined,
    );
  }

  field(field: Field): FieldInfo | undefined {
    const name = field.path.join('.');
    if (field.alias === null && field.path.length > 1 && /^event\d+$/.test(field.path[0] as string)) {
      this.#report.error(
        field.span,
        'eql/alias',
        `no earlier step is named ${field.path[0]}`,
        'A step is named with `[...] as event0` and can be read in later steps.',
      );
      return undefined;
    }
    return field.optional ? undefined : this.#report.field(field.span, name, false);
  }

  /** Checks an expression and gives its type; `any` when it depends on the event. */
  #value(expr: Expr): ValueType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr);
      case 'field':
        return fieldType(this.field(expr));
      case 'compare':
        return this.#compare(expr);
      case 'in':
        return this.#in(expr);
      case 'like':
        return this.#like(expr);
      case 'regex':
        return this.#regex(expr);
      case 'call':
        return this.#call(expr);
      case 'arithmetic':
        this.#number(expr.left);
        this.#number(expr.right);
        if (expr.op === '/' || expr.op === '%') this.#divisor(expr.right);
        return 'number';
      case 'negate':
        this.#number(expr.operand);
        return 'number';
      case 'not':
        this.condition(expr.operand);
        return 'boolean';
      case 'and':
      case 'or':
        for (const operand of expr.operands) this.condition(operand);
        if (expr.kind === 'and') this.#contradiction(expr.operands);
        return 'boolean';
      case 'descendant-of':
        this.step(expr.query, expr.span);
        return 'boolean';
      default:
        return 'boolean';
    }
  }

  /** Two different values that one field, which holds one, would have to have. */
  #contradiction(operands: readonly Expr[]): void {
    const wanted = new Map<string, string>();
    for (const operand of operands) {
      if (operand.kind !== 'compare' || operand.op !== '==') continue;
      const { left, right } = operand;
      if (left.kind !== 'field' || left.alias !== null || right.kind !== 'literal') continue;
      const name = left.path.join('.');
      const info = lookupField(name);
      // Of dates and addresses two texts may be one value.
      if (info?.array !== false || info.type === 'date' || info.type === 'ip') continue;
      const value = String(right.value);
      if (wanted.has(name) && wanted.get(name) !== value)
        this.#report.warn(
          operand.span,
          'eql/never',
          `${name} is one value: it cannot be two at once`,
          'Write `in` or `or` for alternatives.',
        );
      wanted.set(name, value);
    }
  }

  #number(expr: Expr): void {
    this.#expect(expr, 'number', 'arithmetic');
  }

  #divisor(expr: Expr): void {
    if (expr.kind === 'literal' && expr.value === 0)
      this.#report.warn(expr.span, 'eql/division', 'a division by zero has no value');
  }

  /** A value of another type is an error when it is written there, a warning when a field brings it: that is converted. */
  #expect(expr: Expr, wanted: 'string' | 'number' | 'boolean', where: string): void {
    const type = this.#value(expr);
    if (type === wanted || type === 'any' || type === 'null') return;
    const message = `${where} takes a ${wanted}; this is a ${type}`;
    if (expr.kind === 'field') this.#report.warn(expr.span, 'eql/type', message);
    else this.#report.error(expr.span, 'eql/type', message);
  }

  #compare(expr: Compare): ValueType {
    const { left, right } = expr;
    this.#value(left);
    this.#value(right);
    this.#fieldComparison(left, right);
    this.#comparable(left, right, expr.op);
    this.#comparable(right, left, expr.op);
    return 'boolean';
  }

  #fieldComparison(left: Expr, right: Expr): void {
    const a = fieldsIn(left);
    const b = fieldsIn(right);
    if (a.length === 0 || b.length === 0) return;
    const both = [...a, ...b];
    // Elasticsearch compares optional fields that are not mapped as nulls (QA:sequenceOptionalFieldAsQueryKeysOnly).
    if (both.some((field) => field.alias !== null) || both.every((field) => field.optional)) return;
    this.#report.error(
      (b[0] as Field).span,
      'eql/field-comparison',
      'a field cannot be compared with another field of the same event',
      'A field of an earlier step, named with `as event0`, can be compared.',
    );
  }

  #comparable(side: Expr, other: Expr, op: Compare['op'] | 'in'): void {
    if (side.kind !== 'field' || other.kind !== 'literal' || other.value === null) return;
    if (typeof other.value === 'string' && (op === '==' || op === '!=' || op === 'in'))
      this.#report.path(other.span, side.path.join('.'), [other.value, '']);
    const info = side.optional ? undefined : lookupField(side.path.join('.'));
    if (info === undefined) return;
    const why = neverEqual(info.type, String(other.value));
    if (why !== undefined)
      this.#report.warn(other.span, 'eql/never', `${info.name} ${why}: this is never equal`);
    if (info.type === 'long' && typeof other.value === 'string' && why === undefined)
      this.#report.warn(
        other.span,
        'eql/text-number',
        `${info.name} holds numbers, and this is a text`,
        `Write ${other.value} without quotes.`,
      );
    if (typeof other.value === 'string' && (op === '==' || op === 'in'))
      this.#report.value(other.span, info.name, other.value);
    const equality = op === '==' || op === '!=' || op === 'in';
    if (equality && typeof other.value === 'string' && /[^*]\*|\*[^*]/.test(other.value)) {
      this.#report.warn(
        other.span,
        'eql/literal-wildcard',
        `${op} takes the * literally`,
        'Use `like` for a case-sensitive pattern, `:` or `like~` for any case.',
      );
    }
  }

  #in(expr: In): ValueType {
    this.#value(expr.value);
    for (const item of expr.items) {
      this.#value(item);
      this.#fieldComparison(expr.value, item);
      this.#comparable(expr.value, item, 'in');
    }
    return 'boolean';
  }

  #like(expr: Like): ValueType {
    this.#expect(expr.value, 'string', expr.op);
    for (const pattern of expr.patterns) {
      if (!this.#pattern(pattern, expr.op)) continue;
      const text = (pattern as Literal).value as string;
      if (isSearched(text)) this.#searched++;
      if (expr.value.kind === 'field')
        this.#report.path(pattern.span, expr.value.path.join('.'), [text, '*?']);
      const problem = this.#searched > maxSearched ? tooManySearched : validateWildcard(text);
      if (problem !== undefined) this.#report.error(pattern.span, 'eql/pattern', problem);
    }
    return 'boolean';
  }

  #pattern(pattern: Expr, op: string): boolean {
    if (pattern.kind === 'literal' && typeof pattern.value === 'string') return true;
    this.#report.error(pattern.span, 'eql/type', `${op} takes strings`, 'Put the value in double quotes.');
    return false;
  }

  #regex(expr: Regex): ValueType {
    const op = expr.insensitive ? 'regex~' : 'regex';
    this.#expect(expr.value, 'string', op);
    for (const pattern of expr.patterns) {
      if (!this.#pattern(pattern, op)) continue;
      const problem = this.#regexProblem(pattern.value as string);
      if (problem !== undefined) this.#report.error(pattern.span, 'eql/regex', problem);
    }
    return 'boolean';
  }

  #regexProblem(pattern: string): string | undefined {
    // Each costs time to be read, and a query holds thousands of them.
    if (this.#regexStates > maxRegexStates)
      return 'the regular expressions of the query are too large together';
    const measured = measureRegex(pattern);
    if (typeof measured === 'string') {
      this.#regexStates += refusedStates;
      return measured;
    }
    this.#regexStates += measured;
    return undefined;
  }

  #call(expr: Call): ValueType {
    const signature = signatureOf(expr.name);
    if (signature === undefined) {
      for (const arg of expr.args) this.#value(arg);
      this.#report.error(
        expr.span,
        'eql/function',
        `there is no function ${expr.name.slice(0, 100)}`,
        didYouMean(expr.name, functionNames()) ?? `Functions are ${functionNames().join(', ')}.`,
      );
      return 'any';
    }
    const { name, args, required, variadic } = signature;
    if (expr.insensitive && !signature.insensitive) {
      this.#report.error(expr.span, 'eql/function', `${name} has no form with ~`);
    }
    const most = variadic ? Number.POSITIVE_INFINITY : args.length;
    if (expr.args.length < required || expr.args.length > most) {
      const range = variadic
        ? `at least ${required}`
        : required === most
          ? required
          : `${required} to ${most}`;
      const count = `${range} argument${range === 1 ? '' : 's'}`;
      this.#report.error(expr.span, 'eql/arguments', `${name} takes ${count}, not ${expr.args.length}`);
    }
    expr.args.forEach((arg, index) => {
      const kind = variadic ? args[Math.min(index, args.length - 1)] : args[index];
      this.#argument(arg, kind ?? 'any', name);
    });
    const [first, second] = expr.args;
    if (name === 'startsWith' && first?.kind === 'field' && second?.kind === 'literal')
      this.#report.path(second.span, first.path.join('.'), [String(second.value ?? ''), '', 'start']);
    if (name === 'divide' || name === 'modulo')
      for (const divisor of expr.args.slice(1)) this.#divisor(divisor);
    return signature.returns;
  }

  #argument(arg: Expr, kind: ArgumentKind, name: string): void {
    if (kind === 'any' || kind === 'ip') {
      const type = this.#value(arg);
      if (kind === 'ip' && arg.kind === 'literal' && type !== 'string' && type !== 'null')
        this.#report.error(arg.span, 'eql/type', `${name} takes an IP address`);
    } else if (kind === 'block') this.#block(arg, name);
    else this.#expect(arg, kind, name);
  }

  #block(arg: Expr, name: string): void {
    if (arg.kind === 'literal' && arg.value === null) return;
    if (arg.kind !== 'literal' || typeof arg.value !== 'string') {
      this.#report.error(arg.span, 'eql/type', `${name} takes CIDR blocks as strings`);
    } else if (!isAddressOrBlock(arg.value)) {
      const shown = arg.value.slice(0, 60);
      this.#report.error(arg.span, 'eql/cidr', `"${shown}" is neither a CIDR block nor an IP address`);
    }
  }
}

/** No index of beginnings or of parts leads to such a pattern: each is tried on each value. */
function isSearched(pattern: string): boolean {
  const parts = pattern.split(/[*?]/);
  return parts.length > 1 && parts[0] === '' && parts.every((part) => part.length < leastNeedle);
}

function literalType({ value }: Literal): ValueType {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'number';
  return typeof value as 'string' | 'number' | 'boolean';
}

function fieldType(info: FieldInfo | undefined): ValueType {
  if (info?.type === 'keyword' || info?.type === 'text') return 'string';
  if (info?.type === 'long') return 'number';
  // Dates and addresses are compared as what they are; text where text is asked for.
  return info?.type === 'boolean' ? 'boolean' : 'any';
}

/** The fields that an expression's value depends on, conditions inside it left out. */
function fieldsIn(expr: Expr): readonly Field[] {
  switch (expr.kind) {
    case 'field':
      return [expr];
    case 'call':
      return expr.args.flatMap(fieldsIn);
    case 'arithmetic':
      return [...fieldsIn(expr.left), ...fieldsIn(expr.right)];
    case 'negate':
      return fieldsIn(expr.operand);
    default:
      return [];
  }
}
