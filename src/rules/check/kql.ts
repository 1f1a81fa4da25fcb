import type { Expr, KqlField, KqlIs } from '../ast.js';
import { neverEqual, type Report } from './report.js';

/** Checks a KQL condition. Names inside `field: { ... }` are relative to `prefix`. */
export function checkKql(expr: Expr, report: Report, prefix = ''): void {
  switch (expr.kind) {
    case 'and':
    case 'or':
      for (const operand of expr.operands) checkKql(operand, report, prefix);
      return;
    case 'not':
      checkKql(expr.operand, report, prefix);
      return;
    case 'kql-nested':
      checkKql(expr.condition, report, `${prefix}${expr.field.name}.`);
      return;
    case 'kql-exists':
      fieldOf(expr.field, report, prefix);
      return;
    case 'kql-range': {
      const info = fieldOf(expr.field, report, prefix);
      const why =
        info === undefined || info.type === 'boolean' ? undefined : neverEqual(info.type, expr.value);
      if (info !== undefined && why !== undefined)
        report.warn(expr.span, 'kql/never', `${info.name} ${why}: this never holds`);
      return;
    }
    case 'kql-is':
      checkIs(expr, report, prefix);
      return;
    default:
      return;
  }
}

function fieldOf(field: KqlField, report: Report, prefix: string) {
  return report.field(field.span, prefix + field.name, field.wildcard);
}

function checkIs({ field, value, span }: KqlIs, report: Report, prefix: string): void {
  const info = field === null ? undefined : fieldOf(field, report, prefix);
  const text = value.kind === 'exact' ? value.text : value.parts.join('*');
  if (text.includes('?') && !(value.kind === 'exact' && value.quoted)) {
    report.warn(
      span,
      'kql/question-mark',
      'KQL takes the ? literally',
      'The only wildcard is *; quote the value to say so.',
    );
  }
  if (value.kind === 'exact' && !value.quoted && /(?:^|\s)(?:and|or|not)$|^(?:and|or)\s/i.test(text)) {
    report.warn(
      span,
      'kql/keyword',
      `this is the value "${text.slice(0, 60)}", not an operator`,
      'Quote the value to say so.',
    );
  }
  if (value.kind === 'exact' && value.quoted && /[^*]\*|\*[^*]/.test(text)) {
    report.warn(
      span,
      'kql/quoted-wildcard',
      'in quotes the * is taken literally',
      'Leave the quotes out for a pattern; a blank in it is written `\\ `.',
    );
  }
  if (info === undefined) return;
  if (value.kind === 'exact') report.value(span, info.name, text);
  report.path(span, info.name, value.kind === 'exact' ? [text, ''] : [text, '*']);
  if (value.kind === 'pattern') {
    if (info.type !== 'keyword' && info.type !== 'text')
      report.warn(span, 'kql/never', `${info.name} is no text: a pattern never matches`);
    return;
  }
  const why = neverEqual(info.type, text);
  if (why !== undefined) report.warn(span, 'kql/never', `${info.name} ${why}: this is never equal`);
}
