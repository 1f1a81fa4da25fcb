import type { Clock } from '../base/clock.js';
import { HeavyHitters, type Hitter } from '../base/heavy-hitters.js';
import type { Event } from '../event/event.js';

/** What is shown is of the last one to two of these, milliseconds. */
const windowMs = 30_000;
const keys = 256;
const mostShown = 50;

class Window {
  readonly processes = new HeavyHitters(keys);
  readonly paths = new HeavyHitters(keys);
  events = 0;
  readonly begun: number;
  /** Events that met a condition of a rule, by the rule's id, until it began. */
  readonly hits: ReadonlyMap<string, number>;

  constructor(begun: number, hits: ReadonlyMap<string, number>) {
    this.begun = begun;
    this.hits = hits;
  }
}

export interface TopOptions {
  readonly clock: Clock;
  /** Events that met a condition of a rule since the start, by the rule's id. */
  readonly hits: () => ReadonlyMap<string, number>;
  readonly nameOf: (ruleId: string) => string;
}

/** A line of `top`: `most` in `seconds`. `error`: so many of them may have been others. */
export interface TopLine {
  readonly name: string;
  readonly id?: string;
  readonly events: number;
  readonly per_second: number;
  readonly error: number;
}

/** Which programs, folders and rules cause most of the work just now: events by program and folder, and hits by rule. */
export class Top {
  readonly #options: TopOptions;
  #current: Window;
  #before: Window | undefined;

  constructor(options: TopOptions) {
    this.#options = options;
    this.#current = new Window(options.clock.monotonic(), options.hits());
  }

  /** For every event: some two look-ups in a map. */
  observed(events: readonly Event[]): void {
    const { processes, paths } = this.#current;
    this.#current.events += events.length;
    for (const { doc } of events) {
      const program = doc.process?.executable ?? doc.process?.name;
      if (program !== undefined) processes.add(program);
      const path = doc.file?.path;
      if (path !== undefined) paths.add(folderOf(path));
    }
  }

  /** To be called now and then: forgets what is not just now any more. */
  tick(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#current.begun < windowMs) return;
    // Nothing asked for so long that the window before is not just now either.
    this.#before = now - this.#current.begun < 2 * windowMs ? this.#current : undefined;
    this.#current = new Window(now, this.#options.hits());
  }

  status(most = 10): object {
    this.tick();
    const { clock, hits, nameOf } = this.#options;
    const windows = this.#before === undefined ? [this.#current] : [this.#before, this.#current];
    const seconds = Math.max(0.001, (clock.monotonic() - (windows[0] as Window).begun) / 1000);
    const shown = Math.min(most, mostShown);
    const line = ({ key, count, error }: Hitter): TopLine => ({
      name: key,
      events: count,
      per_second: rounded(count / seconds),
      error,
    });
    const first = (windows[0] as Window).hits;
    const rules = [...hits()]
      .map(([id, count]) => ({ id, count: count - (first.get(id) ?? 0) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1))
      .slice(0, shown)
      .map(({ id, count }): TopLine => {
        return { ...line({ key: nameOf(id), count, error: 0 }), id };
      });
    const merged = (pick: (window: Window) => HeavyHitters) => merge(windows.map(pick), shown).map(line);
    return {
      seconds: rounded(seconds),
      events: windows.reduce((sum, { events }) => sum + events, 0),
      processes: merged(({ processes }) => processes),
      paths: merged(({ paths }) => paths),
      rules,
    };
  }
}

function rounded(figure: number): number {
  return Math.round(figure * 100) / 100;
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}

function merge(all: readonly HeavyHitters[], most: number): Hitter[] {
  const sums = new Map<string, { count: number; error: number }>();
  for (const one of all)
    for (const { key, count, error } of one.list(keys)) {
      const known = sums.get(key) ?? { count: 0, error: 0 };
      sums.set(key, { count: known.count + count, error: known.error + error });
    }
  return [...sums]
    .map(([key, { count, error }]) => ({ key, count, error }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, most);
}
