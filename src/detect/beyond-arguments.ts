import { childrenOf, compileQuery, type Expr, type StepCondition } from '../rules/index.js';

/** Fields that say other things of a process when more of its arguments is known. */
const ofArguments = /^(?:process\.(?:args|args_count|command_line)|launchwarden\.(?:launchctl|process)\..*)$/;

const areCut = expressionOf('process where launchwarden.process.args_cut == true');

function expressionOf(text: string): Expr {
  const compiled = compileQuery('eql', text);
  if ('diagnostics' in compiled || compiled.query.kind !== 'event') throw new Error(`no condition: ${text}`);
  return compiled.query.condition;
}

/**
 * What a step asks of a process beside its arguments, and that these are cut: every process meets it that would meet the
 * step with other arguments. As a condition of the set it costs nothing at events that the step does not concern.
 */
export function beyondArguments({ category, condition }: StepCondition): StepCondition {
  const rest = weakened(condition);
  if (rest === undefined) return { category, condition: areCut };
  const operands = rest.kind === 'and' ? [...rest.operands, areCut] : [rest, areCut];
  return { category, condition: { kind: 'and', operands, span: condition.span } };
}

/** Without what depends on arguments; undefined when nothing is left, so that it may hold for any process. */
function weakened(expr: Expr): Expr | undefined {
  if (expr.kind !== 'and' && expr.kind !== 'or') return dependsOnArguments(expr) ? undefined : expr;
  const operands = expr.operands.map(weakened);
  const left = operands.filter((one) => one !== undefined);
  if (expr.kind === 'or' && left.length < operands.length) return undefined;
  return left.length > 1 ? { ...expr, operands: left } : left[0];
}

function dependsOnArguments(expr: Expr): boolean {
  if (expr.kind === 'descendant-of') return true;
  if (expr.kind === 'field') return expr.alias !== null || ofArguments.test(expr.path.join('.'));
  return childrenOf(expr).some(dependsOnArguments);
}
