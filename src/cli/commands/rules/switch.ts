import { ExitCode } from '../../../base/errors.js';
import type { CommandContext } from '../../context.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { changeRuleLists, editableConfig, sayRestart } from '../../rule-config.js';
import { loadRuleSet, ruleToChange } from '../../rule-set.js';
import { ruleFields, ruleSchema } from './rule-document.js';

const ruleArgument = [{ name: 'RULE...', summary: 'id, name or beginning of an id (8 characters)' }];
const options = {
  yes: flag('--yes', 'also by less than 8 characters of an id'),
  json: flag('--json', 'the rules, one JSON document a line'),
} as const;
const needs = 'the right to write the configuration file; the agent reads it when it starts';

async function switchRules(
  context: CommandContext,
  written: readonly string[],
  how: { readonly on: boolean; readonly yes: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const set = await loadRuleSet(context);
  const rules = written.map((one) => ruleToChange(set, one, how.yes));
  const settings = await context.settings();
  const disabled = new Set(settings.rules.disabled);
  const enabled = new Set(settings.rules.enabled);
  for (const { meta, launchwarden } of rules) {
    if (how.on) disabled.delete(meta.id);
    else disabled.add(meta.id);
    // An imported rule that the running sensors cannot serve is off until it is asked for by name.
    if (how.on && (launchwarden?.enabled === false || !meta.file.startsWith('builtin/')))
      enabled.add(meta.id);
    else enabled.delete(meta.id);
  }
  const changed = (now: ReadonlySet<string>, before: readonly string[]) =>
    now.size === before.length && before.every((id) => now.has(id)) ? undefined : [...now];
  const lists = {
    disabled: changed(disabled, settings.rules.disabled),
    enabled: changed(enabled, settings.rules.enabled),
  };
  const { disabled: off, enabled: on } = lists;
  if (off !== undefined || on !== undefined) {
    changeRuleLists(editableConfig(context, settings), {
      ...(off === undefined ? {} : { disabled: off }),
      ...(on === undefined ? {} : { enabled: on }),
    });
    await sayRestart(context);
  }
  const after = await loadRuleSet(context);
  for (const rule of rules) {
    const one = after.rules.find((listed) => listed.rule.meta.id === rule.meta.id)!;
    if (how.json) context.out.document(ruleSchema, ruleFields(one));
    else {
      const already = off === undefined && on === undefined ? '  (it was so already)' : '';
      context.out.line(
        `${one.enabled ? 'on ' : 'off'}  ${safe(rule.meta.id)}  ${safe(rule.meta.name)}${already}`,
      );
    }
  }
  return ExitCode.ok;
}

export const rulesEnable = defineCommand({
  description: 'Written into the [rules] table of the configuration file, which stays as it is otherwise.',
  arguments: ruleArgument,
  options,
  examples: [{ line: 'sudo launchwarden rules enable 84ef182d', says: 'judge by it again' }],
  needs,
  handler: ({ context, options: given, args }) => switchRules(context, args, { on: true, ...given }),
});

export const rulesDisable = defineCommand({
  description: 'Written into the [rules] table of the configuration file, which stays as it is otherwise.',
  arguments: ruleArgument,
  options,
  examples: [{ line: 'sudo launchwarden rules disable 84ef182d', says: 'raise no alerts by it' }],
  needs,
  handler: ({ context, options: given, args }) => switchRules(context, args, { on: false, ...given }),
});
