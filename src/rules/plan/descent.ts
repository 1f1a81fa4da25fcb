import type { Predicate } from './predicate.js';
import { fieldReader } from './read.js';
import { isValue } from './values.js';

// Processes remembered for one `descendant of`; the longest unseen go first.
const maxProcesses = 20_000;

const ownId = fieldReader(['process', 'entity_id']);
const parentId = fieldReader(['process', 'parent', 'entity_id']);
const ancestors = fieldReader(['process', 'Ext', 'ancestry']);

/** Remembers, for every `descendant of [...]` of a set, which processes matched and what descends from them. */
export class Relations {
  readonly #lines: Line[] = [];

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  /** Processes forgotten because there were too many. */
  get evicted(): number {
    return this.#lines.reduce((sum, line) => sum + line.evicted, 0);
  }

  descendantOf(matches: (doc: unknown) => boolean): Predicate {
    const line = new Line(matches);
    this.#lines.push(line);
    return { kind: 'document', test: (doc) => line.descends(doc) };
  }

  /** Takes note of an event, before the conditions are judged. */
  observe(doc: unknown): void {
    for (const line of this.#lines) line.observe(doc);
  }
}

class Line {
  readonly #matches: (doc: unknown) => boolean;
  readonly #roots = new Set<unknown>();
  readonly #descendants = new Set<unknown>();
  evicted = 0;

  constructor(matches: (doc: unknown) => boolean) {
    this.#matches = matches;
  }

  observe(doc: unknown): void {
    const id = ownId(doc);
    if (!isValue(id)) return;
    if (this.#isBelow(doc)) this.#remember(this.#descendants, id);
    if (this.#matches(doc)) this.#remember(this.#roots, id);
  }

  descends(doc: unknown): boolean {
    return this.#descendants.has(ownId(doc)) || this.#isBelow(doc);
  }

  #isBelow(doc: unknown): boolean {
    const parent = parentId(doc);
    if (this.#roots.has(parent) || this.#descendants.has(parent)) return true;
    const list = ancestors(doc);
    return Array.isArray(list)
      ? list.slice(0, 256).some((id) => this.#roots.has(id))
      : this.#roots.has(list ?? Number.NaN);
  }

  #remember(ids: Set<unknown>, id: unknown): void {
    ids.delete(id);
    ids.add(id);
    if (ids.size <= maxProcesses) return;
    ids.delete(ids.values().next().value);
    this.evicted++;
  }
}
