import { existsSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { clip, escapeText } from '../../base/escape.js';
import { launchItemKind } from '../../base/launch-paths.js';
import type { Logger } from '../../base/log.js';
import type { RootMap } from '../../base/root.js';
import type { Micros } from '../../base/time.js';
import type { Event } from '../../event/event.js';
import type { Sensor, SensorHealth, SensorSink } from '../sensor.js';
import { type AppearedJob, AppearedJobs } from './appeared.js';
import { CallBudget } from './call-budget.js';
import { consoleUser, domainsOf, domainsOfUser, homeOwners } from './domains.js';
import { KnownJobs, type WantedJob } from './known-jobs.js';
import { launchctlAt, type RunLaunchctl } from './launchctl.js';
import { ListSchedule } from './list-schedule.js';
import { type Before, type DomainList, LoadedBefore, labelKey } from './loaded-before.js';
import { type LaunchdStateOptions, launchdStateDefaults } from './options.js';
import {
  type DomainAnswer,
  type JobFacts,
  readDomain,
  readService,
  type ServiceAnswer,
} from './read-print.js';
import { folded, isSameFile, resolved, spellings } from './same-file.js';
import { SystemJobs } from './system-jobs.js';
import { jobEvent, type LoadedJob } from './to-event.js';
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
/** Items that may be links and are looked at for a job whose path is none of theirs. */
const mostLinks = 32;
/** So long it is believed that a domain does not exist, milliseconds. */
const missingMs = 2_000;

/** Jobs of which it is remembered when they were told of. */
const mostReported = 4_096;
/** What Apple alone can write: the sealed volume, and the place of its own updates. */
const sealed = /^\/(?:System|Library\/Apple)\//i;

/** Where a job was found, and what launchd says of it. */
interface Found {
  readonly domain: string;
  readonly label: string;
  readonly facts: JobFacts;
  readonly notBefore: Micros;
  readonly reason: string;
}

/**
 * Finds loads that no process sensor saw: asks launchd, for a while after a launch item changed, whether it has the job
 * now and did not have it before. Where the job's label is not certain, or too many items changed to ask about each,
 * the lists of the domains are compared, and the path that launchd gives for a new job says which item it is. Its events
 * are of a kind of their own, and say that they are inferred. Beside that, whatever appears in a list is asked about: a
 * job of a list that changed long ago, while nobody looked, or that stands in no launch directory. A job that is loaded and
 * taken away between two questions is not seen.
 */
export class LaunchdStateSensor implements Sensor {
  readonly kind = 'launchd-state';
  readonly #options: LaunchdStateSensorOptions;
  readonly #settings: LaunchdStateOptions;
  readonly #items: WatchedItems;
  readonly #lists: ListSchedule;
  readonly #appeared: AppearedJobs;
  readonly #budget: CallBudget;
  readonly #before = new LoadedBefore();
  readonly #system: SystemJobs;
  readonly #jobs: KnownJobs;
  /** By service target, when it was told of last. */
  readonly #reported = new Map<string, Micros>();
  readonly #domains = new Map<string, readonly string[]>();
  readonly #abort = new AbortController();
  readonly #program: string;
  readonly #run: RunLaunchctl;
  readonly #timers: Timer[] = [];
  #tick: Timer | undefined;
  readonly #asking = new Set<Promise<void>>();
  readonly #counters = {
    observed: 0,
    found: 0,
    asked: 0,
    lists: 0,
    unknown: 0,
    given_up: 0,
    vanished: 0,
    cut_lists: 0,
  };
  /** Domains that do not exist, until when (monotonic) that is believed. */
  readonly #missing = new Map<string, number>();
  #turn = 0;
  #sink: SensorSink | undefined;
  #present: boolean;
  #understood = false;
  #users: readonly number[] = [];
  #complete: Micros = 0;
  #told = { lost: 0, at: Number.NEGATIVE_INFINITY };

  constructor(options: LaunchdStateSensorOptions) {
    this.#options = options;
    this.#settings = { ...launchdStateDefaults, ...options.settings };
    const { timeoutMs, mostBytes, mostAppeared, callsPerSecond, callBurst } = this.#settings;
    this.#items = new WatchedItems(this.#settings);
    this.#system = new SystemJobs(options.root);
    this.#jobs = new KnownJobs((label) => this.#system.has(label));
    this.#lists = new ListSchedule(this.#settings);
    this.#appeared = new AppearedJobs(mostAppeared);
    this.#budget = new CallBudget(callsPerSecond, callBurst);
    this.#program = options.root.toHost(program);
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
    await this.#listAll();
    this.#timers.push(
      clock.every(this.#settings.usersMs, () => this.#lookForUsers()),
      clock.every(this.#settings.listMs, () => this.#work(this.#listAll())),
    );
  }

  /** What it finds happens when it finds it: nothing is missing up to now. */
  ask(): void {
    this.#tellLost();
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
    const { clock } = this.#options;
    const change = changedItem(event);
    if (change === undefined || clock.now() - event.time > this.#settings.windowMs * 1000) return;
    const now = clock.monotonic();
    const { item, fresh } = this.#items.add(change, event.time, now);
    const domains = this.#domainsOf(item);
    this.#knowBefore(item, domains);
    if (this.#items.needsLists) for (const domain of domains) this.#lists.soon(domain, now);
    if (fresh && !item.certain)
      for (const job of this.#appeared.since(item.changed, domains, now - this.#settings.windowMs))
        this.#appeared.add(job);
    // At once: what is loaded right after the write must find that it was not loaded before.
    if (item.certain) this.#askDue();
    this.#tickLater();
  }

  health(): SensorHealth {
    return {
      kind: this.kind,
      running: this.#sink !== undefined && this.#present && this.#understood,
      ...(this.#present ? {} : { unavailable: true }),
      notes: this.#notes(),
      counters: {
        ...this.#counters,
        ...this.#items.counters,
        appeared_dropped: this.#appeared.dropped,
        watched: this.#items.size,
      },
    };
  }

  #notes(): string[] {
    if (!this.#present) return [`cannot work here: there is no ${this.#program}`];
    return [
      this.#understood
        ? `asks launchctl about jobs whose launch item changed; domains: ${this.#before.domains.join(', ')}`
        : 'launchctl print gives no answer that is understood: whether a job is loaded is unknown',
      'a job that is loaded and taken away between two questions is not seen',
      'never run on a Mac by its authors: unproven ("launchwarden prove" asks)',
    ];
  }

  /** The same for all items of an owner and a kind of folder, until somebody may have logged in. */
  #domainsOf(item: WatchedItem): readonly string[] {
    const key = `${item.owner}\0${launchItemKind(item.path)}`;
    const known = this.#domains.get(key);
    if (known !== undefined) return known;
    const domains = domainsOf(item.path, this.#users, this.#options.root);
    this.#domains.set(key, domains);
    return domains;
  }

  /** What the lists from before its change say of its jobs. */
  #knowBefore(item: WatchedItem, domains: readonly string[]): void {
    for (const domain of domains)
      for (const label of item.labels) {
        const target = `${domain}/${label}`;
        if (item.before.has(target)) continue;
        const before = this.#before.at(domain, label, item.changed);
        if (before === undefined) continue;
        const facts = before.loaded ? this.#jobs.at(domain, label, item.changed) : undefined;
        item.before.set(target, { ...facts, ...before });
      }
  }

  /** As long as there are items to ask about. */
  #tickLater(): void {
    const idle = this.#items.size === 0 && !this.#appeared.waiting && !this.#jobs.waiting;
    if (this.#tick !== undefined || idle || this.#sink === undefined) return;
    this.#tick = this.#options.clock.after(tickMs, () => {
      this.#tick = undefined;
      this.#askDue();
      this.#tickLater();
    });
  }

  #askDue(): void {
    const now = this.#options.clock.monotonic();
    while (
      this.#sink !== undefined &&
      this.#asking.size < this.#settings.mostQuestions &&
      this.#budget.allows(now)
    ) {
      const work = this.#nextWork(now);
      if (work === undefined) break;
      this.#work(work);
    }
    if (this.#items.size === 0) this.#lists.clear();
  }

  /** New jobs, lists and items take turns. */
  #nextWork(now: number): Promise<void> | undefined {
    const kinds = [() => this.#nextAppeared(), () => this.#nextList(now), () => this.#nextItem(now)];
    const first = this.#turn++;
    for (let step = 0; step < kinds.length; step++) {
      const work = kinds[(first + step) % kinds.length]?.();
      if (work !== undefined) return work;
    }
    return this.#nextKnown();
  }

  /** While nothing else is to be asked. */
  #nextKnown(): Promise<void> | undefined {
    const job = this.#jobs.next();
    return job === undefined ? undefined : this.#askKnown(job);
  }

  async #askKnown({ domain, label, found }: WantedJob): Promise<void> {
    const asked = this.#options.clock.now();
    const answer = await this.#print(`${domain}/${label}`);
    if (answer.state !== 'loaded') return;
    const { facts } = answer;
    this.#jobs.set(domain, label, { facts, asked });
    const plistPath = this.#listOf(facts);
    if (!found || plistPath === undefined || this.#reported.has(`${domain}/${label}`)) return;
    const reason = 'launchd had the job when it was asked for the first time';
    this.#tell('found', { label, domain, plistPath, facts, reason });
  }

  /** The property list that launchd says a job is from, where somebody else than Apple can have written it. */
  #listOf({ path }: JobFacts): string | undefined {
    if (path === undefined || !path.startsWith('/')) return undefined;
    const macPath = resolved(path, this.#options.root);
    return sealed.test(macPath) ? undefined : macPath;
  }

  #tell(action: 'loaded' | 'found', job: Omit<LoadedJob, 'time'>): Micros {
    const time = Math.max(this.#options.clock.now(), this.#complete + 1);
    const target = `${job.domain}/${job.label}`;
    this.#counters[action === 'loaded' ? 'observed' : 'found']++;
    this.#reported.delete(target);
    this.#reported.set(target, time);
    if (this.#reported.size > mostReported)
      this.#reported.delete(this.#reported.keys().next().value as string);
    this.#sink?.observe({ event: jobEvent(action, { ...job, time }, this.#options) });
    return time;
  }

  #nextAppeared(): Promise<void> | undefined {
    const job = this.#appeared.next();
    return job === undefined ? undefined : this.#askAppeared(job);
  }

  #nextList(now: number): Promise<void> | undefined {
    const domain = this.#items.needsLists ? this.#lists.next(now) : undefined;
    if (domain === undefined) return undefined;
    return this.#list(domain).then(() => this.#lists.answered(domain, this.#options.clock.monotonic()));
  }

  #nextItem(now: number): Promise<void> | undefined {
    const item = this.#items.next(now);
    return item === undefined ? undefined : this.#askItem(item);
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

  async #print(target: string): Promise<ServiceAnswer> {
    this.#counters.asked++;
    this.#budget.spend();
    const answer = readService(await this.#run(['print', target]), target);
    if (answer.state === 'unknown') this.#counters.unknown++;
    else this.#understood = true;
    return answer;
  }

  async #askItem(item: WatchedItem): Promise<void> {
    const { clock } = this.#options;
    let understood = false;
    for (const domain of this.#domainsOf(item)) {
      if ((this.#missing.get(domain) ?? 0) > clock.monotonic()) {
        understood = true;
        continue;
      }
      for (const label of item.labels) {
        const asked = clock.now();
        const answer = await this.#print(`${domain}/${label}`);
        if (this.#sink === undefined || !this.#items.has(item)) return;
        if (answer.state === 'unknown') continue;
        understood = true;
        this.#learn(item, { domain, label, asked, answer });
        if (answer.state !== 'no-domain') continue;
        this.#missing.set(domain, clock.monotonic() + missingMs);
        break;
      }
    }
    if (understood) item.answers++;
    item.unknown = understood ? 0 : item.unknown + 1;
    // What launchd does not understand by its name may still be in its lists.
    if (item.unknown >= this.#settings.mostUnknown) {
      this.#counters.given_up++;
      this.#items.remove(item);
    } else this.#items.answered(item, clock.monotonic());
  }

  /** What an answer about one label means for its item. */
  #learn(
    item: WatchedItem,
    { domain, label, asked, answer }: { domain: string; label: string; asked: Micros; answer: ServiceAnswer },
  ): void {
    const target = `${domain}/${label}`;
    const before = item.before.get(target);
    if (answer.state !== 'loaded') {
      item.before.set(target, { loaded: false, known: asked });
      return;
    }
    const { facts } = answer;
    item.before.set(target, { loaded: true, known: asked, ...facts });
    this.#jobs.set(domain, label, { facts, asked });
    if (before === undefined || (label === item.guess && !this.#isFrom(item, facts))) return;
    const reason = before.loaded
      ? this.#reloaded(item, before, facts)
      : 'launchd has the job and did not have it before';
    if (reason !== undefined) this.#report(item, { domain, label, facts, notBefore: before.known, reason });
  }

  /** Why a job that was loaded before must have been loaded anew, from this item; undefined when nothing says so. */
  #reloaded(item: WatchedItem, before: Before, facts: JobFacts): string | undefined {
    const { path } = facts;
    if (path === undefined || !this.#isFrom(item, facts)) return undefined;
    if (before.path !== undefined && before.path !== path)
      return 'launchd has the job from another file than before';
    if (before.program !== undefined && before.program !== facts.program)
      return 'launchd has the job with another program than before';
    if (before.runs !== undefined && facts.runs !== undefined)
      return facts.runs < before.runs ? 'launchd counts the starts of the job anew' : undefined;
    if (before.pid !== undefined && facts.pid !== undefined && before.pid !== facts.pid)
      return 'launchd runs the job as another process than before its file changed';
    return undefined;
  }

  /** Whether launchd has a job from the item's file; also where it does not say from which. */
  #isFrom(item: WatchedItem, { path }: JobFacts): boolean {
    return path === undefined || isSameFile(path, item.path, this.#options.root);
  }

  #report(item: WatchedItem, { domain, label, facts, notBefore, reason }: Found): void {
    const known = this.#tell('loaded', { label, domain, plistPath: item.path, facts, notBefore, reason });
    item.before.set(`${domain}/${label}`, { loaded: true, known, ...facts });
  }

  /** A job that is new in its domain: its path says which item it is. */
  async #askAppeared({ domain, label, item, known, odd }: AppearedJob): Promise<void> {
    const asked = this.#options.clock.now();
    const answer = await this.#print(`${domain}/${label}`);
    if (this.#sink === undefined || answer.state === 'unknown') return;
    if (item !== undefined && this.#items.has(item)) {
      const before = item.before.get(`${domain}/${label}`);
      if (answer.state === 'loaded') this.#learn(item, { domain, label, asked, answer });
      else if (odd || before?.loaded !== false) this.#counters.vanished++;
      // It was in the list; that it has gone since does not undo that it was loaded.
      else
        this.#report(item, {
          domain,
          label,
          facts: {},
          notBefore: before.known,
          reason: 'launchd had the job for a moment, and did not have it before',
        });
      return;
    }
    if (answer.state !== 'loaded') {
      this.#counters.vanished++;
      return;
    }
    const { facts } = answer;
    const owner = facts.path === undefined ? undefined : this.#itemAt(facts.path);
    if (owner === undefined) this.#reportOther({ domain, label, facts, notBefore: known });
    if (owner === undefined || owner.before.get(`${domain}/${label}`)?.loaded === true) return;
    const reason = 'launchd has a job from this file under another label, and did not have it before';
    this.#report(owner, { domain, label, facts, notBefore: known, reason });
  }

  /** A new job of a list that did not change lately, of one that is nowhere watched, or of none at all. */
  #reportOther({ domain, label, facts, notBefore }: Omit<Found, 'reason'>): void {
    const plistPath = this.#listOf(facts);
    // smd: the service management framework, for apps that bring their jobs; not what launchd makes of each running app.
    const isSubmitted = /^\(submitted by (?:launchctl|smd)\b/i.test(facts.path ?? '');
    if (plistPath === undefined && !isSubmitted) return;
    const reason = isSubmitted
      ? 'launchd has a job without a property list, and did not have it before'
      : 'launchd has a job that it did not have before, from a file that had not changed just then';
    this.#tell('loaded', { label, domain, plistPath, facts, notBefore, reason });
  }

  #itemAt(given: string): WatchedItem | undefined {
    const { root } = this.#options;
    const wanted = spellings(given, root);
    const links: WatchedItem[] = [];
    for (const item of this.#items.all()) {
      if (wanted.includes(folded(item.path))) return item;
      if (!item.certain) links.push(item);
    }
    return links.slice(-mostLinks).find((item) => isSameFile(given, item.path, root));
  }

  /** What is loaded now, for later comparison: in `system`, and in the sessions of everybody who has one. */
  async #listAll(): Promise<void> {
    const { root } = this.#options;
    const system = await this.#list('system');
    const user = consoleUser(root);
    const known = [...(user === undefined ? [] : [user]), ...(system?.users ?? [])];
    const sessions: number[] = [];
    for (const uid of [...new Set([...known, ...homeOwners(root, mostUsers)])].slice(0, mostUsers)) {
      const lists = [];
      for (const domain of domainsOfUser(uid)) lists.push(await this.#list(domain));
      if (lists.some((list) => list?.exists !== false)) sessions.push(uid);
    }
    this.#users = sessions;
    this.#domains.clear();
    const saved = this.#before.saved(maxRemembered);
    if (saved !== undefined) this.#options.onRemember?.(saved);
  }

  async #list(domain: string): Promise<DomainAnswer | undefined> {
    const { clock } = this.#options;
    const asked = clock.now();
    this.#counters.lists++;
    this.#budget.spend();
    const answer = readDomain(await this.#run(['print', domain]));
    if (answer === undefined) return undefined;
    this.#understood = true;
    if (!answer.complete) this.#counters.cut_lists++;
    const labels = new Map([...answer.labels].map(([label, pid]) => [labelKey(label), pid]));
    const earlier = this.#before.newest(domain);
    const list = {
      asked,
      answered: clock.now(),
      labels,
      complete: answer.complete,
      missing: !answer.exists,
    };
    this.#before.add(domain, list);
    if (this.#sink !== undefined) this.#compare(domain, answer, { list, earlier });
    return answer;
  }

  /** What a list says of the watched items, and which jobs are new in it. */
  #compare(
    domain: string,
    { labels, odd }: DomainAnswer,
    { list, earlier }: { list: DomainList; earlier: DomainList | undefined },
  ): void {
    const common = { domain, odd, seen: list.answered, at: this.#options.clock.monotonic() };
    const owned = new Set<string>();
    const full = new Map([...labels.keys()].map((label) => [labelKey(label), label]));
    for (const item of this.#items.all()) {
      if (!this.#domainsOf(item).includes(domain)) continue;
      item.answers++;
      for (const label of item.labels) {
        const pid = list.labels.get(labelKey(label));
        const target = `${domain}/${label}`;
        const before = item.before.get(target);
        if (pid === undefined) {
          if (list.complete && isOneLine(label))
            item.before.set(target, { loaded: false, known: list.asked });
          continue;
        }
        owned.add(labelKey(label));
        const changed = before?.pid !== undefined && pid !== 0 && before.pid !== pid;
        if (before !== undefined && (!before.loaded || changed))
          this.#appeared.add({ ...common, label, item, known: before.known });
        else if (before === undefined)
          item.before.set(target, { loaded: true, known: list.asked, ...(pid === 0 ? {} : { pid }) });
      }
    }
    // Nobody asked before, or there was no session: whatever is there now may be there for long.
    const isFirst = earlier === undefined || earlier.missing === true || earlier.answered > list.asked;
    if (list.complete) this.#jobs.listed(domain, labels.keys(), isFirst);
    if (earlier?.complete !== true) {
      this.#tickLater();
      return;
    }
    for (const [key, label] of full) {
      if (earlier.labels.has(key) || owned.has(key)) continue;
      const job = { ...common, label, known: earlier.asked };
      this.#appeared.keep(job);
      const isNews = !isFirst && !this.#system.has(label);
      const isTold = (this.#reported.get(`${domain}/${label}`) ?? 0) >= earlier.asked;
      if (this.#items.needsLists || (isNews && !isTold)) this.#appeared.add(job);
    }
    this.#tickLater();
  }

  /** Who logs in brings jobs with him: they must be known before the next item changes. */
  #lookForUsers(): void {
    this.#domains.clear();
    const user = consoleUser(this.#options.root);
    if (user === undefined || this.#users.includes(user)) return;
    this.#users = [user, ...this.#users].slice(0, mostUsers);
    for (const domain of domainsOfUser(user)) {
      this.#missing.delete(domain);
      this.#work(this.#list(domain).then(() => {}));
    }
  }

  /** What was thrown out, dropped or never answered, now and then in one gap. */
  #tellLost(): void {
    const { evicted, unasked } = this.#items.counters;
    const { dropped } = this.#appeared;
    const unanswered = unasked + this.#counters.given_up;
    const { clock } = this.#options;
    const lost = evicted + unanswered + dropped;
    const steady = clock.monotonic();
    if (lost === this.#told.lost || steady - this.#told.at < gapEveryMs) return;
    const to = clock.now();
    const whose = this.#items.evictedOf ?? this.#appeared.droppedIn;
    const parts = [
      ...(evicted + dropped === 0 ? [] : [`more launch items changed than can be asked about${of(whose)}`]),
      ...(unanswered === 0 ? [] : ['launchd gave no answer about some of the launch items']),
    ];
    this.#sink?.gap({
      sensor: this.kind,
      reason: 'overflow',
      from: to - this.#settings.windowMs * 1000,
      to,
      lost: lost - this.#told.lost,
      detail: parts.join('; '),
    });
    this.#told = { lost, at: steady };
  }
}

/** A label that a list shows as it is, so that it is not loaded when the list does not show it. */
function isOneLine(label: string): boolean {
  return label.length < 4_096 && !/[\p{Cc}\u2028\u2029]|^\s|\s$/u.test(label);
}

function of(whose: string | undefined): string {
  return whose === undefined ? '' : `, most of them of ${escapeText(clip(whose, 200))}`;
}
