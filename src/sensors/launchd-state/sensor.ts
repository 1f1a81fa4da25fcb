import { existsSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { consoleUser, domainsOf, homeOwners } from './domains.js';
import { launchctlAt, type RunLaunchctl } from './launchctl.js';
import { LoadedBefore } from './loaded-before.js';
import { type LaunchdStateOptions, launchdStateDefaults } from './options.js';
import { readDomain, readService } from './read-print.js';
import { loadedEvent } from './to-event.js';
import { changedItem, type WatchedItem, WatchedItems } from './watched-items.js';

export interface LaunchdStateSensorOptions {
  readonly root: RootMap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Identity of this boot: part of every id. */
  readonly boot: string;
  readonly settings?: Partial<LaunchdStateOptions>;
  /** What an earlier run on this boot knew to be loaded, and who is told what this one knows: text of its own. */
  readonly remembered?: string;
  readonly onRemember?: (text: string) => void;
  /** For tests: answers in place of launchctl. */
  readonly run?: RunLaunchctl;
}

const program = '/bin/launchctl';
const tickMs = 50;
const gapEveryMs = 10_000;
/** Characters of what a later run may know of what was loaded. */
const maxRemembered = 1024 * 1024;
/** Sessions that are asked about: a Mac with more people logged in is a rare one. */
const mostUsers = 8;

/**
 * Finds loads that no process sensor saw: asks launchd, for a while after a launch item changed, whether it has the job
 * now and did not have it before. Its events are of a kind of their own, and say that they are inferred.
 */
export class LaunchdStateSensor implements Sensor {
  readonly kind = 'launchd-state';
  readonly #options: LaunchdStateSensorOptions;
  readonly #settings: LaunchdStateOptions;
  readonly #items: WatchedItems;
  readonly #before = new LoadedBefore();
  readonly #abort = new AbortController();
  readonly #program: string;
  readonly #run: RunLaunchctl;
  readonly #timers: Timer[] = [];
  #tick: Timer | undefined;
  readonly #asking = new Set<Promise<void>>();
  readonly #counters = { observed: 0, asked: 0, lists: 0, unknown: 0, given_up: 0 };
  #sink: SensorSink | undefined;
  #present: boolean;
  #understood = false;
  #users: readonly number[] = [];
  #complete: Micros = 0;
  #told = { evicted: 0, at: Number.NEGATIVE_INFINITY };

  constructor(options: LaunchdStateSensorOptions) {
    this.#options = options;
    this.#settings = { ...launchdStateDefaults, ...options.settings };
    this.#items = new WatchedItems(this.#settings);
    this.#program = options.root.toHost(program);
    const { timeoutMs, mostBytes } = this.#settings;
    this.#run =
      options.run ?? launchctlAt(this.#program, { timeoutMs, mostBytes, signal: this.#abort.signal });
    this.#present = false;
  }

  /** Never rejects: where there is no launchctl the sensor does nothing and says so in its health. */
  async start(sink: SensorSink): Promise<void> {
    const { clock, run } = this.#options;
    this.#sink = sink;
    this.#present = run !== undefined || existsSync(this.#program);
    if (!this.#present) return;
    const { remembered } = this.#options;
    if (remembered !== undefined) this.#before.restore(remembered);
    await this.#list();
    this.#timers.push(
      clock.every(this.#settings.usersMs, () => this.#lookForUsers()),
      clock.every(this.#settings.listMs, () => this.#work(this.#list())),
    );
  }

  /** What it finds happens when it finds it: nothing is missing up to now. */
  ask(): void {
    this.#tellEvicted();
    const time = this.#options.clock.now();
    if (time <= this.#complete) return;
    this.#complete = time;
    this.#sink?.completeThrough(time);
  }

  async stop(): Promise<void> {
    this.#tick?.cancel();
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#sink = undefined;
    this.#abort.abort();
    await Promise.all(this.#asking);
  }

  /** A file event, enriched: if it is about a launch item, its job is asked about from now on. */
  changed(event: Event): void {
    if (this.#sink === undefined || !this.#present) return;
    const { clock, root } = this.#options;
    const change = changedItem(event);
    if (change === undefined || clock.now() - event.time > this.#settings.windowMs * 1000) return;
    const item = this.#items.add(change, event.time, clock.monotonic());
    this.#tickLater();
    if (item === undefined) return;
    for (const domain of domainsOf(item.path, this.#users, root)) {
      const before = this.#before.at(domain, item.label, item.changed);
      if (before !== undefined) item.before.set(domain, before);
    }
  }

  health(): SensorHealth {
    return {
      kind: this.kind,
      running: this.#sink !== undefined && this.#present && this.#understood,
      notes: this.#notes(),
      counters: { ...this.#counters, ...this.#items.counters, watched: this.#items.size },
    };
  }

  #notes(): string[] {
    if (!this.#present) return [`cannot work here: there is no ${this.#program}`];
    return [
      this.#understood
        ? `asks launchctl about jobs whose launch item changed; domains: ${this.#before.domains.join(', ')}`
        : 'launchctl print gives no answer that is understood: whether a job is loaded is unknown',
      'never run on a Mac by its authors: unproven',
    ];
  }

  /** As long as there are items to ask about. */
  #tickLater(): void {
    if (this.#tick !== undefined || this.#items.size === 0) return;
    this.#tick = this.#options.clock.after(tickMs, () => {
      this.#tick = undefined;
      this.#askDue();
      this.#tickLater();
    });
  }

  #askDue(): void {
    const now = this.#options.clock.monotonic();
    while (this.#sink !== undefined && this.#asking.size < this.#settings.mostQuestions) {
      const item = this.#items.next(now);
      if (item === undefined) break;
      this.#work(this.#ask(item));
    }
  }

  /** Something to be waited for at the end. */
  #work(asking: Promise<void>): void {
    const done = asking
      .catch((error: unknown) =>
        this.#options.logger.error({ error: messageOf(error) }, 'launchd could not be asked'),
      )
      .finally(() => this.#asking.delete(done));
    this.#asking.add(done);
  }

  async #ask(item: WatchedItem): Promise<void> {
    const { clock, root } = this.#options;
    let understood = false;
    for (const domain of domainsOf(item.path, this.#users, root)) {
      const target = `${domain}/${item.label}`;
      const asked = clock.now();
      this.#counters.asked++;
      const answer = readService(await this.#run(['print', target]), target);
      if (this.#sink === undefined || !this.#items.has(item)) return;
      if (answer.state === 'unknown') {
        this.#counters.unknown++;
        continue;
      }
      understood = true;
      const before = item.before.get(domain);
      item.before.set(domain, { loaded: answer.state === 'loaded', known: asked });
      if (answer.state === 'not-loaded' || before === undefined || before.loaded) continue;
      const time = Math.max(clock.now(), this.#complete + 1);
      this.#counters.observed++;
      const { path: plistPath, label } = item;
      const job = { label, domain, plistPath, facts: answer.facts, time, notBefore: before.known };
      this.#sink.observe({ event: loadedEvent(job, this.#options) });
    }
    this.#understood ||= understood;
    item.unknown = understood ? 0 : item.unknown + 1;
    if (item.unknown >= this.#settings.mostUnknown) {
      this.#counters.given_up++;
      this.#items.remove(item);
    } else this.#items.answered(item, clock.monotonic());
  }

  /** What is loaded now, for later comparison: in `system`, and in the session of everybody who has one. */
  async #list(): Promise<void> {
    const { root } = this.#options;
    const system = await this.#listDomain('system');
    const user = consoleUser(root);
    const known = [...(user === undefined ? [] : [user]), ...(system?.users ?? [])];
    const sessions: number[] = [];
    for (const uid of [...new Set([...known, ...homeOwners(root, mostUsers)])].slice(0, mostUsers)) {
      const list = await this.#listDomain(`gui/${uid}`);
      if (list?.exists !== false) sessions.push(uid);
    }
    this.#users = sessions;
    const saved = this.#before.saved(maxRemembered);
    if (saved !== undefined) this.#options.onRemember?.(saved);
  }

  async #listDomain(domain: string): Promise<ReturnType<typeof readDomain>> {
    const { clock } = this.#options;
    const asked = clock.now();
    this.#counters.lists++;
    const answer = readDomain(await this.#run(['print', domain]));
    if (answer === undefined) return undefined;
    this.#understood = true;
    this.#before.add(domain, { asked, answered: clock.now(), labels: answer.labels });
    return answer;
  }

  /** Who logs in brings jobs with him: they must be known before the next item changes. */
  #lookForUsers(): void {
    const user = consoleUser(this.#options.root);
    if (user === undefined || this.#users.includes(user)) return;
    this.#users = [user, ...this.#users].slice(0, mostUsers);
    this.#work(this.#listDomain(`gui/${user}`).then(() => {}));
  }

  #tellEvicted(): void {
    const { evicted } = this.#items.counters;
    const { clock } = this.#options;
    const steady = clock.monotonic();
    if (evicted === this.#told.evicted || steady - this.#told.at < gapEveryMs) return;
    const to = clock.now();
    this.#sink?.gap({
      sensor: this.kind,
      reason: 'overflow',
      from: to - this.#settings.windowMs * 1000,
      to,
      lost: evicted - this.#told.evicted,
      detail: 'more launch items changed than can be asked about',
    });
    this.#told = { evicted, at: steady };
  }
}
