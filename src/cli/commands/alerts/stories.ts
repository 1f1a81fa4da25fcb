import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { Story } from '../../../event/story.js';
import type { AlertGroup, AlertQuery, Store } from '../../../store/index.js';
import { safe } from '../../output/output.js';
import type { Column } from '../../output/table.js';
import { severityStyle, shortId, subjectOf } from './alert-line.js';

export const storySchema = 'story/1';

/** Ids of the alerts of one story that its document names. */
const shownIds = 100;

/** The alerts about one item, and what is known of the item; of an alert about no item that alone. */
export interface ListedStory {
  readonly group: AlertGroup;
  /** The one to look at first. */
  readonly top: Alert;
  readonly story: Story | undefined;
}

/** The stories of a query, at most its limit of them, and how many there are. Closed alerts count only when asked for. */
export function storiesOf(
  store: Store,
  query: AlertQuery,
): { readonly shown: readonly ListedStory[]; readonly all: number } {
  const groups = store.alerts.groups({ status: ['open', 'acknowledged'], ...query });
  const shown = groups.slice(0, query.limit).flatMap((group): ListedStory[] => {
    const [first = ''] = group.ids;
    const top = store.alerts.get(first);
    if (top === undefined) return [];
    return [{ group, top, story: group.item === undefined ? undefined : store.stories.get(group.item) }];
  });
  return { shown, all: groups.length };
}

export const storyColumns: readonly Column[] = [
  { title: 'ID', style: () => 'bold' },
  { title: 'TIME (UTC)' },
  { title: 'PRIORITY', style: (text) => severityStyle[text.split(' ')[0] as Alert['severity']] },
  { title: 'SEVERITY', style: (text) => severityStyle[text as Alert['severity']] },
  { title: 'STATUS', style: (text) => (text === 'open' ? undefined : 'dim') },
  { title: 'STAGE', flexible: true },
  { title: 'RULE', flexible: true },
  { title: 'SUBJECT', flexible: true },
];

export function storyRow({ group, top, story }: ListedStory): string[] {
  const more = group.alerts === 1 ? '' : ` (+${group.alerts - 1})`;
  return [
    safe(shortId(top.id)) ?? '',
    formatMicros(group.time).slice(0, 19).replace('T', ' '),
    `${group.level} ${group.score}`,
    group.severity,
    top.status,
    story?.stage ?? '',
    `${safe(top.ruleName) ?? ''}${more}`,
    subjectOf(top),
  ];
}

/** The fields of a `launchwarden.story/1` document. */
export function storyFields({ group, top, story }: ListedStory): object {
  return {
    item: group.item ?? null,
    mechanism: story?.mechanism ?? null,
    path: story?.path ?? null,
    label: story?.label ?? null,
    stage: story?.stage ?? null,
    severity: group.severity,
    priority: { score: group.score, level: group.level },
    status: top.status,
    time: formatMicros(group.time),
    alerts: group.alerts,
    alert_ids: group.ids.slice(0, shownIds),
    rule_name: top.ruleName,
    updates: story?.updates ?? 0,
    steps: (story?.steps ?? []).map(({ time, stage, event, says }) => ({
      time: formatMicros(time),
      stage,
      event_id: event,
      says: says ?? null,
    })),
  };
}
