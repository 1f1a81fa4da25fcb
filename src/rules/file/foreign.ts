/** Rules in a form that is not read here, but that people keep beside those that are. */
export interface ForeignKind {
  readonly code: 'rules/sigma' | 'rules/kibana-export';
  /** What one file holds. */
  readonly what: string;
  /** How to get from there to a rule that runs here. */
  readonly hint: string;
}

const sigma: ForeignKind = {
  code: 'rules/sigma',
  what: 'a Sigma rule (YAML)',
  hint: "Convert it with pySigma's EQL backend (sigma convert -t eql -p ecs_macos_esf) and put the query into a rule file (.toml).",
};

const kibana: ForeignKind = {
  code: 'rules/kibana-export',
  what: 'a rule export of Kibana (NDJSON)',
  hint: '`launchwarden rules import FILE` makes rule files of it.',
};

/** So much of a file says what it is. */
export const foreignHead = 65_536;

/** Whether the name of a file is one that such rules have. */
export function mayBeForeign(name: string): boolean {
  return /\.(?:ya?ml|ndjson|json)$/i.test(name);
}

/** What a file holds, by its name and its beginning; undefined when it is neither. */
export function foreignKind(name: string, head: string): ForeignKind | undefined {
  if (/\.ya?ml$/i.test(name)) {
    return /^detection:/m.test(head) && /^(?:logsource|title):/m.test(head) ? sigma : undefined;
  }
  if (!mayBeForeign(name) || !/^\s*[{[]/.test(head)) return undefined;
  return /"rule_id"\s*:/.test(head) && /"(?:risk_score|severity)"\s*:/.test(head) ? kibana : undefined;
}
