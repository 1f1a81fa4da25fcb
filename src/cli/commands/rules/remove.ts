import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ExitCode, reasonOf, UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { defineCommand, flag } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { changeRuleLists, editableConfig, sayRestart } from '../../rule-config.js';
import { loadRuleSet, ruleToChange } from '../../rule-set.js';

export const rulesRemove = defineCommand({
  description:
    'Removes the files of imported rules, and what [rules] says about them. A rule that comes with the program stays: switch it\n' +
    'off. Without --yes it says what would be removed.',
  arguments: [{ name: 'RULE...', summary: 'id, name or beginning of an id (8 characters)' }],
  options: {
    yes: flag('--yes', 'remove them'),
    json: flag('--json', 'the removed files, one JSON document a line'),
  },
  examples: [
    { line: 'sudo launchwarden rules remove 2c3f9a01 --yes', says: 'the file is gone; alerts stay' },
  ],
  needs: 'the right to write beside the configuration file',
  async handler({ context, options, args }) {
    const { out } = context;
    const set = await loadRuleSet(context);
    const settings = await context.settings();
    const rules = args.map((written) => {
      const rule = ruleToChange(set, written, false);
      if (rule.meta.file.startsWith('builtin/') && !existsSync(rule.meta.file))
        throw new UserError('rules/builtin', `${quote(rule.meta.name)} comes with the program`, {
          hint: 'Switch it off: "launchwarden rules disable".',
        });
      return rule;
    });
    if (!options.yes) {
      for (const { meta } of rules)
        out.line(`would remove  ${safe(meta.name)}  ${safe(path.resolve(meta.file))}`);
      out.line('Nothing was removed: the same command with --yes does it.');
      return ExitCode.checkFailed;
    }
    const ids = new Set(rules.map(({ meta }) => meta.id));
    for (const { meta } of rules) {
      try {
        rmSync(meta.file);
      } catch (error) {
        throw new UserError('rules/cannot-remove', `cannot remove ${meta.file}: ${reasonOf(error)}`, {
          hint: 'It belongs to root: use sudo.',
          cause: error,
        });
      }
      if (options.json) out.document('rule-file/1', { file: meta.file, name: meta.name, id: meta.id });
      else out.line(`removed  ${safe(meta.name)}  ${safe(meta.file)}`);
    }
    const { disabled, enabled } = settings.rules;
    const without = (list: readonly string[]) => list.filter((id) => !ids.has(id));
    const lists = {
      ...(disabled.some((id) => ids.has(id)) ? { disabled: without(disabled) } : {}),
      ...(enabled.some((id) => ids.has(id)) ? { enabled: without(enabled) } : {}),
    };
    if (Object.keys(lists).length > 0) changeRuleLists(editableConfig(context, settings), lists);
    await sayRestart(context);
    return ExitCode.ok;
  },
});
