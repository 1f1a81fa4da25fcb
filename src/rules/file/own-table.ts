import { parseDuration } from '../../base/time.js';
import type { Rule, RuleTest } from '../rule.js';
import { isTable, type TableReader } from './table-reader.js';

/** `[rule.launchwarden]`: what is ours in a rule file. */
export function readOwnTable(table: TableReader): NonNullable<Rule['launchwarden']> {
  table.onlyKeys(['deferred_after', 'enabled', 'linked', 'news', 'test'], true);
  const enabled = table.flag('enabled');
  const linked = table.flag('linked');
  const news = table.text('news', 'file');
  if (news !== 'file' && news !== 'content')
    table.problem('news', { code: 'rule/value', message: `${table.path}.news is "file" or "content"` });
  const deferred = table.has('deferred_after') ? readDeferred(table) : undefined;
  const tests = table.tables('test').map(readTest);
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(linked === true ? { linked } : {}),
    ...(news === 'content' ? { news } : {}),
    ...(deferred === undefined ? {} : { deferred }),
    ...(tests.length === 0 ? {} : { tests }),
  };
}

function readDeferred(table: TableReader): { readonly after: number } {
  const after = parseDuration(table.text('deferred_after', ''));
  if (after === undefined)
    table.problem('deferred_after', {
      code: 'rule/value',
      message: `${table.path}.deferred_after is a duration`,
      hint: 'Write 1m, 10m or 0s.',
    });
  return { after: after ?? 0 };
}

function readTest(table: TableReader): RuleTest {
  table.onlyKeys(['name', 'events', 'matches'], true);
  const events = table.raw('events');
  if (!Array.isArray(events) || !events.every(isTable)) {
    table.problem('events', { code: 'rule/type', message: `${table.path}.events must be a list of events` });
  }
  if (!table.has('matches')) table.required('matches');
  return {
    name: table.required('name'),
    events: Array.isArray(events) ? events.filter(isTable).map((event) => plain(event)) : [],
    matches: table.integer('matches', { min: 0, max: 100_000, otherwise: 0 }),
  };
}

/** An event as JSON would hold it: a TOML date becomes its text. */
function plain(event: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
}
