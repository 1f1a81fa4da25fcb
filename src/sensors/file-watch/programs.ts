import path from 'node:path';
import type { Clock } from '../../base/clock.js';
import { launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import { formatMicros, type Micros } from '../../base/time.js';
import type { Observation } from '../../event/event.js';
import { fileEventId } from '../../event/ids.js';
import { FilesNow } from './files-now.js';
import { followInRoot } from './links.js';
import { lookAt, type Snapshot } from './snapshot.js';

/** How often the programs are looked at, milliseconds; less often when a look takes more than this share of the time. */
const everyMs = 5_000;
const share = 0.01;
/** Programs that are watched; more are counted. */
const maxPrograms = 2_048;
/** Programs of one item, and items and labels that an event names. */
const maxOfItem = 32;
const maxNamed = 32;
/** Bytes up to which a program is read to be compared. */
const maxHashed = 64 * 1024 * 1024;
/** What the system keeps under a seal (signed system volume): not even root writes there. */
const sealed = /^\/(?:bin|sbin|usr\/(?:bin|sbin|libexec)|System)\//;

/** A persistent item and what it runs. */
export interface RunningItem {
  /** Its file or bundle. */
  readonly path: string;
  readonly labels: readonly string[];
  /** Programs and scripts, canonical paths. */
  readonly runs: readonly string[];
  /** What is known of the contents of some of them, SHA-256 by path. */
  readonly hashes?: Readonly<Record<string, string>>;
}

interface Program {
  snapshot: Snapshot | undefined;
  /** Of what stood there when it was first looked at, or what was compared last; absent where that is not known. */
  sha256: string | undefined;
  /** Paths of the items that run it, with their labels. */
  readonly items: Map<string, readonly string[]>;
}

interface Look {
  readonly before: Snapshot | undefined;
  readonly snapshot: Snapshot;
  readonly since: Micros;
  readonly now: Micros;
}

export interface ProgramWatchOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly boot: string;
  readonly observe: (observation: Observation) => void;
}

/**
 * Polls the programs and scripts that persistent items run: whoever exchanges one needs not touch the item. They may stand
 * anywhere, so that no folder of theirs is watched; a change is found within seconds. What a program holds is read only to be compared
 * with what it is known to have held.
 */
export class ProgramWatch {
  readonly counters = { programs: 0, program_changes: 0, programs_beyond: 0 };
  readonly #options: ProgramWatchOptions;
  readonly #programs = new Map<string, Program>();
  readonly #items = new Map<string, readonly string[]>();
  #looked: { readonly steady: number; readonly wall: Micros } | undefined;
  #pause = everyMs;
  readonly #files: FilesNow;
  readonly #stop = new AbortController();
  /** One file at a time is read. */
  #comparing: Promise<void> = Promise.resolve();

  constructor(options: ProgramWatchOptions) {
    this.#options = options;
    this.#files = new FilesNow(options.root);
  }

  /** An item runs these from now on, and no others. */
  follow({ path: item, labels, runs, hashes = {} }: RunningItem): void {
    const wanted = [...new Set(runs)]
      .filter((one) => one.startsWith('/') && !sealed.test(one))
      .slice(0, maxOfItem);
    for (const program of this.#items.get(item) ?? [])
      if (!wanted.includes(program)) this.#drop(program, item);
    const taken = wanted.filter((program) => this.#take(program, item, { labels, sha256: hashes[program] }));
    if (taken.length === 0) this.#items.delete(item);
    else this.#items.set(item, taken);
  }

  /** Resolves once what was found different has been compared. */
  compared(): Promise<void> {
    return this.#comparing;
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.#comparing;
  }

  /** The item is gone. */
  forget(item: string): void {
    this.follow({ path: item, labels: [], runs: [] });
  }

  /** A program is another one than an earlier run knew; `since`, microseconds, it cannot have been exchanged before. */
  changedWhileAway(program: string, since: Micros): void {
    const known = this.#programs.get(program);
    const snapshot = this.#snapshot(program);
    if (known === undefined || snapshot === undefined) return;
    const now = this.#options.clock.now();
    this.counters.program_changes++;
    const times = { since: Math.min(since, now), now, findings: ['changed-while-away'] };
    this.#options.observe({ event: this.#event(program, known, snapshot, times) });
  }

  /** Called often: looks at all of them when it is time. */
  tick(): void {
    const { clock } = this.#options;
    const steady = clock.monotonic();
    if (this.#looked !== undefined && steady - this.#looked.steady < this.#pause) return;
    const wall = clock.now();
    for (const [macPath, program] of this.#programs) this.#look(macPath, program, wall);
    this.#looked = { steady, wall };
    this.#pause = Math.max(everyMs, (clock.monotonic() - steady) / share);
  }

  #take(
    program: string,
    item: string,
    { labels, sha256 }: { readonly labels: readonly string[]; readonly sha256: string | undefined },
  ): boolean {
    const known = this.#programs.get(program);
    if (known !== undefined) {
      // A hash that is told later may be that of what was exchanged since the last look.
      known.items.set(item, labels);
      return true;
    }
    if (this.#programs.size >= maxPrograms) {
      this.counters.programs_beyond++;
      return false;
    }
    this.#programs.set(program, {
      snapshot: this.#snapshot(program),
      sha256,
      items: new Map([[item, labels]]),
    });
    this.counters.programs = this.#programs.size;
    return true;
  }

  #drop(program: string, item: string): void {
    const known = this.#programs.get(program);
    known?.items.delete(item);
    if (known?.items.size === 0) this.#programs.delete(program);
    this.counters.programs = this.#programs.size;
  }

  /** Of what stands at the end of every link. */
  #snapshot(macPath: string): Snapshot | undefined {
    const way = followInRoot(this.#options.root, macPath);
    const found = way === undefined ? undefined : lookAt(way.host);
    return found === 'denied' ? undefined : found;
  }

  #look(macPath: string, program: Program, now: Micros): void {
    const before = program.snapshot;
    const snapshot = this.#snapshot(macPath);
    program.snapshot = snapshot;
    if (snapshot === undefined || (before !== undefined && !isOther(before, snapshot))) return;
    const since = Math.min(this.#looked?.wall ?? now, now);
    const look = { before, snapshot, since, now };
    // One that fails must not stop those after it.
    this.#comparing = this.#comparing.then(() => this.#compare(macPath, program, look)).catch(() => {});
  }

  /** The same bytes under the same owner are no news: updaters install what was there. */
  async #compare(macPath: string, program: Program, { before, snapshot, since, now }: Look): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { sha256 } = program;
    const kept = before !== undefined && before.uid === snapshot.uid && before.mode === snapshot.mode;
    let isSame = before !== undefined && isUntouched(before, snapshot);
    if (sha256 !== undefined) {
      const how = { maxBytes: maxHashed, signal: this.#stop.signal };
      const found = await this.#files.hash(macPath, how).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      program.sha256 = typeof found === 'object' ? found.sha256 : undefined;
      isSame = program.sha256 === sha256;
      if (isSame && kept) return;
    }
    this.counters.program_changes++;
    const findings = isSame && !kept && before !== undefined ? ['owner-or-mode-changed'] : [];
    this.#options.observe({ event: this.#event(macPath, program, snapshot, { since, now, findings }) });
  }

  #event(
    macPath: string,
    { items }: Program,
    snapshot: Snapshot,
    { since, now, findings }: { since: Micros; now: Micros; findings: string[] },
  ): Observation['event'] {
    const changed = Number(snapshot.ctime / 1000n);
    const time = changed >= since && changed <= now ? changed : now;
    const id = fileEventId(
      'file-watch',
      this.#options.boot,
      macPath,
      snapshot.inode,
      snapshot.ctime,
      'program',
    );
    const extension = path.posix.extname(macPath).slice(1).toLowerCase();
    const named = [...items].slice(0, maxNamed);
    const all = [
      ...findings,
      ...(isForeign(
        snapshot,
        named.map(([item]) => item),
      )
        ? ['daemon-program-not-root']
        : []),
    ];
    return {
      id,
      time,
      nanos: 0,
      sequence: Number.POSITIVE_INFINITY,
      doc: {
        '@timestamp': formatMicros(time),
        event: { id, category: ['file'], type: ['change'], action: 'modification' },
        file: {
          path: macPath,
          name: path.posix.basename(macPath),
          ...(extension === '' ? {} : { extension }),
          size: snapshot.size,
          inode: snapshot.inode,
          type: snapshot.type,
          mode: snapshot.mode.toString(8).padStart(4, '0'),
          uid: String(snapshot.uid),
          gid: String(snapshot.gid),
          ctime: formatMicros(changed),
          mtime: formatMicros(Number(snapshot.mtime / 1000n)),
        },
        launchwarden: {
          sensor: { kind: 'file-watch', precision: 'interval', not_before: formatMicros(since) },
          ...(all.length === 0 ? {} : { findings: all }),
          program: {
            of: named.map(([item]) => item),
            labels: [...new Set(named.flatMap(([, labels]) => labels))].slice(0, maxNamed),
          },
        },
      },
    };
  }
}

/** Whether others than root may write what a daemon runs, in the end as root. */
function isForeign({ uid, mode }: Snapshot, items: readonly string[]): boolean {
  return (uid !== 0 || (mode & 0o022) !== 0) && items.some((item) => launchItemKind(item) === 'daemon');
}

/** So far as it can be told without a hash: the same file, of the same size and date. */
function isUntouched(a: Snapshot, b: Snapshot): boolean {
  return a.key === b.key && a.size === b.size && a.mtime === b.mtime;
}

/** Attributes (quarantine, the date of the last use) change the ctime alone, and so does who sets the date back. */
function isOther(a: Snapshot, b: Snapshot): boolean {
  return a.key !== b.key || a.size !== b.size || a.mtime !== b.mtime || a.ctime !== b.ctime;
}
