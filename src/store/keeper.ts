import { statSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.js';
import { things } from '../base/count.js';
import { messageOf } from '../base/errors.js';
import { formatMicros } from '../base/time.js';
import { listAside } from './aside.js';
import type { FileState, StoreCondition, StoreNotice } from './condition.js';
import type { Connection } from './database.js';
import { DatabaseFile } from './database-file.js';
import { type EventsBase, type MainBase, unpackMain } from './hold.js';
import { eventsKind, mainKind } from './kinds.js';
import { LeftAlerts } from './left.js';
import { type FolderLock, tryLockFolder } from './lock.js';
import { Reserve } from './reserve.js';
import { openBytes } from './sqlite.js';

export interface KeeperOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly busyMs?: number;
  openMain(busyMs: number): Connection;
  openEvents(busyMs: number): Connection;
}

const reserveBytes = 4 * 1024 * 1024;
const lockRetryMs = 5_000;
const worst: readonly FileState[] = ['ok', 'reserve', 'busy', 'full', 'refused'];

/** Keeps both databases of an agent usable, and knows what has become of them. */
export class Keeper {
  readonly main: DatabaseFile<MainBase>;
  readonly events: DatabaseFile<EventsBase>;
  readonly warnings: string[] = [];
  readonly #options: KeeperOptions;
  readonly #reserve: Reserve;
  readonly #notices: StoreNotice[] = [];
  readonly #left: LeftAlerts;
  #lock: FolderLock | undefined;
  #lockAt = 0;
  #spooled = '';
  #spoolFailed = false;
  #spoolAt = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { dataDir, clock } = options;
    this.#lock = tryLockFolder(dataDir, options.busyMs ?? 2000);
    this.#lockAt = clock.monotonic();
    this.#reserve = new Reserve(path.join(dataDir, 'reserve'), { mostBytes: reserveBytes, share: 16 });
    this.#left = new LeftAlerts(dataDir);
    const before = this.#before();
    const mayWrite = () => this.#lock !== undefined;
    const common = { clock, mayWrite };
    this.main = new DatabaseFile({
      ...common,
      file: path.join(dataDir, 'launchwarden.db'),
      kind: mainKind(options.openMain),
      reserve: this.#reserve,
    });
    try {
      this.events = new DatabaseFile({
        ...common,
        file: path.join(dataDir, 'events.db'),
        kind: eventsKind(options.openEvents),
      });
      this.#notices.push(...this.main.takeNotices(), ...this.events.takeNotices());
      if (this.#notices.length === 0) this.#tellMissing(before);
      this.#takeLeft();
    } catch (error) {
      this.main.close();
      this.#lock?.release();
      throw error;
    }
    this.#notices.push(...this.main.takeNotices(), ...this.events.takeNotices());
    for (const { detail } of this.#notices) this.warnings.push(detail);
    for (const file of [this.main, this.events]) if (file.reason !== null) this.warnings.push(file.reason);
  }

  /** Changes whenever other files may be in use than before. */
  get generation(): number {
    return this.main.db.generation + this.events.db.generation;
  }

  /** Room is scarce: what is not an alert must not take it. */
  get scarce(): boolean {
    return this.main.state === 'reserve';
  }

  tend(): void {
    const { clock, dataDir, busyMs = 0 } = this.#options;
    if (this.#lock === undefined && clock.monotonic() - this.#lockAt > lockRetryMs) {
      this.#lockAt = clock.monotonic();
      try {
        this.#lock = tryLockFolder(dataDir, Math.min(busyMs, 50));
      } catch {
        // Another agent holds it: this one goes on in memory.
      }
    }
    // Taken a moment after the start, which nobody is to wait for.
    if (this.main.state === 'ok' && this.#lock !== undefined) {
      this.#reserve.take();
      this.#left.prepare();
    }
    this.main.tend();
    this.events.tend();
    this.#spool();
  }

  takeNotices(): StoreNotice[] {
    return [...this.#notices.splice(0), ...this.main.takeNotices(), ...this.events.takeNotices()];
  }

  condition(lostEvidence: number): StoreCondition {
    const files = [this.main, this.events] as const;
    const file = [...files].sort(
      (a, b) => worst.indexOf(b.state) - worst.indexOf(a.state),
    )[0] as typeof this.main;
    const sound = file.state === 'ok';
    return {
      ...soundCondition(this.#options.dataDir),
      state: file.state,
      reason: sound ? null : file.reason,
      since: sound ? null : formatMicros(file.since),
      held_alerts: this.main.held,
      held_events: this.events.held,
      lost_events: this.events.lost,
      lost_evidence: this.main.lost + lostEvidence,
      files: {
        'launchwarden.db': { state: this.main.state, reason: this.main.reason },
        'events.db': { state: this.events.state, reason: this.events.reason },
      },
    };
  }

  close(): void {
    try {
      const left = this.main.close();
      if (left === undefined) this.#forgetLeft();
      else this.#leave(left);
      this.events.close();
    } finally {
      this.#lock?.release();
      this.#lock = undefined;
    }
  }

  /** When the files of the run before were written last, microseconds; undefined of one that is not there. */
  #before(): Record<'main' | 'events', number | undefined> {
    const written = (name: string): number | undefined => {
      const changed = (one: string): number | undefined => {
        const stat = statSync(path.join(this.#options.dataDir, one), { throwIfNoEntry: false });
        return stat === undefined || stat.size === 0 ? undefined : Math.floor(stat.mtimeMs * 1000);
      };
      try {
        const file = changed(name);
        return file && Math.max(file, changed(`${name}-wal`) ?? 0);
      } catch {
        return undefined;
      }
    };
    return { main: written('launchwarden.db'), events: written('events.db') };
  }

  /** One of two files is not there: somebody took it, since the agent makes both. */
  #tellMissing({ main, events }: Record<'main' | 'events', number | undefined>): void {
    const missing = main === undefined ? 'launchwarden.db' : 'events.db';
    const last = main ?? events;
    if (last === undefined || (main !== undefined && events !== undefined)) return;
    const now = this.#options.clock.now();
    const what =
      missing === 'launchwarden.db'
        ? 'alerts of earlier runs and what waited to be sent'
        : 'what earlier runs had seen';
    const detail = `${missing} was gone or empty and begins anew: ${what} cannot be told`;
    this.#notices.push({ reason: 'store-lost', from: Math.min(last, now), to: now, detail });
  }

  /** Written while alerts are in memory alone, so that they outlive a crash too. */
  #spool(): void {
    if (!this.main.inMemory) {
      if (this.#spooled !== '') this.#forgetLeft();
      return;
    }
    const { clock } = this.#options;
    const begun = clock.monotonic();
    if (begun < this.#spoolAt) return;
    const mark = this.main.heldMark;
    const packed = mark === this.#spooled ? undefined : this.main.pack();
    if (packed === undefined) return;
    this.#spooled = mark;
    this.#leave(packed);
    // The more it is, the more seldom: detection comes first.
    this.#spoolAt = begun + 20 * (clock.monotonic() - begun);
  }

  #leave(packed: Buffer): void {
    if (this.#lock === undefined) return;
    try {
      this.#left.write(packed);
      this.#spoolFailed = false;
    } catch (error) {
      if (this.#spoolFailed) return;
      this.#spoolFailed = true;
      const now = this.#options.clock.now();
      const detail = `alerts that are in memory alone cannot be written either, and are lost with the agent: ${messageOf(error).slice(0, 200)}`;
      this.#notices.push({ reason: 'store-refused', from: now, to: now, detail });
    }
  }

  #forgetLeft(): void {
    this.#spooled = '';
    if (this.#lock !== undefined) this.#left.remove();
  }

  /** Alerts that the run before had in memory alone. */
  #takeLeft(): void {
    let packed: Connection | undefined;
    try {
      const bytes = this.#left.read();
      if (bytes === undefined) return;
      packed = openBytes(bytes);
      const from = packed;
      const alerts = this.main.db.attempt(() => unpackMain(from, this.main.db.connection));
      this.warnings.push(
        `${things(alerts, 'alert that the last run had in memory alone was', 'alerts that the last run had in memory alone were')} stored`,
      );
    } catch (error) {
      const now = this.#options.clock.now();
      const detail = `alerts that the last run had in memory alone cannot be read: ${messageOf(error).slice(0, 200)}`;
      this.#notices.push({ reason: 'store-lost', from: now, to: now, detail });
    } finally {
      packed?.close();
    }
    // While memory serves they stand nowhere else.
    if (!this.main.inMemory) this.#forgetLeft();
  }
}

export function soundCondition(dataDir: string): StoreCondition {
  return {
    state: 'ok',
    reason: null,
    since: null,
    held_alerts: 0,
    held_events: 0,
    lost_events: 0,
    lost_evidence: 0,
    files: {},
    set_aside: listAside(dataDir),
  };
}
