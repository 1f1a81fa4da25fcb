import { formatMicros } from '../../../base/time.js';
import { type Event, wallTime } from '../../../event/event.js';

export const eventSchema = 'event/1';

/** The fields of a `launchwarden.event/1` document. */
export function eventFields(event: Event): object {
  return { id: event.id, time: formatMicros(wallTime(event), event.nanos), doc: event.doc };
}
