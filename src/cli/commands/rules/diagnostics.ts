import path from 'node:path';
import { things } from '../../../base/count.js';
import { escapeText } from '../../../base/escape.js';
import { type Diagnostic, formatDiagnostic, type LoadedRules, type Rule } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';

/** So many of the files that were passed over are named. */
const named = 3;

/** Says on standard error how many rule files were passed over, and names the first. */
export function tellPassedOver(context: CommandContext, passedOver: readonly Diagnostic[]): void {
  const files = [...new Set(passedOver.map(({ file }) => file ?? '?'))];
  if (files.length === 0) return;
  const first = files.slice(0, named).map((file) => escapeText(path.basename(file)));
  const more = files.length > named ? ` and ${files.length - named} more` : '';
  const count = things(files.length, 'rule file is', 'rule files are');
  context.io.stderr.write(
    `launchwarden: ${count} passed over, the rules do not run on an endpoint: ${first.join(', ')}${more}; ` +
      'see "launchwarden rules check"\n',
  );
}

/** Says on standard error how many rules have keys that are not done here, and names the first. */
export function tellIgnoredKeys(context: CommandContext, rules: readonly Rule[]): void {
  const some = rules.filter((rule) => ignoredKeys(rule).length > 0);
  if (some.length === 0) return;
  const first = some.slice(0, named).map(({ meta }) => escapeText(meta.name));
  const more = some.length > named ? ` and ${some.length - named} more` : '';
  const count = things(some.length, 'rule asks', 'rules ask');
  context.io.stderr.write(
    `launchwarden: ${count} for what is not done here: ${first.join(', ')}${more}; see "launchwarden rules check"\n`,
  );
}

/** What a rule asks for that is not done here, in words. */
export function ignoredKeys({ warnings = [] }: Rule): readonly string[] {
  return warnings.filter(({ code }) => code === 'rule/ignored-key').map(({ message }) => message);
}

/** Says on standard error what is wrong with rule files. True when one of them is an error. */
export function reportDiagnostics(
  context: CommandContext,
  { diagnostics, passedOver }: Pick<LoadedRules, 'diagnostics' | 'passedOver'>,
): boolean {
  for (const diagnostic of diagnostics) context.io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  tellPassedOver(context, passedOver);
  return diagnostics.some(({ severity }) => severity === 'error');
}
