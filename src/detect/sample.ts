import type { Event } from '../event/event.js';
import type { SampleQuery } from '../rules/index.js';
import { type JoinKey, joinKeysOf, type KeyReader, keyIdentity, keyReaders } from './join-keys.js';
import type { OnMatch, QueryMatcher, Revision } from './match.js';
import type { DetectorLimits } from './options.js';

interface Sampled {
  readonly key: JoinKey;
  /** For each step its first events; as many as there are steps are enough to choose different ones. */
  readonly events: readonly Event[][];
}

/**
 * An EQL sample: one match for each join key under which every step has an event, a different one for each, in any order
 * of time. Matches come at the end, ordered by key.
 */
export class SampleMatcher implements QueryMatcher {
  readonly due = Number.POSITIVE_INFINITY;
  readonly #steps: readonly (readonly KeyReader[])[];
  readonly #limits: DetectorLimits;
  readonly #onMatch: OnMatch;
  readonly #samples = new Map<unknown, Sampled>();
  /** Join keys that there was no room for. */
  refused = 0;

  constructor(query: SampleQuery, limits: DetectorLimits, onMatch: OnMatch) {
    this.#steps = query.steps.map((step) => keyReaders([...query.by, ...step.by]));
    this.#limits = limits;
    this.#onMatch = onMatch;
  }

  process(event: Event, hits: readonly number[]): void {
    for (const hit of hits) {
      const readers = this.#steps[hit] as readonly KeyReader[];
      for (const key of joinKeysOf(readers, event.doc, this.#limits.keysPerEvent)) {
        const events = this.#sampleOf(key)?.events[hit];
        if (events !== undefined && events.length < this.#steps.length) events.push(event);
      }
    }
  }

  revise(event: Event, { fresh }: Revision): void {
    this.process(event, fresh);
  }

  advance(): void {}

  finish(): void {
    const samples = [...this.#samples.values()].sort((a, b) => compareKeys(a.key, b.key));
    this.#samples.clear();
    for (const { key, events } of samples) {
      const chosen = choose(events, []);
      if (chosen !== undefined) this.#onMatch({ events: chosen, joinKeys: key, window: [] });
    }
  }

  #sampleOf(key: JoinKey): Sampled | undefined {
    const id = keyIdentity(key);
    const known = this.#samples.get(id);
    if (known !== undefined) return known;
    if (this.#samples.size >= this.#limits.keys) {
      this.refused++;
      return undefined;
    }
    const made = { key, events: this.#steps.map((): Event[] => []) };
    this.#samples.set(id, made);
    return made;
  }
}

/** One event a step, none twice; the first that fit. A sample has at most five steps. */
function choose(
  steps: readonly (readonly Event[])[],
  chosen: readonly Event[],
): readonly Event[] | undefined {
  const next = steps[chosen.length];
  if (next === undefined) return chosen;
  for (const event of next) {
    const found = chosen.includes(event) ? undefined : choose(steps, [...chosen, event]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Numbers before texts, each in its order; null first. */
function compareKeys(a: JoinKey, b: JoinKey): number {
  for (let index = 0; index < a.length; index++) {
    const [left, right] = [a[index] ?? null, b[index] ?? null];
    if (left === right) continue;
    const [leftKind, rightKind] = [kindOrder(left), kindOrder(right)];
    if (leftKind !== rightKind) return leftKind - rightKind;
    return (left as string) < (right as string) ? -1 : 1;
  }
  return 0;
}

function kindOrder(value: unknown): number {
  return ['object', 'boolean', 'number', 'string'].indexOf(typeof value);
}
