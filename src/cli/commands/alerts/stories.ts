import { formatMicros } from '../../../base/time.js';
import type { Alert } from '../../../event/alert.js';
import type { Story } from '../../../event/story.js';
import type { AlertGroup, AlertQuery, Store } from '../../../store/index.js';
import { type Output, safe } from '../../output/output.js';
import { type Column, tableLines } from '../../output/table.js';
import { findingWords, severityStyle, shortId, subjectOf, withWhy } from './alert-line.js';

export const storySchema = 'story/1';

/** The alerts about one item, and what is known of the item; of an alert about no item that alone. */
export interface ListedStory {
  readonly group: AlertGroup;
  /** The one to look at first. */
  readonly top: Alert;
  readonly story: Story | undefined;
}

/** The stories of a query, at most its limit of them, each with at most `mostIds` ids of alerts. */
export function storiesOf(
  store: Store,
  query: AlertQuery,
  mostIds?: number,
): { readonly shown: readonly ListedStory[]; readonly more: boolean } {
  return store.reading(() => {
    const { groups, more } = store.alerts.groups(query, mostIds);
    const shown = groups.flatMap((group): ListedStory[] => {
      const [first = ''] = group.ids;
      const top = store.alerts.get(first);
      if (top === undefined) return [];
      return [{ group, top, story: group.item === undefined ? undefined : store.stories.get(group.item) }];
    });
    return { shown, more };
  });
}

const storyColumns = ({ times, width }: Output): readonly Column[] => [
  { title: 'ID', style: () => 'bold' },
  { title: `TIME (${times.zone})` },
  { title: 'PRIORITY', style: (text) => severityStyle[text.split(' ')[0] as Alert['severity']] },
  { title: 'SEVERITY', style: (text) => severityStyle[text as Alert['severity']] },
  { title: 'STATUS', style: (text) => (text === 'open' ? undefined : 'dim') },
  { title: 'STAGE', flexible: true },
  { title: 'RULE', flexible: true },
  { title: 'SUBJECT', flexible: true, path: true },
  ...(width === undefined ? [{ title: 'FINDINGS' }] : []),
];

function storyRow({ group, top, story }: ListedStory, { times, width }: Output): string[] {
  const more = group.alerts === 1 ? '' : ` (+${group.alerts - 1})`;
  return [
    safe(shortId(top.id)) ?? '',
    times.at(group.time),
    `${group.level} ${group.score}`,
    group.severity,
    top.status,
    story?.stage ?? '',
    `${safe(top.ruleName) ?? ''}${more}`,
    subjectOf(top),
    ...(width === undefined ? [findingWords(top)] : []),
  ];
}

/** The table of stories. */
export function storyLines(stories: readonly ListedStory[], out: Output): string[] {
  const rows = stories.map((story) => storyRow(story, out));
  const tops = stories.map(({ top }) => top);
  return tableLines(storyColumns(out), rows, withWhy(out, tops));
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
    alert_ids: group.ids,
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
