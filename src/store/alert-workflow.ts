import { formatMicros, type Micros } from '../base/time.js';
import type { AlertNote, AlertStatus, CloseReason, WorkflowFields } from '../event/alert.js';

/** What a person, or the agent, does to one alert. */
export interface TriageChange {
  readonly action: AlertStatus | 'assigned' | 'tagged' | 'untagged' | 'note' | 'response';
  readonly author: string;
  /** May be empty, but not of a note. */
  readonly text: string;
  /** The reason of `closed`, the person of `assigned` (empty: nobody), the tag. */
  readonly value?: string | undefined;
}

/** `same`: it was so already, nothing was written. `closed`: an alert that is closed is reopened first, nothing was written. */
export type TriageOutcome = 'changed' | 'same' | 'closed';

export interface WorkflowState {
  readonly status: AlertStatus;
  /** Empty when there is none. */
  readonly closedAs: CloseReason | '';
  readonly closedAt: Micros | null;
  readonly assignee: string;
  /** In the order of the alphabet. */
  readonly tags: readonly string[];
}

/** The state after a change, with what became of the change. */
export function afterChange(
  state: WorkflowState,
  { action, value = '' }: TriageChange,
  now: Micros,
): { readonly outcome: TriageOutcome; readonly state: WorkflowState } {
  const same = { outcome: 'same', state } as const;
  const changed = (patch: Partial<WorkflowState>) =>
    ({ outcome: 'changed', state: { ...state, ...patch } }) as const;
  switch (action) {
    case 'open':
      return state.status === 'open' ? same : changed({ status: 'open', closedAs: '', closedAt: null });
    case 'acknowledged':
      if (state.status === 'closed') return { outcome: 'closed', state };
      return state.status === 'acknowledged' ? same : changed({ status: 'acknowledged' });
    case 'closed': {
      const closedAs = value === '' ? state.closedAs : (value as CloseReason);
      if (state.status === 'closed' && closedAs === state.closedAs) return same;
      return changed({ status: 'closed', closedAs, closedAt: state.closedAt ?? now });
    }
    case 'assigned':
      return state.assignee === value ? same : changed({ assignee: value });
    case 'tagged':
      return state.tags.includes(value) ? same : changed({ tags: [...state.tags, value].sort() });
    case 'untagged':
      return state.tags.includes(value) ? changed({ tags: state.tags.filter((tag) => tag !== value) }) : same;
    default:
      return changed({});
  }
}

/** The document names so many steps, and so many characters of a text; `alerts history` has all of it. */
const shownSteps = 20;
const shownText = 1_000;

/** `launchwarden.alert.workflow` of a state that the last of the notes led to. */
export function workflowFields(state: WorkflowState, notes: readonly AlertNote[]): WorkflowFields {
  const last = notes.at(-1);
  const { status, closedAs, assignee, tags } = state;
  return {
    status,
    ...(closedAs === '' ? {} : { reason: closedAs }),
    ...(assignee === '' ? {} : { assignee }),
    ...(tags.length === 0 ? {} : { tags }),
    changed: formatMicros(last?.time ?? 0),
    changed_by: last?.author ?? '',
    history: notes.slice(-shownSteps).map(({ time, author, kind, value, text }) => ({
      time: formatMicros(time),
      by: author,
      action: kind,
      ...(value === '' ? {} : { value }),
      ...(text === '' ? {} : { text: text.slice(0, shownText) }),
    })),
  };
}

/** Tags as the database keeps them: each between two blanks, so that one is found by its text. */
export function tagText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : ` ${tags.join(' ')} `;
}

export function tagsOf(text: unknown): readonly string[] {
  return typeof text === 'string' ? text.split(' ').filter(Boolean) : [];
}
