import { parseTime } from '../base/time.js';
import type { Observation } from '../event/event.js';

/** Changes that are remembered: enough for those of a second of heavy writing. */
const maxRemembered = 4_096;

/**
 * EndpointSecurity and eslogger tell of file changes too, and say who wrote; `file-watch` runs beside them, because it
 * also sees what they lost. A change that both saw alike (path, inode, ctime) is told once, by the one that knows the
 * writer. When the watcher comes first, or looked at another moment, both tell: that is one alert all the same, since
 * detection counts the second as a repeat on the same path and inode.
 */
export class SameChanges {
  /** Of changes told with their writer: whether the content came along. */
  readonly #told = new Map<string, boolean>();
  readonly #withheld = new Map<string, true>();
  merged = 0;

  /** An observation of a sensor that knows the writer. */
  told({ event, content }: Observation): void {
    const key = keyOf(event.doc);
    if (key !== undefined) remember(this.#told, key, content !== undefined || this.#told.get(key) === true);
  }

  /** What is left of an observation of the watcher: itself, or undefined when it tells nothing new. */
  rest(observation: Observation): Observation | undefined {
    const { event, content, amends } = observation;
    const key = keyOf(event.doc);
    const known = key === undefined ? undefined : this.#told.get(key);
    const withheld = amends === true && this.#withheld.has(event.id);
    if (known === undefined || isCompared(event) || (content !== undefined && !known)) {
      if (!withheld) return observation;
      // The first part was withheld: this is the first that anybody hears of it.
      this.#withheld.delete(event.id);
      return { event, ...(content === undefined ? {} : { content }) };
    }
    if (amends === true && !withheld) return observation;
    if (amends !== true) this.merged++;
    remember(this.#withheld, event.id, true);
    return undefined;
  }
}

/** What only a comparison with what was there before tells. */
const compared: readonly string[] = ['time-set-back', 'made-loadable', 'mount-point', 'folder-replaced'];

function isCompared({ doc }: Observation['event']): boolean {
  return doc.launchwarden?.findings?.some((one) => compared.includes(one)) === true;
}

function keyOf({ file, event }: Observation['event']['doc']): string | undefined {
  const changed = parseTime(file?.ctime)?.time;
  if (file?.path === undefined || file.inode === undefined || changed === undefined) return undefined;
  // An attribute that goes changes the file's ctime: to the watcher that is a change.
  const type = event?.action === 'extended_attributes_delete' ? 'change' : event?.type?.[0];
  return JSON.stringify([type, file.path, file.inode, changed]);
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= maxRemembered) return;
    map.delete(oldest);
  }
}
