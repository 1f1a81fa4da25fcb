import type { Clock } from '../../base/clock.js';
import type { Micros } from '../../base/time.js';
import type { Folder } from './tree.js';

/** Why a path is looked at. */
export type Cause =
  /** The kernel named it; `turn` is the event loop's (`Echo`). */
  | { readonly kind: 'wake'; readonly turn: number }
  /** Its folder is new, or only just watched. */
  | { readonly kind: 'scan' }
  /** The slow timer. */
  | { readonly kind: 'rescan' };

interface Names {
  readonly since: Micros;
  readonly names: Map<string, Cause>;
}

interface Whole {
  readonly since: Micros;
  cause: Cause;
  /** Asked for again since the listing was made. */
  again: Cause | undefined;
  left: string[] | undefined;
}

export interface LookQueueOptions {
  readonly clock: Clock;
  /** All names that a folder holds or that are known to be in it. */
  list(folder: Folder): string[];
  look(folder: Folder, name: string, cause: Cause): void;
}

/** Looks to be made, each once however often it was asked for, in slices of time; single names come first. */
export class LookQueue {
  readonly #options: LookQueueOptions;
  readonly #names = new Map<Folder, Names>();
  readonly #wholes = new Map<Folder, Whole>();
  #running = false;

  constructor(options: LookQueueOptions) {
    this.#options = options;
  }

  get empty(): boolean {
    return this.#names.size === 0 && this.#wholes.size === 0;
  }

  /** When the oldest look was asked for because of a wake-up or a new folder. */
  get since(): Micros | undefined {
    let first: Micros | undefined;
    for (const { since } of this.#names.values()) {
      first = since;
      break;
    }
    for (const { since, cause, again } of this.#wholes.values()) {
      if ((again ?? cause).kind === 'rescan') continue;
      return first === undefined || since < first ? since : first;
    }
    return first;
  }

  /** One entry of a folder, or all of it. */
  add(folder: Folder, name: string | undefined, cause: Cause): void {
    if (name === undefined) {
      const whole = this.#wholes.get(folder);
      if (whole === undefined)
        this.#wholes.set(folder, {
          since: this.#options.clock.now(),
          cause,
          again: undefined,
          left: undefined,
        });
      else if (whole.left !== undefined) whole.again = whole.again?.kind === 'scan' ? whole.again : cause;
      else if (whole.cause.kind === 'rescan') whole.cause = cause;
      return;
    }
    const known = this.#names.get(folder);
    if (known === undefined)
      this.#names.set(folder, { since: this.#options.clock.now(), names: new Map([[name, cause]]) });
    else known.names.set(name, cause);
  }

  /** Works for about `budgetMs`; true when nothing is left. A call from inside a look changes nothing. */
  run(budgetMs: number): boolean {
    if (this.#running) return false;
    this.#running = true;
    try {
      const end = this.#options.clock.monotonic() + budgetMs;
      do {
        if (!this.#runNames(end) || !this.#runWholes(end)) return false;
      } while (this.#names.size > 0);
      return true;
    } finally {
      this.#running = false;
    }
  }

  /** False when the time was over first. */
  #runNames(end: number): boolean {
    for (const [folder, { names }] of this.#names) {
      for (const [name, cause] of names) {
        if (this.#options.clock.monotonic() > end) return false;
        names.delete(name);
        if (!folder.closed) this.#options.look(folder, name, cause);
      }
      this.#names.delete(folder);
    }
    return true;
  }

  #runWholes(end: number): boolean {
    for (const [folder, whole] of this.#wholes) {
      while (!folder.closed) {
        whole.left ??= this.#options.list(folder);
        for (let name = whole.left.pop(); name !== undefined; name = whole.left.pop()) {
          this.#options.look(folder, name, whole.cause);
          if (this.#options.clock.monotonic() > end) return false;
        }
        if (whole.again === undefined) break;
        whole.cause = whole.again;
        whole.again = undefined;
        whole.left = undefined;
      }
      this.#wholes.delete(folder);
    }
    return true;
  }
}
