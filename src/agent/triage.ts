import { UserError } from '../base/errors.js';
import type { Alert, AlertStatus } from '../event/alert.js';
import type { Store } from '../store/index.js';

/** Name of the request on the control socket. */
export const triageOp = 'alerts.triage';

/** What a person does to one alert. */
export interface TriageRequest {
  /** Whole id. */
  readonly id: string;
  /** `note` adds a note and leaves the status. */
  readonly action: AlertStatus | 'note';
  readonly author: string;
  /** May be empty, but not of a note. */
  readonly text: string;
}

const actions: readonly unknown[] = [
  'open',
  'acknowledged',
  'closed',
  'note',
] satisfies TriageRequest['action'][];
const maxText = 64 * 1024;

function isRequest(args: unknown): args is TriageRequest {
  const { id, action, author, text } = (args ?? {}) as Record<string, unknown>;
  return (
    [id, author, text].every((one) => typeof one === 'string' && one.length <= maxText) &&
    actions.includes(action)
  );
}

/**
 * Carries a request out on a writable store: the daemon's answer on its socket, and the command line's own way when no
 * daemon runs. Throws a UserError when there is no such alert.
 */
export function applyTriage(store: Store, args: unknown): Pick<Alert, 'id' | 'status' | 'updated'> {
  if (!isRequest(args)) throw new UserError('alerts/bad-request', 'not a triage request');
  const { id, action, author, text } = args;
  const by = { author, text };
  const alert = action === 'note' ? store.alerts.addNote(id, by) : store.alerts.setStatus(id, action, by);
  if (alert === undefined) throw new UserError('alerts/unknown', `there is no alert "${id.slice(0, 100)}"`);
  return { id: alert.id, status: alert.status, updated: alert.updated };
}
