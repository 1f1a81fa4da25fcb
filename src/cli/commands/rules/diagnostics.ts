import type { Diagnostic } from '../../../rules/index.js';
import { formatDiagnostic } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';

/** Says on standard error what is wrong with rule files. True when one of them is an error. */
export function reportDiagnostics(context: CommandContext, diagnostics: readonly Diagnostic[]): boolean {
  for (const diagnostic of diagnostics) context.io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  return diagnostics.some(({ severity }) => severity === 'error');
}
