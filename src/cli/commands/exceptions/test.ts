import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, reasonOf, UserError } from '../../../base/errors.js';
import { type Diagnostic, type Exception, readExceptionFile } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { filePath } from '../../values.js';
import { reportProblems } from './diagnostics.js';
import { type Hidden, hiddenBy, hiddenLines } from './hidden.js';
import { loadListed } from './load.js';

interface Read {
  readonly exceptions: readonly Exception[];
  readonly diagnostics: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

function readFiles(files: readonly string[], cwd: string): Read {
  const exceptions: Exception[] = [];
  const diagnostics: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(path.resolve(cwd, file), 'utf8');
    } catch (error) {
      throw new UserError('exceptions/unreadable', `cannot read ${file}: ${reasonOf(error)}`);
    }
    const result = readExceptionFile(text, file);
    if ('diagnostics' in result) diagnostics.push(...result.diagnostics);
    else {
      exceptions.push(...result.set.exceptions);
      warnings.push(...result.warnings);
    }
  }
  return { exceptions, diagnostics, warnings };
}

/** Undefined where nothing is stored yet. */
export async function storedHidden(
  context: CommandContext,
  exceptions: readonly Exception[],
): Promise<Hidden | undefined> {
  const { dataDir } = await context.settings();
  if (!existsSync(path.join(dataDir, 'launchwarden.db'))) return undefined;
  return context.withStore((store) => hiddenBy(store, exceptions));
}

export const exceptionsTest = defineCommand({
  description:
    'Checks files of exceptions and tells what each exception would have hidden among the stored alerts.\n' +
    'Without FILE: those of the configuration. Exit code 1 when a file is refused.',
  arguments: [{ name: '[FILE...]', summary: 'files of exceptions', check: filePath('FILE') }],
  options: { json: flag('--json', 'one JSON document an exception (NDJSON)') },
  examples: [{ line: 'launchwarden exceptions test', says: 'before the agent reads them' }],
  needs: 'read access to the files; to the data directory for the stored alerts',
  async handler({ context, options, args }) {
    const { out } = context;
    const read = args.length === 0 ? await loadListed(context) : readFiles(args, context.io.cwd);
    const hidden = await storedHidden(context, read.exceptions);
    for (const exception of read.exceptions) {
      if (options.json) {
        out.document('exception-test/1', {
          id: exception.id,
          file: exception.file,
          hidden: hidden?.by.get(exception.id)?.count ?? 0,
          stored: hidden?.of ?? 0,
          alerts: hidden?.by.get(exception.id)?.first.map(({ id }) => id) ?? [],
        });
        continue;
      }
      out.line(`${out.style('bold', exception.id)}  ${safe(exception.reason) ?? ''}`);
      for (const line of hidden === undefined ? [] : hiddenLines(hidden, exception.id, out))
        out.line(`  ${line}`);
    }
    if (!options.json && read.exceptions.length === 0) out.line('No exceptions.');
    return reportProblems(context, read) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
