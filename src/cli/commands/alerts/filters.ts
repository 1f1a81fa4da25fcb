import type { AlertStatus } from '../../../event/alert.js';
import { severities } from '../../../event/rule-meta.js';
import type { AlertQuery } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { list, type OptionValues, value } from '../../define-command.js';
import { findRule, loadRuleSet, unknownRule } from '../../rule-set.js';
import { oneOf, timePoint, timeRange } from '../../values.js';

const statusWords = ['open', 'acknowledged', 'closed'] as const satisfies readonly AlertStatus[];

/** What narrows a listing of alerts. */
export const filterOptions = {
  since: value('--since TIME', 'not older: 2h, 7d, 2026-01-31T12:00:00Z', timePoint('--since')),
  until: value('--until TIME', 'older than this', timePoint('--until')),
  severity: list('--severity LEVEL', 'low, medium, high, critical', oneOf('--severity', severities)),
  status: list('--status STATUS', 'open, acknowledged, closed', oneOf('--status', statusWords)),
  rule: list('--rule RULE', 'id, name or beginning of an id of a rule', (text) => text),
} as const;

/** The store's query of these options. Throws a UserError for a rule that is neither loaded nor named by an alert. */
export async function alertQuery(
  context: CommandContext,
  options: OptionValues<typeof filterOptions>,
): Promise<AlertQuery> {
  return {
    ...timeRange(options, context.clock.now()),
    ...(options.severity.length === 0 ? {} : { severity: options.severity }),
    ...(options.status.length === 0 ? {} : { status: options.status }),
    ...(options.rule.length === 0 ? {} : { rule: await ruleIds(context, options.rule) }),
  };
}

async function ruleIds(context: CommandContext, written: readonly string[]): Promise<string[]> {
  const set = await loadRuleSet(context);
  return written.map((text) => {
    const rule = findRule(set, text);
    // Alerts of a rule that has since been removed can still be listed, by its whole id.
    if (rule === undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
    if (rule !== undefined) return rule.meta.id;
    throw unknownRule(set, text);
  });
}
