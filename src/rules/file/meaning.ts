import { parseDuration } from '../../base/time.js';
import type { Expr, Query, StepCondition } from '../ast.js';
import { fieldNameProblem, queryLimits } from '../budget.js';
import type { Rule } from '../rule.js';
import { filterConditions } from './filters.js';
import { isTable, type TableReader } from './table-reader.js';

/** Keys of `[rule]` that change what its query means, or what becomes of its alerts. */
export interface Meaning {
  /** `enabled = false`. */
  readonly off: boolean;
  readonly buildingBlock: string | undefined;
  readonly suppression: Rule['suppression'];
  /** The query as the keys change it. */
  apply<Q extends Query>(query: Q): Q;
}

// What Kibana does with it and nobody does here, and what follows from that.
const passedOver: Readonly<Record<string, string>> = {
  exceptions_list: 'exception lists are kept in Kibana: what they leave out gives alerts here',
  response_actions: 'no response action runs: only the alert is given',
  actions: 'no connector of Kibana is called: alerts go to the destinations of the configuration',
  severity_mapping: 'every alert has the severity of the rule',
  risk_score_mapping: 'every alert has the risk score of the rule',
  rule_name_override: 'every alert has the name of the rule',
  data_view_id: 'data views are kept in Kibana: every event is judged, and runtime fields do not exist',
};

/** Names of indices that events of this kind of sensor go to; a rule for others looks for events that never come. */
const ownIndices = [
  'logs-endpoint.events.file-default',
  'logs-endpoint.events.process-default',
  'logs-launchwarden.events-default',
];

/** Reads them, with a warning for each that is not done. */
export function readMeaning(rule: TableReader): Meaning {
  const warn = (key: string, message: string, hint?: string) =>
    rule.problem(key, {
      severity: 'warning',
      code: 'rule/ignored-key',
      message: `rule.${key} is not done here: ${message}`,
      hint,
    });
  for (const [key, consequence] of Object.entries(passedOver)) {
    if (!isEmpty(rule.raw(key))) warn(key, consequence);
  }
  const buildingBlock = rule.text('building_block_type', '');
  if (buildingBlock !== '') {
    warn(
      'building_block_type',
      'its alerts are marked so, but listed and forwarded like all others',
      'Set enabled = false to have none.',
    );
  }
  warnOfTimes(rule, warn);
  const indices = rule.texts('index');
  if (indices.length > 0 && !indices.some((pattern) => ownIndices.some((index) => fits(index, pattern)))) {
    warn(
      'index',
      `no event of this agent goes to ${indices.slice(0, 3).join(', ').slice(0, 100)}: every event is judged, and most such rules find none`,
    );
  }
  const override = rule.text('event_category_override', '');
  const problem = override === '' ? undefined : fieldNameProblem(override);
  if (problem !== undefined)
    rule.problem('event_category_override', { code: 'rule/value', message: problem });
  const filters = filterConditions(asList(rule.raw('filters'))) ?? [];
  return {
    off: rule.flag('enabled') === false,
    buildingBlock: buildingBlock === '' ? undefined : buildingBlock,
    suppression: readSuppression(rule),
    apply: (query) =>
      changed(query, override === '' || problem !== undefined ? undefined : override, filters),
  };
}

/** Whether the filters of a rule can be made conditions. */
export function canFilter(filters: unknown): boolean {
  return isEmpty(filters) || filterConditions(asList(filters)) !== undefined;
}

function warnOfTimes(rule: TableReader, warn: (key: string, message: string) => void): void {
  // When it was stored is nearly when it is judged here.
  const usual: Readonly<Record<string, readonly string[]>> = {
    timestamp_override: ['event.ingested', '@timestamp'],
    timestamp_field: ['@timestamp'],
    tiebreaker_field: ['event.sequence'],
  };
  for (const [key, names] of Object.entries(usual)) {
    const field = rule.text(key, '');
    if (field === '' || names.includes(field)) continue;
    warn(
      key,
      key === 'tiebreaker_field'
        ? 'events of one time are ordered by event.sequence'
        : 'the time of an event is its @timestamp',
    );
  }
}

/** Elasticsearch's name patterns: `*` alone is a wildcard; what begins with `-` is left out, another cluster stands before `:`. */
function fits(index: string, pattern: string): boolean {
  if (pattern.startsWith('-')) return false;
  const [first = '', ...rest] = (pattern.split(':').at(-1) as string).slice(0, 255).split('*');
  if (rest.length === 0) return index === first;
  if (!index.startsWith(first)) return false;
  const last = rest.pop() as string;
  let at = first.length;
  for (const part of rest) {
    const found = index.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return index.length - last.length >= at && index.endsWith(last);
}

const units: Readonly<Record<string, string>> = { s: 's', m: 'm', h: 'h' };

/** `[rule.alert_suppression]`: one alert for each group of values, and how many more there were. */
function readSuppression(rule: TableReader): Rule['suppression'] {
  const table = rule.table('alert_suppression');
  if (table === undefined) return undefined;
  const fields = table.texts('group_by').filter((name) => name !== '');
  if (fields.length === 0 && rule.raw('type') !== 'threshold') {
    table.problem('group_by', {
      code: 'rule/missing',
      message: 'rule.alert_suppression.group_by must name the fields',
    });
  }
  if (fields.length > 5)
    table.problem('group_by', {
      code: 'rule/value',
      message: 'rule.alert_suppression.group_by takes at most 5 fields',
    });
  for (const name of fields) {
    const problem = fieldNameProblem(name);
    if (problem !== undefined) table.problem('group_by', { code: 'rule/value', message: problem });
  }
  const duration = table.table('duration');
  const value = duration?.integer('value', { min: 1, max: 1_000_000, otherwise: 1 });
  const unit = duration?.text('unit', 'm') ?? 'm';
  if (!Object.hasOwn(units, unit))
    duration?.problem('unit', {
      code: 'rule/value',
      message: 'rule.alert_suppression.duration.unit must be s, m or h',
    });
  const missing = table.oneOf('missing_fields_strategy', ['suppress', 'doNotSuppress'] as const, 'suppress');
  return {
    fields,
    ...(value === undefined ? {} : { duration: parseDuration(`${value}${units[unit] ?? 'm'}`) as number }),
    missing: missing === 'suppress' ? 'together' : 'apart',
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isTable(value) && Object.keys(value).length === 0;
}

function asList(value: unknown): readonly unknown[] {
  return value === undefined || value === null
    ? []
    : Array.isArray(value)
      ? value.slice(0, queryLimits.nodes)
      : [value];
}

/** `category where` asks another field for the category, and filters hold beside every condition. */
function changed<Q extends Query>(query: Q, category: string | undefined, filters: readonly Expr[]): Q {
  if (category === undefined && filters.length === 0) return query;
  const step = <S extends StepCondition>(one: S): S => {
    const named = one.category === null || category === undefined ? [] : [categoryIs(category, one.category)];
    const operands = [...named, one.condition, ...filters];
    return {
      ...one,
      category: named.length > 0 ? null : one.category,
      condition: operands.length === 1 ? one.condition : { kind: 'and', operands, span: one.condition.span },
    };
  };
  if (query.kind === 'kql')
    return { ...query, condition: step({ category: null, condition: query.condition }).condition };
  if (query.kind === 'event') return step(query as Q & StepCondition);
  const steps = query.steps.map(step);
  if (query.kind === 'sample') return { ...query, steps };
  return { ...query, steps, until: query.until === null ? null : step(query.until) };
}

function categoryIs(field: string, value: string): Expr {
  const span = { start: 0, end: 0 };
  return {
    kind: 'compare',
    op: '==',
    left: { kind: 'field', path: field.split('.'), optional: false, alias: null, span },
    right: { kind: 'literal', value, span },
    span,
  };
}
