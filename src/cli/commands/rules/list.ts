import { ExitCode } from '../../../base/errors.js';
import { severities } from '../../../event/rule-meta.js';
import { defineCommand, flag, list } from '../../define-command.js';
import { safe } from '../../output/output.js';
import { tableLines } from '../../output/table.js';
import { asJudged, loadRuleSet } from '../../rule-set.js';
import { oneOf } from '../../values.js';
import { severityStyle } from '../alerts/alert-line.js';
import { reportDiagnostics, tellIgnoredKeys } from './diagnostics.js';
import { ruleFields, ruleSchema } from './rule-document.js';

export const rulesList = defineCommand({
  description: 'Exit code 1 when a file of the configured folders is no valid rule.',
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
    if (options.json) for (const one of rules) out.document(ruleSchema, ruleFields(one));
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
      const rows = rules.map(({ rule: { meta }, enabled, reason }) => [
        safe(meta.id) ?? '',
        meta.severity,
        String(meta.riskScore),
        meta.type,
        enabled ? 'on' : `off: ${reason}`,
        safe(meta.name) ?? '',
        safe(meta.file) ?? '',
      ]);
      if (rows.length === 0) out.line('No rules.');
      else for (const line of tableLines(columns, rows, out)) out.line(line);
    }
    tellIgnoredKeys(
      context,
      rules.map(({ rule }) => rule),
    );
    return reportDiagnostics(context, set) ? ExitCode.checkFailed : ExitCode.ok;
  },
});
