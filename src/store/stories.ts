import type { Micros } from '../base/time.js';
import type { Event } from '../event/event.js';
import { persistentItemId } from '../event/ids.js';
import {
  baselineStory,
  itemOf,
  itemsOf,
  movedStory,
  nextStory,
  type ProgramFacts,
  type Story,
  type StoryStep,
  withStep,
} from '../event/story.js';
import { all, type Db, one } from './sqlite.js';

/** At most so many stories are kept; those of items that nobody was told of go first, the longest untouched. */
const mostStories = 50_000;

interface StoryRow {
  item: string;
  mechanism: string;
  path: string;
  label: string;
  stage: Story['stage'];
  first: number;
  last: number;
  updates: number;
  known: number | null;
  detail: string;
}

/** What happened to each persistent item: in events.db, so that a story and its events are kept or lost together. */
export class Stories {
  readonly #db: Db;
  readonly #sql;

  constructor(db: Db) {
    this.#db = db;
    this.#sql = {
      get: db.prepare('SELECT * FROM stories WHERE item = ?'),
      put: db.prepare(
        `INSERT OR REPLACE INTO stories (item, mechanism, path, label, stage, first, last, updates, known, detail)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      around: db.prepare('SELECT * FROM stories WHERE mechanism = ? AND last BETWEEN ? AND ? LIMIT 100'),
      count: db.prepare('SELECT count(*) AS rows FROM stories'),
      trim: db.prepare(
        'DELETE FROM stories WHERE item IN (SELECT item FROM stories ORDER BY known IS NOT NULL, last LIMIT ?)',
      ),
    };
  }

  get(item: string): Story | undefined {
    const row = one<StoryRow>(this.#sql.get, item);
    return row && storyOf(row);
  }

  /** Takes note of events, in their order. */
  observe(events: readonly Event[]): void {
    for (const event of events) {
      for (const item of itemsOf(event.doc)) {
        const before = this.get(item);
        const after = nextStory(before, event, item);
        if (after !== undefined && after !== before) this.#put(after);
      }
      if (itemOf(event.doc) !== undefined) this.#renamed(event);
    }
  }

  /** What had the item's path before had an item of its own. */
  #renamed(event: Event): void {
    const { file, launchwarden } = event.doc;
    const [from, mechanism] = [file?.Ext?.original?.path, launchwarden?.persistence?.mechanism];
    if (typeof from !== 'string' || mechanism === undefined || file?.path !== launchwarden?.persistence?.path)
      return;
    const story = this.get(persistentItemId(mechanism, from));
    if (story !== undefined && story.item !== itemOf(event.doc)) this.#put(movedStory(story, event));
  }

  /** Takes note of an item that was there before; no story to which something has happened is changed. True when it was news. */
  found(event: Event): boolean {
    const item = itemOf(event.doc);
    const story = item === undefined ? undefined : baselineStory(event, this.get(item));
    if (story !== undefined) this.#put(story);
    return story !== undefined;
  }

  /** Stories of a mechanism in which something happened around a time. */
  around(mechanism: string, time: Micros, within: Micros): Story[] {
    return all<StoryRow & object>(this.#sql.around, mechanism, time - within, time + within).flatMap(
      (row) => storyOf(row) ?? [],
    );
  }

  /** Somebody was told of the item by an alert of this time; `load`: the process event that, as it says, has loaded it. */
  alerted(item: string, time: Micros, load?: { readonly event: string; readonly says: string }): void {
    const story = this.get(item);
    if (story === undefined) return;
    const known = { ...story, known: story.known ?? time };
    const next = load === undefined ? known : withStep(known, { time, stage: 'loaded', ...load });
    if (story.known === undefined || next.steps.length !== story.steps.length) this.#put(next);
  }

  /** Somebody, or the agent, moved the item into the quarantine, or put it back; `event`: what tells this deed apart. */
  responded(item: string, step: StoryStep & { readonly stage: 'quarantined' | 'back' }): void {
    const story = this.get(item);
    const next = story && withStep(story, step);
    if (next !== undefined && next !== story) this.#put(next);
  }

  /** The programs of an item as they are now. */
  setPrograms(item: string, programs: Readonly<Record<string, ProgramFacts>>): void {
    const story = this.get(item);
    if (story !== undefined) this.#put({ ...story, facts: { ...story.facts, programs } });
  }

  /** A change of it was an update of what was known. */
  updated(item: string, event: string, says: string): void {
    const story = this.get(item);
    if (story === undefined) return;
    let isNew = false;
    const steps = story.steps.map((step) => {
      if (step.event !== event || step.says === says) return step;
      isNew = true;
      return { ...step, says };
    });
    if (isNew) this.#put({ ...story, steps, updates: story.updates + 1 });
  }

  prune(): number {
    const { rows } = one<{ rows: number }>(this.#sql.count) ?? { rows: 0 };
    if (rows <= mostStories) return 0;
    return this.#db.transaction(() => this.#sql.trim.run(rows - mostStories).changes).immediate();
  }

  /** For an inventory or a listing: the stories of these items. */
  of(items: Iterable<string>): ReadonlyMap<string, Story> {
    const found = new Map<string, Story>();
    for (const item of items) {
      const story = this.get(item);
      if (story !== undefined) found.set(item, story);
    }
    return found;
  }

  #put(story: Story): void {
    const { item, mechanism, path, label, stage, first, last, updates, known, ...rest } = story;
    const detail = JSON.stringify(rest);
    this.#sql.put.run(item, mechanism, path, label, stage, first, last, updates, known ?? null, detail);
  }
}

function storyOf(row: StoryRow): Story | undefined {
  try {
    const { facts, before, steps, gone, movedTo } = JSON.parse(row.detail) as Pick<
      Story,
      'facts' | 'before' | 'steps' | 'gone' | 'movedTo'
    >;
    if (!Array.isArray(steps) || typeof facts?.contents !== 'object') return undefined;
    const { item, mechanism, path, label, stage, first, last, updates, known } = row;
    return {
      ...{ item, mechanism, path, label, stage, first, last, updates },
      ...(known === null ? {} : { known }),
      ...{ facts, before: before ?? {}, steps },
      ...(gone === true ? { gone } : {}),
      ...(typeof movedTo === 'string' ? { movedTo } : {}),
    };
  } catch {
    // A damaged row is a story that was never begun.
    return undefined;
  }
}
