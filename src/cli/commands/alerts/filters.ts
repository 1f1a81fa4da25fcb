import { tagForm } from '../../../agent/triage.js';
import { UserError } from '../../../base/errors.js';
import { quote } from '../../../base/escape.js';
import { alertStatuses, type CloseReason, closeReasons } from '../../../event/alert.js';
import { severities } from '../../../event/rule-meta.js';
import type { AlertQuery } from '../../../store/index.js';
import type { CommandContext } from '../../context.js';
import { list, type OptionValues, value } from '../../define-command.js';
import { findRule, loadRuleSet, unknownRule } from '../../rule-set.js';
import { oneOf, timePoint, timeRange } from '../../values.js';

const statusWords = [...alertStatuses, 'all'] as const;

/** Reasons of closing as people write them: `false-positive`. */
export const reasonWords = closeReasons.map((reason) => reason.replace('_', '-'));

/** A reason as it is stored. Throws a UserError. */
export function closeReason(option: string): (text: string) => CloseReason {
  const read = oneOf(option, reasonWords);
  return (text) => read(text.replace('_', '-')).replace('-', '_') as CloseReason;
}

/** Throws a UserError for what is no tag. */
export function tagWord(option: string): (text: string) => string {
  return (text) => {
    if (text.length <= 50 && tagForm.test(text)) return text;
    throw new UserError(
      'cli/invalid-value',
      `${option} is ${quote(text, 100)}; expected up to 50 letters, digits and any of . _ : / @ -`,
    );
  };
}

/** What narrows a listing of alerts. */
export const filterOptions = {
  since: value('--since TIME', 'not older: 2h, 7d, 2026-01-31T12:00:00Z', timePoint('--since')),
  until: value('--until TIME', 'older than this', timePoint('--until')),
  severity: list('--severity LEVEL', 'low, medium, high, critical', oneOf('--severity', severities)),
  status: list('--status STATUS', 'open, acknowledged, closed, all', oneOf('--status', statusWords)),
  rule: list('--rule RULE', 'id, name or beginning of an id of a rule', (text) => text),
  assignee: list('--assignee NAME', 'who works on it; none: nobody', (text) => (text === 'none' ? '' : text)),
  tag: list('--tag TAG', 'has this tag, and every other that is named', tagWord('--tag')),
  user: list('--user NAME', 'whose it is about', (text) => text),
  closedAs: list('--closed-as REASON', reasonWords.join(', '), closeReason('--closed-as')),
} as const;

type Filters = OptionValues<typeof filterOptions>;

/** Whether any of the options was given. */
export function isFiltered(options: Filters): boolean {
  return (Object.keys(filterOptions) as (keyof Filters)[]).some((name) => {
    const given = options[name];
    return Array.isArray(given) ? given.length > 0 : given !== undefined;
  });
}

/** The store's query of these options. Throws a UserError for a rule that is neither loaded nor named by an alert. */
export async function alertQuery(context: CommandContext, options: Filters): Promise<AlertQuery> {
  const { severity, status, rule, assignee, tag, user, closedAs } = options;
  const statuses = status.includes('all')
    ? alertStatuses
    : alertStatuses.filter((one) => status.includes(one));
  return {
    ...timeRange(options, context.clock.now()),
    ...(severity.length === 0 ? {} : { severity }),
    ...(statuses.length > 0 ? { status: statuses } : closedAs.length > 0 ? { status: 'closed' } : {}),
    ...(rule.length === 0 ? {} : { rule: await ruleIds(context, rule) }),
    ...(assignee.length === 0 ? {} : { assignee }),
    ...(tag.length === 0 ? {} : { tag }),
    ...(user.length === 0 ? {} : { user }),
    ...(closedAs.length === 0 ? {} : { closedAs }),
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
