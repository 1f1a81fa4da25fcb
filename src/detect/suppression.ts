import { type Micros, parseDuration } from '../base/time.js';
import { fieldReader, type Reader, type Rule, type Value, valuesOf } from '../rules/index.js';
import { type Match, presentEvents } from './match.js';
import type { Told } from './told.js';

/** Counts of groups that stand open at once; the oldest are closed first. */
const maxGroups = 10_000;
const maxValues = 100;
const defaultInterval: Micros = 300_000_000;

interface Group {
  readonly told: Told | undefined;
  readonly until: Micros;
  /** The match that opened it ended with this event. */
  readonly by: object;
}

/** What becomes of a match, and of one that is counted in the alert of an earlier one. */
export interface SuppressedAlerts {
  match(match: Match): Told | undefined;
  again(told: Told, more: number): void;
}

/**
 * `alert_suppression` of one rule: the first match of a group of values is an alert; those that follow within its duration
 * are counted in it. Knows event time only.
 */
export class Suppression {
  readonly #readers: readonly Reader[];
  readonly #apart: boolean;
  readonly #alerts: SuppressedAlerts;
  readonly duration: Micros;
  readonly #groups = new Map<string, Group>();

  constructor(rule: Rule, suppression: NonNullable<Rule['suppression']>, alerts: SuppressedAlerts) {
    this.#readers = suppression.fields.map((name) => fieldReader([name]));
    this.#apart = suppression.missing === 'apart';
    this.#alerts = alerts;
    this.duration = suppression.duration ?? parseDuration(rule.meta.interval) ?? defaultInterval;
  }

  match(match: Match): Told | undefined {
    const last = presentEvents(match).at(-1);
    const values = last === undefined ? [] : this.#readers.map((read) => valuesAt(read(last.doc)));
    if (last === undefined || (this.#apart && values.some(({ length }) => length === 0))) {
      return this.#alerts.match(match);
    }
    // A threshold rule without fields of its own groups by its buckets.
    const key = JSON.stringify(this.#readers.length === 0 ? match.joinKeys : values);
    const known = this.#groups.get(key);
    if (known !== undefined && last.time < known.until && known.by !== last) {
      if (known.told !== undefined) this.#alerts.again(known.told, 1);
      return known.told;
    }
    const told = this.#alerts.match(match);
    if (known?.by === last) return told;
    this.#groups.delete(key);
    this.#groups.set(key, { told, until: last.time + this.duration, by: last });
    if (this.#groups.size > maxGroups) this.#groups.delete(this.#groups.keys().next().value as string);
    return told;
  }
}

/** In an order of their own, so that a list in another order is the same group. */
function valuesAt(node: unknown): readonly Value[] {
  return [...new Set(valuesOf(node, maxValues))].sort((a, b) => (String(a) < String(b) ? -1 : 1));
}
