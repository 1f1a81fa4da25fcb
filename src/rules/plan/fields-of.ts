import type { Expr, Field } from '../ast.js';

/** What tells two fields of an expression apart: the step that they are read from, and the name. */
export function fieldKey({ alias, path }: Field): string {
  return JSON.stringify([alias, path.join('.')]);
}

/** The fields that an expression reads, each once. */
export function distinctFields(expr: Expr): readonly Field[] {
  const found = new Map<string, Field>();
  const walk = (node: Expr): void => {
    if (node.kind === 'field' && !found.has(fieldKey(node))) found.set(fieldKey(node), node);
    for (const child of childrenOf(node)) walk(child);
  };
  walk(expr);
  return [...found.values()];
}

/** The expressions directly inside one. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'compare':
    case 'arithmetic':
      return [expr.left, expr.right];
    case 'in':
      return [expr.value, ...expr.items];
    case 'like':
    case 'regex':
      return [expr.value, ...expr.patterns];
    case 'call':
      return expr.args;
    case 'not':
    case 'negate':
      return [expr.operand];
    case 'and':
    case 'or':
      return expr.operands;
    default:
      return [];
  }
}
