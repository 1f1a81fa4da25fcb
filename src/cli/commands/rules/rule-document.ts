import { formatDuration } from '../../../base/time.js';
import type { ListedRule } from '../../rule-set.js';
import { ignoredKeys } from './diagnostics.js';

export const ruleSchema = 'rule/1';

/** The fields of a `launchwarden.rule/1` document: the rule file's own names. */
export function ruleFields({ rule, enabled, reason, degraded }: ListedRule): object {
  const { meta } = rule;
  const { linked, news, deferred } = rule.launchwarden ?? {};
  const ignored = ignoredKeys(rule);
  return {
    id: meta.id,
    name: meta.name,
    enabled,
    ...(reason === undefined ? {} : { reason }),
    ...(degraded === undefined ? {} : { degraded }),
    ...(ignored.length === 0 ? {} : { not_done: ignored }),
    severity: meta.severity,
    risk_score: meta.riskScore,
    type: meta.type,
    language: meta.language,
    version: meta.version,
    file: meta.file,
    description: meta.description,
    author: meta.author,
    license: meta.license,
    tags: meta.tags,
    references: meta.references,
    false_positives: meta.falsePositives,
    threat: meta.threat,
    note: meta.note,
    setup: meta.setup,
    interval: meta.interval,
    from: meta.from,
    max_signals: meta.maxSignals,
    query: meta.query,
    ...(linked === undefined ? {} : { linked }),
    ...(news === undefined ? {} : { news }),
    ...(deferred === undefined ? {} : { deferred_after: formatDuration(deferred.after) }),
  };
}
