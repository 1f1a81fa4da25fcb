import { JournalFile } from '../base/journal-file.js';
import { placed, places } from './places.js';
import { stateErrors, versionId, type Written, writtenOf } from './state.js';

/** What an installation, upgrade or removal was about to do, and how far it came. */
export interface Pending {
  readonly op: 'install' | 'uninstall';
  /** Version before and version that is installed; names of folders. */
  readonly from?: string;
  readonly to?: string;
  /** Whether the folder of `to` was made by it. */
  readonly fresh: boolean;
  /** Text of the job and of the log rotation before; undefined when there was none. */
  readonly job?: string;
  readonly rotation?: string;
  readonly written: Written;
  readonly dataDir: string;
  /** There was no data folder before. */
  readonly freshData?: boolean;
  /** Folder with the databases as they were, when they were saved. */
  readonly saved?: string;
  /** An uninstall that takes the data too. */
  readonly purge: boolean;
  /** Names in our folders that are not ours; macOS paths. */
  readonly kept: readonly string[];
  /** Folders that were made; macOS paths, outermost first. */
  readonly made: readonly string[];
  /** The running agent may be affected already. */
  readonly touched: boolean;
  /** It ended well: only what is needless must still go. */
  readonly committed: boolean;
}

type Begin = Omit<Pending, 'touched' | 'committed' | 'saved'>;

/**
 * The journal of one installation, upgrade or removal: each act is on the disk before it is done. Whoever comes next finds
 * it and takes back what was begun, or finishes it.
 */
export class Transaction {
  readonly #lines: JournalFile;
  #pending: Pending | undefined;

  constructor(root: string | undefined) {
    this.#lines = new JournalFile(placed(places.journal, root), stateErrors);
  }

  /** What an earlier run left; undefined when it left nothing. */
  left(): Pending | undefined {
    const lines = this.#lines.read() ?? [];
    this.#pending = lines.reduce<Pending | undefined>(take, undefined);
    return this.#pending;
  }

  get pending(): Pending | undefined {
    return this.#pending;
  }

  begin(begin: Begin): void {
    this.#write({ begin });
  }

  made(folder: string): void {
    this.#write({ made: folder });
  }

  saved(folder: string): void {
    this.#write({ saved: folder });
  }

  touch(): void {
    this.#write({ touched: true });
  }

  commit(): void {
    this.#write({ committed: true });
  }

  end(): void {
    this.#lines.remove();
    this.#pending = undefined;
  }

  #write(line: Record<string, unknown>): void {
    this.#lines.append(line);
    this.#pending = take(this.#pending, line);
  }
}

function take(before: Pending | undefined, line: Record<string, unknown>): Pending | undefined {
  const { begin, made, saved, touched, committed } = line;
  if (begin !== undefined) return parse(begin);
  if (before === undefined) return undefined;
  if (typeof made === 'string') return { ...before, made: [...before.made, made] };
  if (typeof saved === 'string') return { ...before, saved };
  if (touched === true) return { ...before, touched };
  return committed === true ? { ...before, committed } : before;
}

function parse(value: unknown): Pending | undefined {
  const begin = (value ?? {}) as Record<string, unknown>;
  const { op, from, to, job, rotation, dataDir } = begin;
  if ((op !== 'install' && op !== 'uninstall') || typeof dataDir !== 'string') return undefined;
  const id = (one: unknown): one is string => typeof one === 'string' && versionId.test(one);
  const strings = (one: unknown) =>
    Array.isArray(one) ? one.filter((each): each is string => typeof each === 'string') : [];
  return {
    op,
    ...(id(from) ? { from } : {}),
    ...(id(to) ? { to } : {}),
    fresh: begin['fresh'] === true,
    ...(typeof job === 'string' ? { job } : {}),
    ...(typeof rotation === 'string' ? { rotation } : {}),
    written: writtenOf(begin['written']),
    dataDir,
    freshData: begin['freshData'] === true,
    purge: begin['purge'] === true,
    kept: strings(begin['kept']),
    made: strings(begin['made']),
    touched: false,
    committed: false,
  };
}
