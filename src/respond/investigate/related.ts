import { things } from '../../base/count.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { Alert } from '../../event/alert.js';
import { defineStep, fact, gravest, listed, point } from './answer.js';
import { eventsOf, isApples, type Subject, subjectOf } from './case.js';
import { textIn, textsIn } from './read.js';

interface Related {
  readonly alert: Pick<Alert, 'id' | 'ruleName' | 'time' | 'status' | 'priority'>;
  /** What they share, the most telling first. */
  readonly by: readonly string[];
}

interface Facts {
  readonly related: readonly Related[];
  readonly looked: number;
  readonly complete: boolean;
}

const window: Micros = 24 * 3_600e6;
const mostAlerts = 500;
const shown = 20;

export const related = defineStep<Facts>({
  name: 'related',
  question: 'Which other alerts belong to it?',
  read({ alert, about, store }) {
    const near = store.alerts.list({
      since: alert.time - window,
      until: alert.time + window,
      limit: mostAlerts,
    });
    const same = about.item === undefined ? [] : store.alerts.list({ item: about.item, limit: 100 });
    const others = new Map([...same, ...near].map((one) => [one.id, one]));
    others.delete(alert.id);
    const own = marksOf(alert, about);
    const found = [...others.values()].flatMap((other): Related[] => {
      const { id, ruleName, time, status, priority } = other;
      const by = sharedBy(own, marksOf(other, subjectOf(other.doc)));
      return by.length === 0 ? [] : [{ alert: { id, ruleName, time, status, priority }, by }];
    });
    return {
      related: found.sort((a, b) =>
        a.by.length === b.by.length ? b.alert.time - a.alert.time : b.by.length - a.by.length,
      ),
      looked: others.size,
      complete: near.length < mostAlerts,
    };
  },
  says({ related: found, looked, complete }) {
    const byCounts = new Map<string, number>();
    for (const { by } of found) for (const one of by) byCounts.set(one, (byCounts.get(one) ?? 0) + 1);
    const worst = found.map(({ alert }) => alert).sort((a, b) => b.priority.score - a.priority.score)[0];
    const open = found.filter(({ alert }) => alert.status !== 'closed').length;
    return {
      mark: gravest([
        worst?.priority.level === 'high' || worst?.priority.level === 'critical' ? 'worrying' : undefined,
        found.length > 0 ? 'notable' : undefined,
      ]),
      says:
        found.length === 0
          ? `None: no other alert within a day shares its label, path, program, user or process${looked === 0 ? '' : ` (${looked} were compared)`}.`
          : `${things(found.length, 'other alert')}, ${open} not closed: ${listed(
              [...byCounts].map(([by, count]) => `${count} by the same ${by}`),
              6,
            )}.`,
      points:
        worst === undefined
          ? []
          : [
              point(
                'neutral',
                `The gravest of them: ${worst.ruleName} (${worst.priority.level} ${worst.priority.score}).`,
              ),
            ],
      facts: [
        ...found
          .slice(0, shown)
          .map(({ alert, by }) =>
            fact(
              alert.id.slice(0, 12),
              `${formatMicros(alert.time).slice(0, 19)}Z, ${alert.status}: ${alert.ruleName} (same ${listed(by)})`,
            ),
          ),
        found.length > shown ? fact('more', `${found.length - shown} are not shown`) : undefined,
      ],
      unknown: [
        complete ? undefined : `alerts beyond the newest ${mostAlerts} of that day were not compared`,
      ],
    };
  },
});

/** What ties alerts together, by kind. */
type Marks = Readonly<
  Record<'item' | 'path' | 'label' | 'program' | 'process' | 'user', ReadonlySet<string>>
>;

function marksOf({ doc }: Alert, about: Subject): Marks {
  const processes = eventsOf(doc).flatMap((event) => [
    ...textsIn(event, 'process.entity_id'),
    ...textsIn(event, 'process.parent.entity_id'),
  ]);
  const user = textIn(doc, 'user.id') ?? textIn(doc, 'user.name');
  const code = [...about.ownCode, ...about.runs.filter((one) => !isApples(one))];
  const set = (values: readonly (string | undefined)[]) =>
    new Set(values.filter((one): one is string => one !== undefined && one !== ''));
  return {
    item: set([about.item]),
    path: set([about.path, about.file]),
    label: set(about.labels),
    program: set(code),
    process: set(processes),
    // Root and the system's users do too much to tie anything together.
    user: set([user !== undefined && /^\d{1,3}$/.test(user) && Number(user) < 500 ? undefined : user]),
  };
}

function sharedBy(own: Marks, other: Marks): string[] {
  return (Object.keys(own) as (keyof Marks)[]).filter((kind) =>
    [...own[kind]].some((one) => other[kind].has(one)),
  );
}
