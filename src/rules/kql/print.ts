import type { Expr, KqlField, KqlIs, KqlQuery } from '../ast.js';

// Whatever `printed` makes for `or` and `and` needs parentheses in a tighter place.
const level = { or: 1, and: 2, not: 3, term: 4 };

/** The canonical text of a KQL query: parsing it gives the same tree, spans aside. */
export function printKql(query: KqlQuery): string {
  return print(query.condition, level.or);
}

function print(expr: Expr, needed: number): string {
  const [own, text] = printed(expr);
  return own < needed ? `(${text})` : text;
}

function printed(expr: Expr): [number, string] {
  switch (expr.kind) {
    case 'or':
      return [level.or, expr.operands.map((one) => print(one, level.and)).join(' or ')];
    case 'and':
      return [level.and, expr.operands.map((one) => print(one, level.not)).join(' and ')];
    case 'not':
      // Kibana's grammar knows no `not not`.
      return [level.not, `not ${print(expr.operand, level.term)}`];
    case 'match-all':
      return [level.term, '*'];
    case 'kql-exists':
      return [level.term, `${field(expr.field)}: *`];
    case 'kql-range':
      return [
        level.term,
        `${field(expr.field)} ${expr.op} ${expr.quoted ? quoted(expr.value) : unquoted([expr.value])}`,
      ];
    case 'kql-nested':
      return [level.term, `${field(expr.field)}: { ${print(expr.condition, level.or)} }`];
    case 'kql-is':
      return [level.term, `${expr.field === null ? '' : `${field(expr.field)}: `}${valueText(expr.value)}`];
    default:
      throw new Error(`${expr.kind} is no part of a KQL query`);
  }
}

function field({ name, wildcard }: KqlField): string {
  if (name === '') return '""';
  return unquoted(wildcard ? name.split('*') : [name]);
}

function valueText(value: KqlIs['value']): string {
  if (value.kind === 'pattern') return unquoted(value.parts);
  return value.quoted ? quoted(value.text) : unquoted([value.text]);
}

const controls: Record<string, string> = { '\t': '\\t', '\r': '\\r', '\n': '\\n' };
const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[\t\r\n]/g, (one) => controls[one] as string)}"`;
}

/** Texts with a wildcard between each two of them, everything that the grammar would take for itself escaped. */
function unquoted(parts: readonly string[]): string {
  const escaped = parts.map((part) =>
    part
      .replace(/[\\():<>"*{}]/g, '\\$&')
      // By code: `\n` before `ot` would be the escaped keyword.
      .replace(/[\t\r\n\u00a0\u3000]/g, codeOf),
  );
  const text = escaped.join('*');
  let start = 0;
  while (text[start] === ' ') start++;
  let end = text.length;
  while (end > start && text[end - 1] === ' ') end--;
  const inner = text.slice(start, end).replace(/(?<=^| )(?:and|or|not)(?= |$)/gi, '\\$&');
  return codeOf(' ').repeat(start) + inner + codeOf(' ').repeat(text.length - end);
}
