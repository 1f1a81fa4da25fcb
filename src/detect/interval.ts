import { compareEvents, type Event, earliest } from '../event/event.js';

/** Whether the first of two events comes before the second, or may have: its interval begins no later than the second ends. */
export function mayPrecede(first: Event, second: Event): boolean {
  return compareEvents(first, second) < 0 || beganBefore(first, second);
}

/** Whether all that is known of an event's time is that it lies between two polls. */
export function isInterval({ doc }: Event): boolean {
  return doc.launchwarden?.sensor?.precision === 'interval';
}

/** Whether the interval of the first event begins no later than the second ends, although it ends later. */
export function beganBefore(first: Event, second: Event): boolean {
  const from = earliest(first);
  return from < first.time && from <= second.time;
}
