import path from 'node:path';
import { ExitCode } from '../../../base/errors.js';
import { type Diagnostic, formatDiagnostic, type Rule } from '../../../rules/index.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { pad } from '../../output/width.js';
import { blindReasons, type TierName, tierNames, tierReasons, unfilledFields } from '../../tiers.js';
import { filePath } from '../../values.js';

interface Checked {
  readonly file: string;
  readonly rule: Rule | undefined;
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

const isError = ({ severity }: Diagnostic) => severity === 'error';

/** Every file that was read, or could not be, with the rule it holds or what keeps it from being one. */
async function checkedFiles(context: CommandContext, paths: readonly string[]): Promise<Checked[]> {
  const { loadBuiltinRules, loadRules } = await import('../../../rules/index.js');
  const own = paths.length > 0 ? [] : loadBuiltinRules();
  const folders = paths.length > 0 ? paths : (await context.settings()).rules.folders;
  const loaded = loadRules(
    folders.map((one) => (path.isAbsolute(one) ? one : path.join(context.io.cwd, one))),
  );
  const diagnostics = [...loaded.diagnostics, ...loaded.passedOver];
  const rules = new Map([...own, ...loaded.rules].map((rule) => [rule.meta.file, rule]));
  const files = new Set([
    ...own.map((rule) => rule.meta.file),
    ...loaded.files,
    ...diagnostics.map(({ file }) => file ?? ''),
  ]);
  return [...files].map((file) => {
    const found = diagnostics.filter((one) => (one.file ?? '') === file);
    const rule = rules.get(file);
    return {
      file,
      rule,
      errors: found.filter(isError),
      warnings: [...found.filter((one) => !isError(one)), ...(rule?.warnings ?? [])],
    };
  });
}

/** Why a rule can match no event, whatever runs; empty when it may. */
function neverReasons({ rule, warnings }: Checked): string[] {
  const said = warnings.filter(({ code }) => /\/never$/.test(code)).map(({ message }) => message);
  if (rule === undefined) return said;
  const blind = tierNames.map((tier) => blindReasons(rule, tier));
  return blind.every((reasons) => reasons.length > 0) ? [...said, ...(blind[0] ?? [])] : said;
}

function problem({ code, message, line, column, expected, hint }: Diagnostic): object {
  return {
    code,
    message,
    line,
    column,
    ...(expected === undefined ? {} : { expected }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function checkFields(checked: Checked): object {
  const { file, rule, errors, warnings } = checked;
  const judged = (tier: TierName) => {
    const reasons = rule === undefined ? [] : tierReasons(rule, tier);
    return [tier, { degraded: reasons.length > 0, reasons }] as const;
  };
  return {
    file,
    id: rule?.meta.id ?? null,
    name: rule?.meta.name ?? null,
    ok: rule !== undefined && errors.length === 0,
    errors: errors.map(problem),
    warnings: warnings.map(problem),
    never: neverReasons(checked),
    ...(rule === undefined
      ? {}
      : { unfilled_fields: unfilledFields(rule), tiers: Object.fromEntries(tierNames.map(judged)) }),
  };
}

function print(checked: Checked, out: Output): void {
  const { file, rule, errors, warnings } = checked;
  const ok = rule !== undefined && errors.length === 0;
  const never = ok ? neverReasons(checked) : [];
  const name = rule === undefined ? '' : `  ${safe(rule.meta.name) ?? ''}`;
  out.line(
    `${ok ? (never.length > 0 ? out.style('yellow', 'never ') : out.style('green', 'ok    ')) : out.style('red', 'error ')}  ${safe(file) ?? ''}${name}`,
  );
  for (const one of [...errors, ...warnings])
    for (const line of formatDiagnostic(one).split('\n')) out.line(`        ${line}`);
  if (rule === undefined) return;
  for (const tier of tierNames) {
    for (const reason of tierReasons(rule, tier))
      out.line(`        ${out.style('yellow', pad(`degraded at ${tier}:`, 31))} ${safe(reason) ?? ''}`);
  }
}

export const rulesCheck = defineCommand({
  description:
    'Reads rule files and the .toml files of folders, and says what is wrong with them and which sensor tier supplies what\n' +
    'they read. Without PATH: the built-in rules and the configured folders. Exit code 1 when a file is no valid rule, or its\n' +
    'rule does not run on an endpoint (the agent passes over those).',
  arguments: [
    { name: '[PATH...]', summary: 'rule files, and folders that hold some', check: filePath('PATH') },
  ],
  options: {
    quiet: flag('--quiet', 'only files with errors'),
    strict: flag('--strict', 'exit code 1 also for a rule that can never match'),
    json: flag('--json', 'one JSON document a rule (NDJSON)'),
  },
  examples: [
    { line: 'launchwarden rules check rules/macos', says: "for example a copy of Elastic's" },
    { line: 'launchwarden rules check my-rule.toml --json', says: 'for a script or an editor' },
  ],
  async handler({ context, options, args }) {
    const { out } = context;
    const checked = await checkedFiles(context, args);
    const bad = checked.filter(({ rule, errors }) => rule === undefined || errors.length > 0);
    for (const one of options.quiet ? bad : checked) {
      if (options.json) out.document('rule-check/1', checkFields(one));
      else print(one, out);
    }
    const never = checked.filter((one) => !bad.includes(one) && neverReasons(one).length > 0);
    if (!options.json) {
      const rest = never.length === 0 ? '' : `; ${never.length} of them can never match, or only in part`;
      out.line(`${checked.length - bad.length} valid, ${bad.length} not${rest}`);
    }
    if (checked.length === 0) {
      const where = args.map((one) => safe(one)).join(', ');
      context.io.stderr.write(
        `launchwarden: no rule file (.toml) in ${where === '' ? 'the configured folders' : where}\n`,
      );
      return ExitCode.checkFailed;
    }
    const fails = bad.length > 0 || (options.strict && never.length > 0);
    return fails ? ExitCode.checkFailed : ExitCode.ok;
  },
});
