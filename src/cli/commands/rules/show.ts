import { ExitCode } from '../../../base/errors.js';
import { escapeBlock } from '../../../base/escape.js';
import { formatDuration } from '../../../base/time.js';
import type { RuleMeta } from '../../../event/rule-meta.js';
import type { Rule } from '../../../rules/index.js';
import { defineCommand, flag } from '../../define-command.js';
import { type Output, safe } from '../../output/output.js';
import { Sheet } from '../../output/sheet.js';
import { asJudged, findRule, type ListedRule, loadRuleSet, unknownRule } from '../../rule-set.js';
import { agentStateOf, runningRules } from '../../running-rules.js';
import { severityStyle } from '../alerts/alert-line.js';
import { ruleFields, ruleSchema } from './rule-document.js';

function threatLines(meta: RuleMeta): string[] {
  return meta.threat.flatMap(({ tactic, technique }) => [
    `${tactic.id} ${tactic.name}`,
    ...technique.flatMap((one) => [
      `  ${one.id} ${one.name}`,
      ...(one.subtechnique ?? []).map((sub) => `    ${sub.id} ${sub.name}`),
    ]),
  ]);
}

/** What the rule's own keys add to its query, for people. */
function beyondQuery({ launchwarden }: Rule): string[] {
  const { linked, news, deferred } = launchwarden ?? {};
  return [
    ...(linked === true ? ['only when the process names a file of the window'] : []),
    ...(news === 'content' ? ['the same content under the same path is a repeat'] : []),
    ...(deferred === undefined
      ? []
      : [`kept across restarts; what follows within ${formatDuration(deferred.after)} ends the waiting`]),
  ];
}

function showRule({ rule, enabled, reason, degraded }: ListedRule, out: Output): void {
  const { meta } = rule;
  const sheet = new Sheet(out);
  const severity = out.style(severityStyle[meta.severity], meta.severity.toUpperCase());
  sheet.title(`${severity} (risk ${meta.riskScore})  ${out.style('bold', safe(meta.name) ?? '')}`);
  sheet.section('Overview', (section) => {
    section.field('id', safe(meta.id));
    section.field('state', enabled ? 'on' : `off: ${reason}`);
    section.list(
      'because',
      (degraded ?? []).map((one) => safe(one) ?? ''),
    );
    section.field('type', `${meta.type} (${meta.language}), version ${meta.version}`);
    section.field('file', safe(meta.file));
    section.list(
      'author',
      meta.author.map((one) => safe(one) ?? ''),
    );
    section.field('license', safe(meta.license));
    section.field(
      'schedule',
      `every ${safe(meta.interval)} from ${safe(meta.from)} in Elastic; judged as events come here`,
    );
    section.list('beyond the query', beyondQuery(rule));
    section.field('limit', `${meta.maxSignals} alerts in ${safe(meta.interval)}, then one summary`);
    section.list(
      'MITRE',
      threatLines(meta).map((line) => safe(line) ?? ''),
    );
    section.field('tags', safe(meta.tags.join(', ')));
  });
  const texts: [string, string][] = [
    ['About', meta.description],
    ['Query', meta.query],
    ['False positives', meta.falsePositives.map((one) => `- ${one}`).join('\n')],
    ['Investigation guide', meta.note],
    ['Setup', meta.setup],
    ['References', meta.references.map((one) => `- ${one}`).join('\n')],
  ];
  for (const [title, text] of texts) {
    if (text.trim() === '') continue;
    sheet.section(title, (section) => {
      if (title === 'Query') for (const line of escapeBlock(text.trim()).split('\n')) section.verbatim(line);
      else section.block(escapeBlock(text));
    });
  }
}

export const rulesShow = defineCommand({
  arguments: [{ name: 'RULE', summary: 'id, name or beginning of an id' }],
  options: { json: flag('--json', 'the rule as one JSON document') },
  examples: [{ line: 'launchwarden rules show 84ef', says: 'query, guide and references' }],
  async handler({ context, options, args: [written = ''] }) {
    const set = await asJudged(context, await loadRuleSet(context));
    const rule = findRule(set, written);
    const found = set.rules.find((one) => one.rule === rule);
    if (found === undefined) throw unknownRule(set, written);
    if (options.json) {
      const agent = agentStateOf(found, await runningRules(context));
      context.out.document(ruleSchema, { ...ruleFields(found), agent });
    } else showRule(found, context.out);
    return ExitCode.ok;
  },
});
