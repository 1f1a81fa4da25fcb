import { formatDiagnostic, type LoadedExceptions } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';

/** Prints what is wrong with the files on standard error. True when that keeps them from being used. */
export function reportProblems(
  { io }: CommandContext,
  { diagnostics, warnings }: Pick<LoadedExceptions, 'diagnostics' | 'warnings'>,
): boolean {
  for (const one of [...diagnostics, ...warnings]) io.stderr.write(`${formatDiagnostic(one)}\n`);
  return diagnostics.length > 0;
}
