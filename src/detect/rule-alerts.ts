import type { Micros } from '../base/time.js';
import type { Candidate, Detection } from '../event/alert.js';
import { type Event, wallTime } from '../event/event.js';
import { alertId } from '../event/ids.js';
import { weightOf } from '../event/priority.js';
import type { Exception, Rule } from '../rules/index.js';
import type { Ranking } from './candidates.js';
import { type Exceptions, relevantOf, stepsWith } from './exceptions.js';
import { Flood, type FloodSubject } from './flood.js';
import type { Late, Load } from './loads.js';
import { type Match, presentEvents } from './match.js';
import type { DetectorLimits } from './options.js';
import { type FileIdentity, fileIdentity, type Repeats } from './repeats.js';
import { isNamedIn, type Told, withCandidates } from './told.js';
import { systemUser, type Users } from './user.js';

export interface AlertCounts {
  matches: number;
  /** Launchctl calls that gave an alert although the rule language had no match for them. */
  loads: number;
  alerts: number;
  repeats: number;
  suppressed: number;
  /** Files that were put to an alert after it was told. */
  late_files: number;
}

export interface RuleAlertsOptions {
  readonly rule: Rule;
  readonly limits: DetectorLimits;
  /** Shared by all rules, as are the ranking and the counts. */
  readonly repeats: Repeats;
  readonly ranking: Ranking;
  readonly counts: AlertCounts;
  readonly users: Users;
  /** The exceptions in force; they may be replaced at any time. */
  exceptions(): Exceptions;
  /** A match was not alerted on because of an exception. */
  excepted(exception: Exception, time: Micros): void;
  tell(detection: Detection): void;
}

/** What becomes of the matches of one rule: an alert, a repeat of one, or a line in the summary of what was held back. */
export class RuleAlerts {
  readonly flood: Flood;
  readonly #options: RuleAlertsOptions;
  /** File events that stand in an alert as named by a process. */
  readonly #named = new WeakSet<Event>();
  /** The alert about a file event. */
  readonly #about = new WeakMap<Event, Told>();
  /** The alerts that an event completes. */
  readonly #completed = new WeakMap<Event, Told[]>();
  /** Matches that exceptions hid, by the files that they are about: what the files hold may change. */
  readonly #hidden = new WeakMap<Event, Set<Match>>();

  constructor(options: RuleAlertsOptions) {
    this.#options = options;
    this.flood = new Flood(options.rule.meta, options.limits.held);
  }

  /** Takes note of an alert from before the first event that will be judged. */
  remember(time: Micros, file: FileIdentity | undefined, user = systemUser): void {
    this.flood.admit(time, { user, item: file?.path, oddity: undefined, weight: 0 });
    const { repeats, rule } = this.#options;
    const told: Told = { id: undefined, since: time, detection: undefined, held: undefined };
    if (file !== undefined) repeats.add(rule.meta.id, this.#identity(file), told, user);
  }

  /** Tells how many were held back of those whose interval ends by `until`, and which. */
  tellSummary(until = Number.POSITIVE_INFINITY): void {
    for (const summary of this.flood.finals(until)) this.#tell(summary);
  }

  /** An event came to hold another document. The alert about it keeps its id. */
  revised(event: Event): void {
    const told = this.#about.get(event);
    const file = told && this.#identityOf(event);
    if (file !== undefined) this.#options.repeats.update(this.#options.rule.meta.id, file, told as Told);
    for (const match of this.#hidden.get(event) ?? []) {
      const last = presentEvents(match).at(-1) as Event;
      const ranked = this.#options.ranking.candidates(match);
      if (this.#isHidden(match, last, ranked)) continue;
      this.#hidden.get(event)?.delete(match);
      this.#alert(match, last, this.#open(match, last, ranked));
    }
  }

  /** A match of the rule language. */
  match(match: Match): Told | undefined {
    this.#options.counts.matches++;
    const last = presentEvents(match).at(-1);
    if (last === undefined) return undefined;
    const ranked = this.#options.ranking.candidates(match);
    const { linked } = this.#options.rule.launchwarden ?? {};
    if (linked === true && !ranked.some(({ named, link }) => named || link === 'possible')) return undefined;
    if (this.#isHidden(match, last, ranked)) return undefined;
    const open = this.#open(match, last, ranked);
    // A call that names several files may be a repeat for one of them and news of another.
    const news = open.find(({ event, named }) => named && this.#isNews(event, last));
    return this.#alertApart(match, last, first(news, open));
  }

  /**
   * An alert, and one of its own about the files of a folder that a call names beside a file: what is odd about them says
   * nothing about it.
   */
  #alertApart(match: Match, last: Event, candidates: readonly Candidate[]): Told {
    const inFolder = candidates.filter(({ link }) => link === 'directory');
    const [best] = candidates;
    if (inFolder.length === 0 || !candidates.some(({ link }) => link === 'path') || best === undefined)
      return this.#alert(match, last, candidates);
    const others = candidates.filter(({ link }) => link !== 'directory');
    const apart = best.link === 'directory' ? [inFolder, others] : [others, inFolder];
    let told: Told | undefined;
    for (const each of apart) {
      const news = each.find(({ event, named }) => named && this.#isNews(event, last));
      const about = news ?? (each === apart[0] ? each[0] : undefined);
      if (about === undefined) continue;
      const one = this.#alert({ ...match, events: [about.event, last] }, last, first(about, each));
      told ??= one;
    }
    return told as Told;
  }

  /**
   * A launchctl call that ended no match. It gives an alert when it names a file that has none; where the file has one,
   * which did not say who loads it, that alert learns it.
   */
  load(load: Load): Told | undefined {
    const { event: call, joinKeys, files, window } = load;
    if (load.possible) return this.#possible(load);
    const open = files.filter((file) => !this.#named.has(file));
    const named = this.#options.ranking
      .candidates({ events: [null, call], window: open })
      .filter((candidate) => candidate.named && candidate.event !== call)
      .filter(
        (candidate) => this.#exceptionOf({ events: [candidate.event, call] }, call, candidate) === undefined,
      );
    const news = named.find(({ event }) => this.#isNews(event, call));
    let told: Told | undefined;
    for (const candidate of named) {
      const known = this.#toldOf(candidate.event, call);
      if (known === undefined) continue;
      told ??= known;
      this.#grow(known, candidate, call);
    }
    if (news === undefined) return told;
    this.#options.counts.loads++;
    const match = { events: [news.event, call], joinKeys, window };
    const ranked = this.#open(match, call, this.#options.ranking.candidates(match));
    return this.#alertApart(
      match,
      call,
      first(
        ranked.find(({ event }) => event === news.event),
        ranked,
      ),
    );
  }

  /**
   * A launchctl call that may mean files which it does not name: alerts about those that have none, the newest first, each
   * with the others as candidates.
   */
  #possible({ event: call, joinKeys, files }: Load): Told | undefined {
    const candidates = files
      .filter((file) => this.#isNews(file, call))
      .reverse()
      .map((event): Candidate => ({ event, named: false, link: 'possible' }))
      .filter(
        (candidate) => this.#exceptionOf({ events: [candidate.event, call] }, call, candidate) === undefined,
      );
    let told: Told | undefined;
    for (const candidate of candidates.slice(0, mostPossible)) {
      this.#options.counts.loads++;
      const match = { events: [candidate.event, call], joinKeys, window: files };
      const one = this.#alert(match, call, first(candidate, candidates));
      told ??= one;
    }
    return told;
  }

  /**
   * A file that is named by a call which is a part of an alert, and that came only now. Returns the alert of the call: another
   * one when that was held back among those of a user whose file it is not, or for a file that another call has named since.
   */
  late({ file, call, joinKeys, told }: Late): Told {
    const candidate = this.#options.ranking
      .candidates({ events: [null, call], window: [file] })
      .find(({ event }) => event === file);
    if (candidate?.named !== true) return told;
    if (this.#exceptionOf({ events: [file, call] }, call, candidate) !== undefined) return told;
    const apart = isApart(told, candidate);
    const meant = apart ? this.#completed.get(call)?.find((one) => !isApart(one, candidate)) : told;
    if (meant === undefined || this.#isAnothers(meant, file, call) || isTaken(meant, file)) {
      this.#options.counts.late_files++;
      const made = this.#alert({ events: [file, call], joinKeys, window: [file] }, call, [candidate]);
      return apart ? told : made;
    }
    if (this.#grow(meant, candidate, call)) this.#options.counts.late_files++;
    return told;
  }

  /** Counts matches that are none of their own in the alert that stands for them. */
  again(told: Told, more: number): void {
    this.#options.counts.repeats += more;
    if (told.detection === undefined) return;
    told.detection = { ...told.detection, repeats: told.detection.repeats + more };
    this.#tell(told.detection);
  }

  #identityOf(event: Event): FileIdentity | undefined {
    const file = fileIdentity(event);
    return file && this.#identity(file);
  }

  /** For a rule that asks for contents, the same content under the same path is the same file. */
  #identity(file: FileIdentity): FileIdentity {
    const byContent = this.#options.rule.launchwarden?.news === 'content' && file.sha256 !== undefined;
    return byContent ? { ...file, inode: undefined } : file;
  }

  /** True when exceptions hide everything that a match could be about. It is counted for the first of them. */
  #isHidden(match: Match, last: Event, candidates: readonly Candidate[]): boolean {
    if (this.#options.exceptions().size === 0) return false;
    const relevant = this.#options.ranking.excludes(match, candidates) ? [] : relevantOf(candidates);
    const found =
      relevant.length === 0
        ? [this.#exceptionOf(match, last, undefined)]
        : relevant.map((candidate) => this.#exceptionOf(match, last, candidate));
    const [by] = found;
    if (by === undefined || found.includes(undefined)) return false;
    this.#options.excepted(by, last.time);
    for (const event of relevant.length === 0
      ? [last, ...candidates.map((one) => one.event)]
      : relevant.map((one) => one.event)) {
      const known = this.#hidden.get(event);
      if (known === undefined) this.#hidden.set(event, new Set([match]));
      else if (known.size < mostHidden) known.add(match);
    }
    return true;
  }

  /** The candidates without those that exceptions hide. */
  #open(match: Match, last: Event, candidates: readonly Candidate[]): readonly Candidate[] {
    if (this.#options.exceptions().size === 0) return candidates;
    return candidates.filter((one) => this.#exceptionOf(match, last, one) === undefined);
  }

  #exceptionOf(
    { events }: Pick<Match, 'events'>,
    last: Event,
    candidate: Candidate | undefined,
  ): Exception | undefined {
    const exceptions = this.#options.exceptions();
    if (exceptions.size === 0) return undefined;
    const item = (candidate?.event ?? last).doc;
    const process = candidate?.process ?? events.findLast((event) => event?.doc.process !== undefined);
    return exceptions.find({
      rule: this.#options.rule.meta.id,
      time: wallTime(last),
      item,
      process: process?.doc,
      steps: stepsWith(
        events.map((event) => event?.doc),
        item,
      ),
    });
  }

  #isNews(event: Event, call: Event): boolean {
    return !this.#named.has(event) && this.#toldOf(event, call) === undefined;
  }

  #toldOf(event: Event, call: Event): Told | undefined {
    const file = this.#identityOf(event);
    const known =
      this.#about.get(event) ??
      (file && this.#options.repeats.find(this.#options.rule.meta.id, file, call.time));
    return known === undefined || this.#isAnothers(known, event, call) ? undefined : known;
  }

  /** Whether an alert was held back among another user's before anybody named its file: it counts for none. */
  #isAnothers({ held }: Told, file: Event, call: Event): boolean {
    return held !== undefined && !held.candidate.named && held.user !== this.#userOf(file, call);
  }

  /** Whose a file is that a process names: nobody owns one that is gone. */
  #userOf({ doc }: Event, process: Event): string {
    const { users } = this.#options;
    const owner = users.of(doc);
    return owner === systemUser && doc.file?.uid === undefined ? users.of(process.doc) : owner;
  }

  #alert(match: Match, last: Event, candidates: readonly Candidate[]): Told {
    const { rule, repeats, counts } = this.#options;
    const [best] = candidates;
    // Neither a count nor a new term is about a file, even when its events are.
    const isAboutFile = rule.threshold === undefined && rule.newTerms === undefined;
    const file = best === undefined || !isAboutFile ? undefined : this.#identityOf(best.event);
    const ids = match.events.map((event) => event?.id ?? null);
    const id = alertId(rule.meta.id, match.part === undefined ? ids : [...ids, match.part]);
    const before = this.#completed.get(last)?.find((one) => one.id === id);
    if (before !== undefined) return before;
    const subject = this.#subject(best, last, file?.path);
    const told = file && repeats.find(rule.meta.id, file, last.time);
    const isHidden =
      told?.held !== undefined && best?.named === true && this.#isAnothers(told, best.event, last);
    const known = isHidden ? undefined : told;
    this.#noteNamed(candidates);
    if (known !== undefined) {
      if (best !== undefined) this.#about.set(best.event, known);
      this.#repeat(known, candidates, last);
      return known;
    }
    const renamed = file && match.events.length === 1 && this.#renamed(last);
    if (renamed) {
      this.#rename(renamed, { file, last, candidates, user: subject.user });
      return renamed;
    }
    const { events, joinKeys } = match;
    const detection: Detection = {
      id,
      rule: rule.meta,
      kind: 'match',
      time: wallTime(last),
      events,
      joinKeys,
      candidates,
      ...(this.#options.ranking.excludes(match, candidates) ? { unlinked: true } : {}),
      repeats: 0,
      suppressed: 0,
    };
    const admitted = this.flood.admit(last.time, subject);
    counts[admitted ? 'alerts' : 'suppressed']++;
    const made: Told = {
      id,
      since: last.time,
      detection: admitted ? detection : undefined,
      held: admitted ? undefined : this.flood.hold(heldBack(best, last), last.time, subject),
    };
    if (best !== undefined && file !== undefined) {
      repeats.add(rule.meta.id, file, made, subject.user);
      this.#about.set(best.event, made);
    }
    const completed = this.#completed.get(last);
    if (completed === undefined) this.#completed.set(last, [made]);
    else completed.push(made);
    this.#tell(admitted ? detection : this.flood.summary(subject.user, wallTime(last)));
    return made;
  }

  /** The alert about a file as it was called before it was renamed, which is how programs write a file at once. */
  #renamed(event: Event): Told | undefined {
    const { doc } = event;
    const before: unknown = doc.file?.Ext?.original?.path;
    const file = this.#identityOf(event);
    if (doc.event?.action !== 'rename' || typeof before !== 'string' || file === undefined) return undefined;
    const told = this.#options.repeats.find(
      this.#options.rule.meta.id,
      { ...file, path: before },
      event.time,
    );
    return told?.id === undefined ? undefined : told;
  }

  /** The alert is about the file under its new name from now on. */
  #rename(
    told: Told,
    {
      file,
      last,
      candidates,
      user,
    }: { file: FileIdentity; last: Event; candidates: readonly Candidate[]; user: string },
  ): void {
    const { repeats, rule } = this.#options;
    repeats.add(rule.meta.id, file, told, user);
    this.#about.set(last, told);
    if (told.held !== undefined) this.flood.amend(told.held, heldBack(candidates[0], last));
    if (told.detection === undefined) return;
    const older = told.detection.candidates.filter(({ event }) => event !== last);
    told.detection = {
      ...told.detection,
      events: [last],
      candidates: [...candidates, ...older.map((one): Candidate => ({ ...one, link: 'window' }))],
    };
    this.#tell(told.detection);
  }

  #subject(best: Candidate | undefined, last: Event, item: string | undefined): FloodSubject {
    const { doc } = best?.event ?? last;
    // What the process does not name may be somebody's decoy.
    const isNamed = best?.named === true || last.doc.user === undefined;
    const user =
      isNamed && best !== undefined ? this.#userOf(best.event, last) : this.#options.users.of(last.doc);
    const findings: unknown = doc.launchwarden?.findings;
    const words = Array.isArray(findings) ? findings.filter((one) => typeof one === 'string') : [];
    return {
      user,
      item,
      oddity: words.length === 0 ? undefined : words.slice(0, 32).sort().join(' ').slice(0, 1_024),
      weight: weightOf(words.slice(0, 32)),
    };
  }

  #repeat(known: Told, candidates: readonly Candidate[], last: Event): void {
    this.#options.counts.repeats++;
    const [best] = candidates;
    const { held } = known;
    if (held !== undefined && best?.named === true && !held.candidate.named) {
      this.flood.amend(held, heldBack(best, last));
    }
    if (known.detection === undefined) return;
    const grown = withCandidates(known.detection, candidates, last);
    known.detection = { ...grown, repeats: grown.repeats + 1 };
    this.#tell(known.detection);
  }

  /** Puts a file that `call` names to an alert. False when that is nothing new. */
  #grow(told: Told, candidate: Candidate, call: Event): boolean {
    const { detection, held } = told;
    this.#noteNamed([candidate]);
    if (held !== undefined) {
      if (held.candidate.named) return false;
      this.#move(told, held.candidate, candidate);
      this.flood.amend(held, heldBack(candidate, call));
      return true;
    }
    if (detection === undefined || isNamedIn(detection.candidates, candidate.event)) return false;
    const grown = withCandidates(detection, [candidate], call);
    if (grown === detection) return false;
    told.detection = grown;
    const [before] = detection.candidates;
    const [now] = grown.candidates;
    if (now !== undefined) this.#move(told, before, now);
    this.#tell(grown);
    return true;
  }

  /** The alert may have become one about another file: the file that it had been about has none then. */
  #move(told: Told, before: Candidate | undefined, now: Candidate): void {
    if (before?.event === now.event) return;
    const { repeats, rule } = this.#options;
    const [old, file] = [before && this.#identityOf(before.event), this.#identityOf(now.event)];
    if (before !== undefined && !before.named && old !== undefined) {
      repeats.remove(rule.meta.id, old, told);
      this.#about.delete(before.event);
    }
    if (file === undefined) return;
    repeats.add(rule.meta.id, file, told, this.#options.users.of(now.event.doc));
    this.#about.set(now.event, told);
  }

  #noteNamed(candidates: readonly Candidate[]): void {
    for (const { event, named } of candidates) if (named) this.#named.add(event);
  }

  #tell(detection: Detection | undefined): void {
    if (detection !== undefined) this.#options.tell(detection);
  }
}

/** Whether an alert is about a file that a call names, and another one is in a folder that the call names beside it. */
function isApart({ detection }: Told, { link }: Candidate): boolean {
  const about = detection?.candidates[0]?.link;
  return (about === 'path' && link === 'directory') || (about === 'directory' && link === 'path');
}

/** Whether the one line that the summary has for an alert stands for another file, which a call has named since. */
function isTaken({ held }: Told, file: Event): boolean {
  return held?.candidate.named === true && !isNamedIn([held.candidate], file);
}

/** Hidden matches that are remembered for one file. */
const mostHidden = 16;
/** Alerts about files that one call may mean. */
const mostPossible = 16;

/** With one of them, if any, in front of the others. */
function first(one: Candidate | undefined, all: readonly Candidate[]): readonly Candidate[] {
  return one === undefined || one === all[0] ? all : [one, ...all.filter((other) => other !== one)];
}

/** What an alert that is not told was about: its best file, or its last event when it has none. */
function heldBack(best: Candidate | undefined, last: Event): Candidate {
  if (best === undefined) return { event: last, named: false, link: 'matched' };
  return best.event === last ? best : { ...best, process: last };
}
