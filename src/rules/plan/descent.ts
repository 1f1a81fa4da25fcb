import type { StepCondition } from '../ast.js';
import type { Predicate } from './predicate.js';
import { fieldReader } from './read.js';
import { isValue, type Value } from './values.js';

// Processes remembered for one `descendant of`; the longest unseen go first.
const maxProcesses = 20_000;
const maxAncestors = 256;

const ownId = fieldReader(['process', 'entity_id']);
const parentId = fieldReader(['process', 'parent', 'entity_id']);
const ancestors = fieldReader(['process', 'Ext', 'ancestry']);

/** Remembers, for every `descendant of [...]` of a set, which processes matched and what descends from them. */
export class Relations {
  readonly #lines: Line[] = [];
  readonly #queries: StepCondition[] = [];

  /** What stands in the brackets, in the order in which `observe` is told about it. */
  get queries(): readonly StepCondition[] {
    return this.#queries;
  }

  /** Processes forgotten because there were too many. */
  get evicted(): number {
    return this.#lines.reduce((sum, line) => sum + line.evicted, 0);
  }

  descendantOf(query: StepCondition): Predicate {
    const line = new Line();
    this.#lines.push(line);
    this.#queries.push(query);
    return { kind: 'document', test: (doc) => line.descends(familyOf(doc)) };
  }

  /** Takes note of an event after it was judged; `matched` tells which of the queries hold for it. */
  observe(doc: unknown, matched: ReadonlySet<number>): void {
    if (matched.size === 0 && this.#lines.every(({ empty }) => empty)) return;
    const family = familyOf(doc);
    for (const [index, line] of this.#lines.entries()) line.observe(family, matched.has(index));
  }
}

interface Family {
  readonly id: Value | undefined;
  readonly above: readonly Value[];
}

function familyOf(doc: unknown): Family {
  const id = ownId(doc);
  const list = ancestors(doc);
  const above = [parentId(doc), ...(Array.isArray(list) ? list.slice(0, maxAncestors) : [list])];
  return { id: isValue(id) ? id : undefined, above: above.filter(isValue) };
}

class Line {
  readonly #roots = new Set<Value>();
  readonly #descendants = new Set<Value>();
  evicted = 0;

  get empty(): boolean {
    return this.#roots.size === 0;
  }

  observe(family: Family, matched: boolean): void {
    const { id } = family;
    if (id === undefined) return;
    if (this.#isBelow(family)) this.#remember(this.#descendants, id);
    if (matched) this.#remember(this.#roots, id);
  }

  descends(family: Family): boolean {
    return (family.id !== undefined && this.#descendants.has(family.id)) || this.#isBelow(family);
  }

  #isBelow({ above }: Family): boolean {
    return !this.empty && above.some((id) => this.#roots.has(id) || this.#descendants.has(id));
  }

  #remember(ids: Set<Value>, id: Value): void {
    ids.delete(id);
    ids.add(id);
    if (ids.size <= maxProcesses) return;
    ids.delete(ids.values().next().value as Value);
    this.evicted++;
  }
}
