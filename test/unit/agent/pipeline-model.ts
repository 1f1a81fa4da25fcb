import { Pipeline } from '../../../src/agent/pipeline.js';
import { silentLogger } from '../../../src/base/log.js';
import { formatMicros } from '../../../src/base/time.js';
import type { EcsDocument } from '../../../src/event/document.js';
import type { Event, Gap, Observation } from '../../../src/event/event.js';
import type { Rule } from '../../../src/rules/index.js';
import type { Store } from '../../../src/store/index.js';
import type { ManualClock } from '../../helpers/manual-clock.js';
import { fileEvent, launchctl } from '../detect/events.js';

/** What may happen on the Mac of the model. Times in milliseconds. */
export type Action =
  | { readonly kind: 'write'; readonly user: string; readonly file: number; readonly grows: number }
  | { readonly kind: 'load'; readonly user: string; readonly file: number }
  /** Written, loaded and removed at once; the watcher finds out so much later. */
  | { readonly kind: 'vanish'; readonly user: string; readonly file: number; readonly found: number }
  /** A link in the folder of launch items, and then the file that it leads to. */
  | { readonly kind: 'link'; readonly user: string; readonly file: number }
  | { readonly kind: 'step'; readonly by: number }
  /** The watcher may not look for so long. */
  | { readonly kind: 'blind'; readonly for: number }
  /** The database takes nothing for so long. */
  | { readonly kind: 'fault'; readonly code: string; readonly for: number }
  | { readonly kind: 'crash' }
  /** The sensors deliver so late for so long, and one of them says all the same that it has told everything. */
  | { readonly kind: 'late'; readonly by: number; readonly for: number }
  | { readonly kind: 'flood'; readonly files: number };

export interface Timed {
  readonly gap: number;
  readonly action: Action;
}

interface Write {
  readonly path: string;
  readonly sha256: string | undefined;
  /** Steady milliseconds. */
  readonly at: number;
  /** When it held what it holds in the end. */
  readonly whole: number;
}

interface Load {
  readonly id: string;
  readonly path: string;
  readonly user: string;
  readonly at: number;
}

/** A stretch of steady time. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

const windowMs = 60_000;

/**
 * The pipeline with its store, fed by sensors that the model plays, on a clock that the test owns. It knows what was written
 * and loaded when, and what was said to be missing.
 */
export class Mac {
  readonly writes: Write[] = [];
  readonly loads: Load[] = [];
  /** What the watcher could not see, and said so. */
  readonly blind: Stretch[] = [];
  /** What a crash took that the database had refused, and the next start says may be missing. */
  readonly restarts: Stretch[] = [];
  readonly gaps: Gap[] = [];
  readonly #store: Store;
  readonly #clock: ManualClock;
  readonly #rules: readonly Rule[];
  readonly #name: string;
  #line: Pipeline;
  #serial = 0;
  #run = 0;
  /** Why the database refuses, and until when it does. */
  #fault: { readonly code: string; readonly until: number } | undefined;
  #lateUntil = 0;
  #lateBy = 0;
  #blindUntil = 0;
  #started: number;
  /** Up to when everything was judged, by what was stored last. */
  #saved: number;
  #lastSave = 0;
  /** What the sensors have seen and not delivered yet: steady milliseconds. */
  readonly #pending = new Set<{ readonly at: number }>();

  constructor(name: string, store: Store, clock: ManualClock, rules: readonly Rule[]) {
    this.#name = name;
    this.#store = store;
    this.#clock = clock;
    this.#rules = rules;
    this.#started = clock.monotonic();
    this.#saved = this.#started;
    this.#line = this.#start();
    this.#turns(300);
  }

  play(actions: readonly Timed[]): void {
    for (const { gap, action } of actions) {
      this.#turns(gap);
      this.#do(action);
    }
    // Whatever was wrong is over, and all is said.
    this.#turns(15_000);
    this.#fault = undefined;
    this.#turns(3_000);
    // The summary of what was held back is complete when its interval ends.
    this.#turns(310_000);
    this.#line.stop();
  }

  path(user: string, file: number | string): string {
    const name = `${this.#name}-${file}.plist`;
    return user === 'system'
      ? `/Library/LaunchDaemons/${name}`
      : `/Users/${user}/Library/LaunchAgents/${name}`;
  }

  /** For each load the write that it is about, unless that lies in a stretch that was said to be missing. */
  attacks(): { readonly write: Write; readonly load: Load }[] {
    const found = [];
    for (const load of this.loads) {
      const write = this.writes.findLast(
        ({ path, at }) => path === load.path && at <= load.at && load.at - at <= windowMs,
      );
      if (write === undefined) continue;
      if (this.blind.some((gap) => within(write.at, gap))) continue;
      const lies = (gap: Stretch) => [write.at, write.whole, load.at].some((at) => within(at, gap));
      if (this.restarts.some(lies)) continue;
      found.push({ write, load });
    }
    return found;
  }

  #start(): Pipeline {
    const clock = this.#clock;
    const line = new Pipeline({
      store: this.#guarded(),
      enricher: {
        enrich: ({ event }: Observation) => [{ ...event, sequence: this.#serial++ }],
      } as never,
      rules: this.#rules,
      clock,
      log: silentLogger,
      destinations: [],
      muted: () => false,
      ask: (sensor) => this.#answer(sensor),
      context: () => ({ version: '1', agentId: 'a', created: clock.now(), sensors: [], simulated: true }),
      journaled: () => {},
      committed: () => {},
      gap: (gap) => this.gaps.push(gap),
      boot: this.#name,
    });
    line.watermark.add('files');
    line.watermark.add('processes');
    line.open();
    return line;
  }

  #do(action: Action): void {
    const clock = this.#clock;
    const now = clock.monotonic();
    switch (action.kind) {
      case 'write':
        this.#write(this.path(action.user, action.file), action.grows);
        break;
      case 'link': {
        const path = this.path(action.user, action.file);
        this.#write(path, 0, { type: 'symlink', target_path: `/private/tmp/${action.file}` });
        break;
      }
      case 'load':
        this.#load(action.user, this.path(action.user, action.file));
        break;
      case 'vanish':
        this.#vanish(action.user, this.path(action.user, action.file), action.found);
        break;
      case 'step':
        clock.step(action.by);
        break;
      case 'blind':
        this.#blindUntil = Math.max(this.#blindUntil, now + action.for);
        this.blind.push({ from: now, to: now + action.for });
        break;
      case 'fault':
        this.#fault = { code: action.code, until: now + action.for };
        break;
      case 'crash':
        this.#crash();
        break;
      case 'late':
        this.#lateBy = action.by;
        this.#lateUntil = now + action.for;
        break;
      case 'flood':
        for (let file = 0; file < action.files; file++) {
          const path = this.path('mallory', `f${this.#serial}`);
          this.#write(path, 0);
          this.#turns(2);
          this.#load('mallory', path);
        }
        break;
    }
  }

  #write(path: string, grows: number, more: object = {}): void {
    const at = this.#clock.monotonic();
    const id = `${this.#name}-w${this.#serial++}`;
    const sha256 = id.padEnd(64, '0').slice(-64);
    this.writes.push({ path, sha256, at, whole: at + grows });
    if (at < this.#blindUntil) return;
    const wall = this.#clock.now();
    const seen = (size: number, hash: object): Event =>
      dated(fileEvent(id, 0, path, { inode: id, type: 'file', uid: '501', size, ...hash, ...more }), wall);
    const whole = seen(20, { hash: { sha256 } });
    this.#deliver({ event: grows === 0 ? whole : seen(0, {}) });
    if (grows > 0) this.#clock.after(grows, () => this.#deliver({ event: whole, amends: true }));
  }

  #load(user: string, path: string): void {
    const at = this.#clock.monotonic();
    const id = `${this.#name}-l${this.#serial++}`;
    this.loads.push({ id, path, user, at });
    const from = this.#clock.now();
    this.#clock.pass(3);
    const one = dated(launchctl(id, 0, ['load', '-w', path]), this.#clock.now(), from);
    const uid = { alice: '501', mallory: '502' }[user] ?? '0';
    this.#deliver({ event: { ...one, doc: { ...one.doc, user: { id: uid, name: user } } } });
  }

  #vanish(user: string, path: string, found: number): void {
    const from = this.#clock.now() - 20_000;
    const at = this.#clock.monotonic();
    this.#turns(1);
    this.#load(user, path);
    if (at < this.#blindUntil) {
      this.writes.push({ path, sha256: undefined, at, whole: at });
      return;
    }
    const id = `${this.#name}-v${this.#serial++}`;
    // It was there when the folder was read, and is gone when it is looked at.
    this.writes.push({ path, sha256: undefined, at, whole: at });
    this.#turns(found);
    const one = fileEvent(id, 0, path, { size: 20 });
    this.#deliver({ event: dated(one, this.#clock.now(), from) });
  }

  /** A sensor hands over what it saw: soon, or late. */
  #deliver(observation: Observation): void {
    const now = this.#clock.monotonic();
    const by = now < this.#lateUntil ? this.#lateBy : 1 + (this.#serial % 7);
    const pending = { at: now };
    this.#pending.add(pending);
    this.#clock.after(by, () => {
      this.#pending.delete(pending);
      this.#line.observe(observation);
      this.#line.flush();
    });
  }

  #answer(sensor: string): void {
    const now = this.#clock.monotonic();
    const oldest = Math.min(now, ...[...this.#pending].map(({ at }) => at));
    const through = sensor === 'processes' && now < this.#lateUntil ? now : oldest;
    this.#line.completeThrough(sensor, this.#clock.now() - (now - through) * 1000 - 15_000);
  }

  #crash(): void {
    const now = this.#clock.monotonic();
    // Also for a moment after: what was refused is tried again, and until then the agent says that it is not stored.
    const isStored = this.#fault === undefined && this.#line.judgedThrough > 0;
    this.restarts.push(...(isStored ? [] : [{ from: this.#saved, to: now }]));
    this.#fault = undefined;
    this.#run++;
    this.#started = now;
    this.#line = this.#start();
  }

  #turns(milliseconds: number): void {
    for (let left = milliseconds; left > 0; ) {
      const step = Math.min(left, left > 60_000 ? 10_000 : left > 3_000 ? 500 : 25);
      left -= step;
      this.#clock.pass(step);
      const now = this.#clock.monotonic();
      if (this.#fault !== undefined && now >= this.#fault.until) this.#fault = undefined;
      this.#answer('files');
      this.#answer('processes');
      this.#line.flush();
      if (now - this.#lastSave >= 1_000) this.#save(now);
    }
  }

  /** As the agent does each second. */
  #save(now: number): void {
    this.#lastSave = now;
    if (this.#fault !== undefined) return;
    const { judgedThrough } = this.#line;
    this.#saved = judgedThrough === 0 ? this.#started : now - (this.#clock.now() - judgedThrough) / 1000;
  }

  /** The store on a disk that refuses while there is a fault. */
  #guarded(): Store {
    const run = this.#run;
    const refuse = () => {
      // Nothing of a process that crashed is written any more.
      if (run !== this.#run) throw new Error('this process is gone');
      const { code } = this.#fault ?? {};
      if (code !== undefined) throw Object.assign(new Error('refused'), { code });
    };
    const guard = <T extends object>(part: T, writes: readonly string[]): T =>
      new Proxy(part, {
        get(target, key) {
          const value = Reflect.get(target, key) as unknown;
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (writes.includes(String(key))) refuse();
            return Reflect.apply(value, target, args) as unknown;
          };
        },
      });
    const store = this.#store;
    return {
      ...store,
      events: guard(store.events, ['transaction', 'append', 'replace']),
      alerts: guard(store.alerts, ['upsert', 'amendEvent']),
      progress: guard(store.progress, ['set']),
      transaction: (work) => {
        refuse();
        return store.transaction(work);
      },
    };
  }
}

function within(at: number, { from, to }: Stretch): boolean {
  // What is journaled in one turn was seen within the last ones.
  return at >= from - 1_000 && at <= to + 1_000;
}

function dated(one: Event, wall: number, notBefore?: number): Event {
  const event = { ...one.doc.event, id: one.id };
  const doc: EcsDocument = { ...one.doc, '@timestamp': formatMicros(wall), event };
  if (notBefore === undefined) return { ...one, time: wall, doc };
  const sensor = { precision: 'interval', not_before: formatMicros(notBefore) } as const;
  return { ...one, time: wall, doc: { ...doc, launchwarden: { ...doc.launchwarden, sensor } } };
}
