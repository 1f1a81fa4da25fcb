import { Exceptions, exceptionOf } from '../../../detect/index.js';
import type { Alert } from '../../../event/alert.js';
import type { Exception } from '../../../rules/index.js';
import type { Store } from '../../../store/index.js';
import type { Output } from '../../output/output.js';
import { shortId, subjectOf } from '../alerts/alert-line.js';

/** So many of the newest alerts are looked at. */
const mostAlerts = 10_000;
const pageSize = 200;
const shown = 5;

export interface Hidden {
  /** How many alerts each exception would have hidden, by its id, with the first of them. */
  readonly by: ReadonlyMap<string, { readonly count: number; readonly first: readonly Alert[] }>;
  /** How many alerts were looked at. */
  readonly of: number;
}

/** Whether an exception would have hidden an alert, as if it had not expired. */
export function hides(exception: Exception, { doc, time }: Pick<Alert, 'doc' | 'time'>): boolean {
  return exceptionOf(judgeOf(exception), doc, time) !== undefined;
}

function judgeOf({ expires: _, ...lasting }: Exception): Exceptions {
  return new Exceptions([lasting]);
}

/** What each of the exceptions would have hidden among the stored alerts, each taken alone and as if it had not expired. */
export function hiddenBy(store: Pick<Store, 'alerts'>, exceptions: readonly Exception[]): Hidden {
  const judges = exceptions.map((exception) => ({ id: exception.id, judge: judgeOf(exception) }));
  const by = new Map(exceptions.map(({ id }) => [id, { count: 0, first: [] as Alert[] }]));
  let of = 0;
  for (let before: string | undefined; of < mostAlerts; ) {
    const page = store.alerts.list({ limit: pageSize, ...(before === undefined ? {} : { before }) });
    for (const alert of page) {
      of++;
      for (const { id, judge } of judges) {
        if (exceptionOf(judge, alert.doc, alert.time) === undefined) continue;
        const found = by.get(id);
        if (found === undefined) continue;
        found.count++;
        if (found.first.length < shown) found.first.push(alert);
      }
    }
    before = page.at(-1)?.id;
    if (page.length < pageSize) break;
  }
  return { by, of };
}

/** `would have hidden 3 of 120 stored alerts`, and the newest of them. */
export function hiddenLines({ by, of }: Hidden, id: string, out: Output): string[] {
  const { count = 0, first = [] } = by.get(id) ?? {};
  const lines = [`would have hidden ${count} of ${of} stored alerts`];
  for (const alert of first)
    lines.push(`  ${out.style('bold', shortId(alert.id))}  ${alert.priority.level}  ${subjectOf(alert)}`);
  if (count > first.length) lines.push(`  … and ${count - first.length} more`);
  return lines;
}
