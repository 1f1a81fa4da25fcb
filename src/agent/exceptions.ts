import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import { Exceptions, exceptionOf } from '../detect/index.js';
import type { Alert } from '../event/alert.js';
import { type Exception, formatDiagnostic, type LoadedExceptions, loadExceptions } from '../rules/index.js';
import type { Store } from '../store/index.js';

/** Request on the control socket: read the exceptions again. */
export const reloadExceptionsOp = 'exceptions.reload';

export interface ExceptionKeeperOptions {
  readonly settings: Settings['exceptions'];
  readonly store: Pick<Store, 'exceptionHits'>;
  readonly log: Logger;
  /** Called with the exceptions that are in force from now on. */
  replaced(exceptions: Exceptions): void;
}

interface Count {
  hits: number;
  first: Micros;
  last: Micros;
}

/**
 * The exceptions in force. They are read as a whole: with one bad file the ones before stay, at the start none, and the
 * agent says so.
 */
export class ExceptionKeeper {
  readonly #options: ExceptionKeeperOptions;
  readonly #counts = new Map<string, Count>();
  #current = new Exceptions();
  #refused: string | undefined;
  #settings: Settings['exceptions'];

  constructor(options: ExceptionKeeperOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Other folders or packs: they are in force after the next `load`. */
  configure(settings: Settings['exceptions']): void {
    this.#settings = settings;
  }

  get current(): Exceptions {
    return this.#current;
  }

  /** Why the files are not what is in force; undefined when they are. */
  get refused(): string | undefined {
    return this.#refused;
  }

  status(): { readonly in_force: number; readonly refused: string | null } {
    return { in_force: this.#current.size, refused: this.#refused ?? null };
  }

  /** Reads the files. True when they are in force now. */
  load(): boolean {
    const { log, replaced } = this.#options;
    const loaded = loadExceptions(this.#settings.folders, this.#settings.packs);
    for (const warning of loaded.warnings) log.warn({ file: warning.file }, warning.message);
    this.#refused = refusalOf(loaded);
    if (this.#refused !== undefined) {
      log.error({ diagnostics: loaded.diagnostics.slice(0, 20) }, 'exceptions refused: the ones before stay');
      return false;
    }
    this.#current = new Exceptions(loaded.exceptions);
    replaced(this.#current);
    log.info({ exceptions: loaded.exceptions.length, sets: loaded.sets.length }, 'exceptions in force');
    return true;
  }

  /** For the control socket. Throws a UserError with the diagnostics when the files are refused. */
  reload(): { readonly exceptions: number } {
    if (!this.load())
      throw new UserError('exceptions/refused', this.#refused ?? 'refused', {
        hint: 'The exceptions before stay in force: `launchwarden exceptions test` shows what is wrong.',
      });
    return { exceptions: this.#current.size };
  }

  /** An exception hid a match. It is stored with the next `flush`. */
  count({ id }: Exception, time: Micros): void {
    const known = this.#counts.get(id);
    if (known === undefined) this.#counts.set(id, { hits: 1, first: time, last: time });
    else {
      known.hits++;
      known.first = Math.min(known.first, time);
      known.last = Math.max(known.last, time);
    }
  }

  flush(): void {
    for (const [id, count] of this.#counts) {
      try {
        this.#options.store.exceptionHits.add({ id, ...count });
        this.#counts.delete(id);
      } catch (error) {
        this.#options.log.error({ error: messageOf(error) }, 'hits of exceptions could not be stored');
        return;
      }
    }
  }

  /** The exception that hides all of a stored alert: what it is bound to may have become known only after the alert. */
  hides({ doc, time }: Alert): Exception | undefined {
    return this.#current.size === 0 ? undefined : exceptionOf(this.#current, doc, time);
  }
}

function refusalOf({ diagnostics }: LoadedExceptions): string | undefined {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return undefined;
  const more = errors.length === 1 ? '' : `\n${errors.length - 1} more`;
  return `${formatDiagnostic(first)}${more}`;
}
