import type { EcsDocument } from '../event/document.js';
import type { OutboxItem } from '../store/outbox.js';

/**
 * A later revision of an alert that the destination has got before: no new alert to anybody. Elastic's External Alerts rule
 * and whatever makes one ticket of each document of `event.kind: alert` pass it over; `event.id` names the alert.
 */
export function asUpdate<T extends OutboxItem>(item: T): T {
  if (item.update !== true) return item;
  const doc = JSON.parse(item.body) as EcsDocument;
  const alert = doc.launchwarden?.['alert'] as object | undefined;
  const body = JSON.stringify({
    ...doc,
    event: { ...doc.event, kind: 'event', type: ['change'], action: 'alert-updated' },
    launchwarden: { ...doc.launchwarden, alert: { ...alert, update: true } },
  });
  return { ...item, body };
}

/** Names a document at the receiver: the same at every try; an update of an alert has one of its own. */
export function documentId(item: Pick<OutboxItem, 'id' | 'revision' | 'update'>): string {
  return item.update === true ? `${item.id}-${item.revision}` : item.id;
}
