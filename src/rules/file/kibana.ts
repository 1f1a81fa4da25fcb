import { stringify } from 'smol-toml';
import { ruleKeys } from './rule-keys.js';
import { isTable, type TomlTable } from './table-reader.js';

/** A rule of an export as the text of a rule file. */
export interface ExportedRule {
  /** Its `rule_id`, or the number of its line. */
  readonly name: string;
  readonly toml: string;
}

const maxRules = 20_000;

/**
 * The rules of an export of Kibana (NDJSON, or one rule or a list of them as JSON), each as a rule file. What else stands in
 * an export (exception lists, connectors, the summary) is left out. Undefined when the text is none.
 */
export function exportedRules(text: string): readonly ExportedRule[] | undefined {
  const documents = parseAll(text);
  if (documents === undefined) return undefined;
  return documents.flatMap((document, index) => {
    const rule = isTable(document['attributes']) ? document['attributes'] : document;
    if (typeof rule['rule_id'] !== 'string' || typeof rule['name'] !== 'string') return [];
    const name = rule['rule_id'] === '' ? `line ${index + 1}` : rule['rule_id'];
    return [
      { name, toml: `${stringify({ metadata: { maturity: 'production' }, rule: ruleTable(rule) })}\n` },
    ];
  });
}

function parseAll(text: string): readonly TomlTable[] | undefined {
  try {
    const whole: unknown = JSON.parse(text);
    const list = Array.isArray(whole) ? whole : [whole];
    return list.slice(0, maxRules).filter(isTable);
  } catch {
    // Not one document, so perhaps one a line.
  }
  const documents: TomlTable[] = [];
  for (const line of text.split('\n').slice(0, maxRules)) {
    if (line.trim() === '') continue;
    try {
      const document: unknown = JSON.parse(line);
      if (isTable(document)) documents.push(document);
    } catch {
      return undefined;
    }
  }
  return documents.length === 0 ? undefined : documents;
}

/** The keys of a rule file; the interface of Kibana has those of a new terms rule beside the others. */
function ruleTable(rule: TomlTable): TomlTable {
  const { new_terms_fields: fields, history_window_start: start, ...rest } = rule;
  const kept = Object.entries(rest).filter(
    ([key]) => key !== 'id' && key !== 'meta' && ruleKeys.includes(key),
  );
  const table = Object.fromEntries(kept.map(([key, value]) => [key, withoutNulls(value, 0)]));
  if (fields === undefined && start === undefined) return table;
  return {
    ...table,
    new_terms: {
      field: 'new_terms_fields',
      value: withoutNulls(fields ?? [], 0),
      history_window_start: [{ field: 'history_window_start', value: String(start ?? '') }],
    },
  };
}

const maxDepth = 32;

/** TOML has no null: what is null is not there. */
function withoutNulls(value: unknown, depth: number): unknown {
  if (depth > maxDepth) return '';
  if (Array.isArray(value))
    return value.filter((one) => one !== null).map((one) => withoutNulls(one, depth + 1));
  if (!isTable(value)) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, withoutNulls(one, depth + 1)]));
}
