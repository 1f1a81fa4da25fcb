import { ExitCode } from '../../../base/errors.js';
import { severities } from '../../../event/rule-meta.js';
import { defineCommand, flag, list } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { asJudged, type ListedRule, loadRuleSet } from '../../rule-set.js';
import { agentStateOf, driftOf, type RunningRules, runningRules, tellDrift } from '../../running-rules.js';
import { oneOf } from '../../values.js';
import { severityStyle } from '../alerts/alert-line.js';
import { reportDiagnostics, tellIgnoredKeys } from './diagnostics.js';
import { ruleFields, ruleSchema } from './rule-document.js';

const driftTexts = {
  'not running': 'on, once the agent is restarted',
  'still running': 'off, once the agent is restarted',
  changed: 'on; the agent runs an older text until it is restarted',
} as const;

function stateOf(one: ListedRule, running: RunningRules): string {
  const drift = driftOf(one, running);
  if (drift !== undefined) return driftTexts[drift];
  return one.enabled ? 'on' : `off: ${one.reason}`;
}

export const rulesList = defineCommand({
  description:
    'STATE is what the running agent does with a rule, and what a restart would change. Exit code 1 when a file of the configured\n' +
    'folders is no valid rule.',
  options: {
    severity: list('--severity LEVEL', 'low, medium, high, critical', oneOf('--severity', severities)),
    json: flag('--json', 'one JSON document a line (NDJSON)'),
  },
  examples: [{ line: 'launchwarden rules list --severity high,critical', says: 'what wakes people up' }],
  async handler({ context, options }) {
    const { out } = context;
    const set = await asJudged(context, await loadRuleSet(context));
    const rules = set.rules.filter(
      ({ rule }) => options.severity.length === 0 || options.severity.includes(rule.meta.severity),
    );
    const running = await runningRules(context);
    if (options.json)
      for (const one of rules)
        out.document(ruleSchema, { ...ruleFields(one), agent: agentStateOf(one, running) });
    else {
      const columns = [
        { title: 'ID' },
        { title: 'SEVERITY', style: (text: string) => severityStyle[text as keyof typeof severityStyle] },
        { title: 'RISK' },
        { title: 'TYPE' },
        { title: 'STATE' },
        { title: 'NAME', flexible: true },
        { title: 'FILE', flexible: true },
      ];
      const rows = rules.map((one) => {
        const { meta } = one.rule;
        return [
          safe(meta.id) ?? '',
          meta.severity,
          String(meta.riskScore),
          meta.type,
          stateOf(one, running),
          safe(meta.name) ?? '',
          safe(meta.file) ?? '',
        ];
      });
      if (rows.length === 0) out.line('No rules.');
      else for (const line of tableLines(columns, rows, out)) out.line(line);
    }
    tellDrift(context, set.rules, running);
    tellIgnoredKeys(
      context,
      rules.map(({ rule }) => rule),
    );
    return reportDiagnostics(context, set) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
