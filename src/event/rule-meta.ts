export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** Elastic's default risk scores; also the values of `event.severity` that its External Alerts rule maps back. */
export const severityScore: Record<Severity, number> = { low: 21, medium: 47, high: 73, critical: 99 };

export const severities: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

export interface ThreatTechnique {
  readonly id: string;
  readonly name: string;
  readonly reference: string;
  readonly subtechnique?: readonly ThreatTechnique[];
}

/** One `[[rule.threat]]` of a rule file: a MITRE ATT&CK tactic and its techniques. */
export interface Threat {
  readonly framework: string;
  readonly tactic: { readonly id: string; readonly name: string; readonly reference: string };
  readonly technique: readonly ThreatTechnique[];
}

/** What a rule file says about its rule, apart from the query: carried from the file into every alert. */
export interface RuleMeta {
  /** `rule_id` (detection-rules) or `id` (protections-artifacts). */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly type: 'eql' | 'query' | 'threshold' | 'new_terms';
  readonly language: 'eql' | 'kuery';
  readonly severity: Severity;
  /** 0 to 100. */
  readonly riskScore: number;
  readonly version: number;
  readonly author: readonly string[];
  readonly license: string;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsePositives: readonly string[];
  readonly threat: readonly Threat[];
  /** The investigation guide, Markdown. */
  readonly note: string;
  readonly setup: string;
  /** Elastic's schedule, kept as written (`5m`, `now-9m`); streaming replaces it. */
  readonly interval: string;
  readonly from: string;
  /** At most so many alerts in one interval; the rest is counted in a summary. */
  readonly maxSignals: number;
  /** `building_block_type`: a part of other detections, that Kibana hides. */
  readonly buildingBlock?: string;
  /** Path of the file as it was given; `builtin/<name>` for our own. */
  readonly file: string;
  readonly query: string;
}
