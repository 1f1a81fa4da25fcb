import type { Micros } from '../base/time.js';
import { type Event, wallTime } from '../event/event.js';

/**
 * What `events.id` holds of an event that is told once and that no rule has a use for: its time in front of its id. Ids are
 * hashes, so that an index of them takes a page of its own for each event, and a flood of programs writes as much of that as
 * of documents; with the time in front a batch goes to the end of the index. Nothing that the agent itself looks up by id is
 * kept so.
 */
const timed = /^~[0-9a-f]{14}:/;
const prefix = 16;

/** An id that begins with this, or later, has its time in front. */
export const firstTimed = '~';
/** In SQL, the id in a column that holds either form, which must be `>= firstTimed` where only this form is looked for. */
export const idAfterTime = (column: string) => `substr(${column}, ${prefix + 1})`;

/** What names an event and says where it stands. */
export type Identified = Pick<Event, 'id' | 'time' | 'shift'>;

/** The other one of the two forms of a row's id. */
export function otherKey({ id, time }: { readonly id: string; readonly time: Micros }): string {
  return timed.test(id) ? idOf(id) : (timedKey({ id, time }) ?? id);
}

/** The form with the time in front; undefined of an event whose time has none. */
export function timedKey(event: Identified): string | undefined {
  const time = wallTime(event);
  if (!Number.isSafeInteger(time) || time < 0) return undefined;
  return `~${time.toString(16).padStart(14, '0')}:${event.id}`;
}

/** The event's id of either form. */
export function idOf(key: string): string {
  return timed.test(key) ? key.slice(prefix) : key;
}
