import type { Expr, Field, Literal, Pipe, Query, Step, StepCondition } from '../ast.js';
import { keywords } from './tokens.js';

// How tightly a node binds; a node in a place that needs more stands in parentheses.
const level = { or: 1, and: 2, not: 3, comparison: 4, predicate: 5, sum: 6, product: 7, sign: 8, primary: 9 };

/** The canonical text of an EQL query: parsing it gives the same tree, spans aside. */
export function printEql(query: Exclude<Query, { kind: 'kql' }>): string {
  const pipes = query.pipes.map((pipe) => `\n${printPipe(pipe)}`).join('');
  if (query.kind === 'event') return condition(query) + pipes;
  const head: string[] = [query.kind];
  if (query.by.length > 0) head.push(`by ${query.by.map(field).join(', ')}`);
  if (query.kind === 'sequence' && query.maxspan !== null)
    head.push(`with maxspan=${duration(query.maxspan)}`);
  const lines = [head.join(' '), ...query.steps.map((step) => `  ${printStep(step)}`)];
  if (query.kind === 'sequence' && query.until !== null) lines.push(`until ${printStep(query.until)}`);
  return lines.join('\n') + pipes;
}

function printPipe(pipe: Pipe): string {
  return `| ${pipe.kind} ${pipe.count}`;
}

function printStep(step: Step): string {
  const parts = [`${step.missing ? '!' : ''}[${condition(step)}]`];
  if (step.by.length > 0) parts.push(`by ${step.by.map(field).join(', ')}`);
  if (step.runs > 1) parts.push(`with runs=${step.runs}`);
  if (step.alias !== null) parts.push(`as ${step.alias}`);
  return parts.join(' ');
}

function condition(step: StepCondition): string {
  return `${category(step.category)} where ${printExpression(step.condition)}`;
}

function category(name: string | null): string {
  if (name === null) return 'any';
  return plainName(name) ? name : string(name);
}

function plainName(name: string): boolean {
  return /^[A-Za-z_@][A-Za-z0-9_]*$/.test(name) && !keywords.has(name);
}

/** `1m` of microseconds: the largest unit that holds them exactly. */
function duration(micros: number): string {
  for (const [unit, size] of [
    ['d', 8.64e10],
    ['h', 3.6e9],
    ['m', 6e7],
    ['s', 1e6],
  ] as const)
    if (micros % size === 0) return `${micros / size}${unit}`;
  return `${micros / 1e3}ms`;
}

/** A condition or value of an EQL query as canonical text. */
export function printExpression(expr: Expr, needed = level.or): string {
  const [own, text] = printed(expr);
  return own < needed ? `(${text})` : text;
}

function printed(expr: Expr): [number, string] {
  const at = printExpression;
  switch (expr.kind) {
    case 'literal':
      return [level.primary, literal(expr)];
    case 'field':
      return [level.primary, field(expr)];
    case 'or':
      return [level.or, expr.operands.map((one) => at(one, level.and)).join(' or ')];
    case 'and':
      return [level.and, expr.operands.map((one) => at(one, level.not)).join(' and ')];
    case 'not':
      return [level.not, `not ${at(expr.operand, level.not)}`];
    case 'compare':
      return [
        level.comparison,
        `${at(expr.left, level.predicate)} ${expr.op} ${at(expr.right, level.predicate)}`,
      ];
    case 'descendant-of':
      return [level.comparison, `descendant of [${condition(expr.query)}]`];
    case 'in': {
      const items = expr.items.map((item) => at(item)).join(', ');
      return [level.predicate, `${at(expr.value, level.sum)} in${expr.insensitive ? '~' : ''} (${items})`];
    }
    case 'like':
      return [level.predicate, `${at(expr.value, level.sum)} ${expr.op} ${patterns(expr.patterns)}`];
    case 'regex':
      return [
        level.predicate,
        `${at(expr.value, level.sum)} regex${expr.insensitive ? '~' : ''} ${patterns(expr.patterns)}`,
      ];
    case 'arithmetic': {
      const own = expr.op === '+' || expr.op === '-' ? level.sum : level.product;
      return [own, `${at(expr.left, own)} ${expr.op} ${at(expr.right, own + 1)}`];
    }
    case 'negate': {
      // -1 is a literal of its own.
      const { operand } = expr;
      const text = at(operand, level.sign);
      return [level.sign, /^[0-9]/.test(text) ? `-(${text})` : `-${text}`];
    }
    case 'call': {
      const args = expr.args.map((arg) => at(arg)).join(', ');
      return [level.primary, `${expr.name}${expr.insensitive ? '~' : ''}(${args})`];
    }
    default:
      throw new Error(`${expr.kind} is no part of an EQL query`);
  }
}

function patterns(list: readonly Expr[]): string {
  const texts = list.map((one) => printExpression(one));
  return texts.length === 1 ? (texts[0] as string) : `(${texts.join(', ')})`;
}

function field(node: Field): string {
  const path = node.path.map((part) => (plainName(part) ? part : `\`${part.replaceAll('`', '``')}\``));
  return `${node.optional ? '?' : ''}${node.alias === null ? '' : `${node.alias}.`}${path.join('.')}`;
}

function literal({ value, float }: Literal): string {
  if (typeof value === 'string') return string(value);
  if (typeof value !== 'number') return String(value);
  const text = Object.is(value, -0) ? '-0' : String(value);
  return float === true && /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

const shortEscapes: Record<string, string> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '"': '\\"',
};

function string(value: string): string {
  const escaped = value.replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\\"]/g,
    (character) => shortEscapes[character] ?? `\\u{${character.charCodeAt(0).toString(16).padStart(2, '0')}}`,
  );
  return `"${escaped}"`;
}
