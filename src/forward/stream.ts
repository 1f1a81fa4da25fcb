import type { OutboxRow, Settlement } from '../store/outbox.js';
import { backoffMs, failureBackoff, refusalBackoff } from './backoff.js';
import type { Verdict } from './destination.js';
import { sentence, type Trouble } from './reasons.js';

/** From so many failures in a row on, one row at a time is tried, a different one each time. */
const soloAfter = 3;
/** A row that was set aside so often while others went through is no longer tried before them. */
const soloTries = 2;
/** So many rows rejected one after the other say something about the receiver: the stream waits. */
const rejectedInARow = 3;
/** An acceptance says so long, milliseconds, that the receiver works. */
const freshMs = 30_000;
/** A rejected row leaves the queue so long, milliseconds; it is tried in between, when it can prove something. */
const setAsideMs = 3_600_000;
/**
 * A row dies after so many strikes; after more where the receiver has lately taken what it had rejected (one of several
 * machines behind an address is broken, say). A strike is a run of rejections right after another row was accepted.
 */
const strikesToDie = 2;
const strikesOfFickle = 6;
const fickleMs = 86_400_000;
/** The first strike takes so many rejections in a row, each further one more: no fixed rotation of machines imitates that. */
const firstRun = 3;
/** Rows of which something is remembered. */
const maxRemembered = 10_000;

/** What is known of one row that did not go through. */
interface Remembered {
  readonly seq: number;
  readonly revision: number;
  /** Rejected itself, or only set aside so that another row is tried. */
  suspect: boolean;
  tries: number;
  strikes: number;
  /** Rejections of the strike that is under way. */
  run: number;
  /** Acceptances of the stream when the last strike ended. */
  accepted: number;
  /** Steady milliseconds from which it may be tried by itself again; undefined: it waits in the outbox. */
  due: number | undefined;
  reason: string;
}

/** The time at which a reply came: milliseconds since 1970, and steady milliseconds. */
export interface At {
  readonly now: number;
  readonly steady: number;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

export type Standing = 'open' | 'waiting' | 'refused' | 'rejecting';

const unanswered: Verdict = { kind: 'retry', reason: 'the receiver said nothing about the document' };
const kinds = ['delivered', 'duplicate', 'retry', 'split', 'poison', 'pause'];

/** A destination that others wrote may answer anything. */
function known(verdict: Verdict | undefined): Verdict {
  return verdict !== undefined && verdict !== null && kinds.includes(verdict.kind) ? verdict : unanswered;
}

type Refused = Exclude<Verdict, { kind: 'delivered' } | { kind: 'duplicate' }>;
type Pair = { readonly row: OutboxRow; readonly verdict: Verdict };

/**
 * One stream of one destination: what its receiver said of late, when it may be asked again, and which row is to blame.
 * Failures of the receiver or of the way to it are never charged to a row. A rejected row is a suspect: it dies only
 * when it is rejected again and again right after other rows were accepted.
 */
export class Stream {
  readonly name: string;
  /** The newest trouble; kept after it has passed. */
  trouble: Trouble | undefined;
  warning: { readonly text: string; readonly at: number } | undefined;
  lastOk: number | undefined;
  fails = 0;
  #refusals = 0;
  #standing: Exclude<Standing, 'open'> = 'waiting';
  #blockedUntil = Number.NEGATIVE_INFINITY;
  /** Rows per request now: halved by a split, 1 while probing, doubled by each success. */
  #share = Number.POSITIVE_INFINITY;
  #accepted = 0;
  #acceptedAt = Number.NEGATIVE_INFINITY;
  #fickleUntil = Number.NEGATIVE_INFINITY;
  #rejectedInARow = 0;
  /** Steady milliseconds before which no known suspect is tried without an acceptance, and how often that failed. */
  #suspectsFrom = Number.NEGATIVE_INFINITY;
  #suspectFails = 0;
  readonly #rows = new Map<number, Remembered>();
  /** A row to be sent before anything else: the strike that is under way, or what an acceptance may clear up. */
  #wanted: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get share(): number {
    return this.#share;
  }

  /** Milliseconds until something may be sent; 0 or less: now. */
  blockedMs(steady: number): number {
    return this.#blockedUntil - steady;
  }

  /** `rejecting` also while the queue goes on and rows that were rejected wait beside it. */
  standing(steady: number): Standing {
    if (this.blockedMs(steady) > 0) return this.#standing;
    for (const { suspect, due } of this.#rows.values()) if (suspect && due !== undefined) return 'rejecting';
    return 'open';
  }

  /** Milliseconds until the stream, or a row that waits beside the queue, is tried again. */
  retryMs(steady: number): number {
    const blocked = this.blockedMs(steady);
    const due = this.nextDue;
    return Math.max(0, blocked > 0 || due === undefined ? blocked : due - steady);
  }

  /** The next try is now, whatever was said before. */
  unblock(): void {
    this.#blockedUntil = Number.NEGATIVE_INFINITY;
    this.#suspectsFrom = Number.NEGATIVE_INFINITY;
    this.#rejectedInARow = 0;
    for (const row of this.#rows.values()) if (row.due !== undefined) row.due = Number.NEGATIVE_INFINITY;
  }

  /** The row to send before the queue. */
  get wanted(): number | undefined {
    return this.#wanted;
  }

  /** A row set aside that may be tried when the queue has nothing: the one that has waited longest. */
  dueRow(steady: number): number | undefined {
    const due = this.nextDue;
    return due !== undefined && due <= steady ? this.#firstDue()?.seq : undefined;
  }

  /** Steady milliseconds at which the first row that was set aside is due. */
  get nextDue(): number | undefined {
    const first = this.#firstDue();
    return first === undefined ? undefined : this.#dueOf(first);
  }

  /** The row is no longer in the queue. */
  forget(seq: number): void {
    this.#rows.delete(seq);
    if (this.#wanted === seq) this.#wanted = undefined;
  }

  /**
   * Turns a reply into what becomes of the rows; a row that is not among the settlements stays as it is. Judges the stream
   * by the way: `standing` and `blockedMs` say what it does next.
   */
  judge(
    rows: readonly OutboxRow[],
    verdicts: readonly Verdict[],
    at: At & { readonly receiver: string },
  ): Settlement[] {
    const pairs = rows.map((row, index) => ({ row, verdict: known(verdicts[index]) }));
    const settlements: Settlement[] = [];
    const wasFresh = at.steady - this.#acceptedAt <= freshMs;
    this.#wanted = undefined;
    const rest: { row: OutboxRow; verdict: Refused }[] = [];
    let works = false;
    for (const { row, verdict } of pairs) {
      const { seq, revision } = row;
      if (verdict.kind === 'delivered') {
        const { warning } = verdict;
        if (warning !== undefined) this.warning = { text: warning.slice(0, 500), at: at.now };
        settlements.push({
          seq,
          revision,
          outcome: 'delivered',
          ...(warning === undefined ? {} : { warning }),
        });
      } else if (verdict.kind === 'duplicate') settlements.push({ seq, revision, outcome: 'duplicate' });
      else {
        rest.push({ row, verdict });
        continue;
      }
      works = true;
    }
    if (works) this.#accept(pairs, settlements, at);
    const asked = { alone: rows.length === 1, size: rows.length, fresh: works || wasFresh, works };
    this.#judgeRest(rest, asked, { ...at, settlements });
    if (this.#wanted === undefined && works) this.#wanted = this.#suspectToClear();
    return settlements;
  }

  #judgeRest(
    rest: readonly { readonly row: OutboxRow; readonly verdict: Refused }[],
    asked: {
      readonly alone: boolean;
      readonly size: number;
      readonly fresh: boolean;
      readonly works: boolean;
    },
    at: At & { readonly receiver: string; readonly settlements: Settlement[] },
  ): void {
    const { alone, size, fresh, works } = asked;
    if (rest.length === 0) {
      if (works) this.#share = Math.min(this.#share * 2, Number.MAX_SAFE_INTEGER);
      return;
    }
    const lone = alone ? rest[0]?.row : undefined;
    for (const { verdict } of rest) {
      if (verdict.kind === 'pause' && !works && (verdict.certain === true || !fresh)) {
        this.#refuse(verdict, lone, at);
        return;
      }
    }
    const failing = rest.filter(({ verdict }) => verdict.kind === 'retry');
    if (failing.length > 0 && !works) {
      this.#fail(failing, lone, at);
      return;
    }
    for (const { row, verdict } of failing) this.#delay(row, verdict, at);
    const rejected = rest.filter(({ verdict }) => verdict.kind !== 'retry');
    const named = rejected.filter(({ verdict }) => verdict.kind === 'poison');
    if (works) {
      // The same reply took another document of the stream: it is about this one.
      for (const { row, verdict } of named) this.#die(row, verdict.reason, at);
    } else if (lone !== undefined) {
      for (const { row, verdict } of rejected)
        this.#reject(row, verdict.reason, { ...at, fresh, again: true });
      return;
    } else if (named.length > 0 && named.length < size) {
      for (const { row, verdict } of named) this.#reject(row, verdict.reason, { ...at, fresh, again: false });
    }
    const left = rejected.filter(({ verdict }) => verdict.kind !== 'poison');
    const toHalve = left.length > 0 ? left : named.length === size ? named : [];
    if (toHalve.length === 0) return;
    const singly = toHalve.some(({ verdict }) => verdict.kind === 'split' && verdict.singly === true);
    // Where the bad one was taken out, the others go again as they were.
    const isolated = named.length > 0 && named.length < size && !works;
    if (!isolated) this.#share = singly ? 1 : Math.max(1, Math.floor(toHalve.length / 2));
    this.#note('rejecting', toHalve[0]!.verdict.reason, at);
  }

  /** Rows went through: the receiver works, and what failed alone gets another chance. */
  #accept(pairs: readonly Pair[], settlements: Settlement[], at: At): void {
    this.#accepted++;
    this.#acceptedAt = at.steady;
    this.fails = 0;
    this.#refusals = 0;
    this.#rejectedInARow = 0;
    this.#suspectFails = 0;
    this.#suspectsFrom = Number.NEGATIVE_INFINITY;
    this.#blockedUntil = Number.NEGATIVE_INFINITY;
    this.lastOk = at.now;
    for (const { row, verdict } of pairs) {
      if (verdict.kind !== 'delivered' && verdict.kind !== 'duplicate') continue;
      const before = this.#rows.get(row.seq);
      if (before?.suspect === true || (before?.run ?? 0) > 0) this.#fickleUntil = at.steady + fickleMs;
      this.#rows.delete(row.seq);
    }
    for (const row of this.#rows.values()) {
      const { seq, revision, suspect, due } = row;
      if (suspect || due === undefined) continue;
      // One that failed again and again between others that went through waits its own time.
      if (row.tries >= soloTries && due > at.steady) continue;
      row.due = undefined;
      settlements.push({ seq, revision, outcome: 'retry', notBefore: at.now });
    }
  }

  /** The suspect that was tried the longest time ago and has not been tried since an acceptance. */
  #suspectToClear(): number | undefined {
    for (const { seq, suspect, accepted } of this.#rows.values())
      if (suspect && accepted < this.#accepted) return seq;
    return undefined;
  }

  #refuse(
    verdict: Extract<Verdict, { kind: 'pause' }>,
    lone: OutboxRow | undefined,
    at: At & { readonly receiver: string; readonly settlements: Settlement[] },
  ): void {
    this.#refusals++;
    this.#unproven();
    this.#share = 1;
    const wait = backoffMs(this.#refusals, refusalBackoff, at.random);
    this.#block('refused', wait, at);
    if (lone !== undefined) this.#setAside(lone, verdict.reason, { ...at, wait });
    this.#note(verdict.cause === 'auth' ? 'unauthorized' : 'misconfigured', verdict.reason, at);
  }

  #fail(
    failing: readonly { readonly verdict: Refused }[],
    lone: OutboxRow | undefined,
    at: At & { readonly receiver: string; readonly settlements: Settlement[] },
  ): void {
    this.fails++;
    this.#unproven();
    if (this.fails >= soloAfter) this.#share = 1;
    let named = 0;
    for (const { verdict } of failing)
      if (verdict.kind === 'retry') named = Math.max(named, verdict.afterMs ?? 0);
    const reason = failing[0]?.verdict.reason ?? '';
    // A receiver that names a time again and again, and never keeps it, is asked less and less.
    const own = named > 0 ? Math.max(0, this.fails - soloAfter) : this.fails;
    const wait = Math.max(named, own === 0 ? 0 : backoffMs(own, failureBackoff, at.random));
    this.#block('waiting', wait, at);
    const before = lone === undefined ? undefined : this.#rows.get(lone.seq);
    if (lone !== undefined && (this.fails > soloAfter || (before?.tries ?? 0) >= soloTries))
      this.#setAside(lone, reason, { ...at, wait });
    this.#note('failing', reason, at);
  }

  /** Others of the batch went through: this row waits by itself. */
  #delay(
    row: OutboxRow,
    verdict: Refused,
    at: At & { readonly receiver: string; readonly settlements: Settlement[] },
  ): void {
    const remembered = this.#remember(row, verdict.reason);
    remembered.tries++;
    remembered.due = undefined;
    const named = verdict.kind === 'retry' ? verdict.afterMs : undefined;
    const wait = named ?? backoffMs(remembered.tries, failureBackoff, at.random);
    const { seq, revision } = row;
    at.settlements.push({ seq, revision, outcome: 'retry', notBefore: at.now + wait });
    this.#note('failing', verdict.reason, at);
  }

  /** The row was rejected alone or by name. `again`: it may be sent again at once, to be sure. */
  #reject(
    row: OutboxRow,
    reason: string,
    at: At & {
      readonly receiver: string;
      readonly settlements: Settlement[];
      readonly fresh: boolean;
      readonly again: boolean;
    },
  ): void {
    const remembered = this.#remember(row, reason);
    const news = !remembered.suspect;
    if (at.fresh && (news || this.#accepted > remembered.accepted) && at.again) {
      remembered.run++;
      if (remembered.run < firstRun + remembered.strikes) {
        this.#wanted = row.seq;
        return;
      }
      remembered.strikes++;
      const needed = at.steady < this.#fickleUntil ? strikesOfFickle : strikesToDie;
      if (remembered.strikes >= needed) {
        this.#die(row, reason, at);
        return;
      }
    }
    remembered.suspect = true;
    remembered.run = 0;
    remembered.accepted = at.again ? this.#accepted : this.#accepted - 1;
    remembered.tries++;
    if (news) this.#rejectedInARow++;
    else {
      this.#suspectFails++;
      this.#suspectsFrom = at.steady + backoffMs(this.#suspectFails, failureBackoff, at.random);
    }
    const wait = backoffMs(remembered.tries, failureBackoff, at.random);
    remembered.due = at.steady + wait;
    // To the end of the line, so that each suspect has its turn.
    this.#rows.delete(row.seq);
    this.#rows.set(row.seq, remembered);
    const { seq, revision } = row;
    at.settlements.push({
      seq,
      revision,
      outcome: 'retry',
      notBefore: at.now + setAsideMs,
      charged: true,
    });
    this.#note('rejecting', reason, at);
    if (!news || this.#rejectedInARow < rejectedInARow) return;
    this.fails++;
    this.#unproven();
    this.#block('rejecting', backoffMs(this.fails, failureBackoff, at.random), at);
  }

  #die(
    row: OutboxRow,
    reason: string,
    at: At & { readonly receiver: string; readonly settlements: Settlement[] },
  ): void {
    const { seq, revision } = row;
    this.forget(seq);
    this.#rejectedInARow = 0;
    const text = sentence('dead', reason, at.receiver);
    at.settlements.push({ seq, revision, outcome: 'dead', reason: text });
    this.trouble = { kind: 'dead', reason, at: at.now };
  }

  /** Another row is tried next; this one comes back when one went through, or when there is no other. */
  #setAside(
    row: OutboxRow,
    reason: string,
    at: At & { readonly settlements: Settlement[]; readonly wait: number },
  ): void {
    const remembered = this.#remember(row, reason);
    if (this.#accepted > remembered.accepted) remembered.tries++;
    remembered.accepted = this.#accepted;
    const own = remembered.tries < soloTries ? 0 : backoffMs(remembered.tries, failureBackoff, at.random);
    remembered.due = at.steady + Math.max(at.wait, own);
    const { seq, revision } = row;
    at.settlements.push({ seq, revision, outcome: 'retry', notBefore: at.now + setAsideMs });
  }

  /** The receiver changed: what it said before proves nothing about a row any more. */
  #unproven(): void {
    this.#acceptedAt = Number.NEGATIVE_INFINITY;
    for (const row of this.#rows.values()) row.run = 0;
  }

  #block(standing: Exclude<Standing, 'open'>, wait: number, at: At): void {
    this.#standing = standing;
    this.#blockedUntil = at.steady + wait;
  }

  #note(kind: Trouble['kind'], reason: string, at: At): void {
    this.trouble = { kind, reason: reason.slice(0, 500), at: at.now };
  }

  #remember(row: OutboxRow, reason: string): Remembered {
    const { seq, revision } = row;
    const found = this.#rows.get(seq);
    if (found !== undefined && found.revision === revision) {
      found.reason = reason;
      return found;
    }
    const made: Remembered = {
      ...{ seq, revision, reason, suspect: false },
      ...{ tries: 0, strikes: 0, run: 0, accepted: 0, due: undefined },
    };
    this.#rows.set(seq, made);
    if (this.#rows.size > maxRemembered) {
      const [oldest] = this.#rows.keys();
      if (oldest !== undefined && oldest !== seq) this.#rows.delete(oldest);
    }
    return made;
  }

  #firstDue(): Remembered | undefined {
    let first: Remembered | undefined;
    for (const row of this.#rows.values())
      if (row.due !== undefined && (first === undefined || this.#dueOf(row) < this.#dueOf(first)))
        first = row;
    return first;
  }

  #dueOf({ due = Number.POSITIVE_INFINITY, suspect }: Remembered): number {
    return suspect ? Math.max(due, this.#suspectsFrom) : due;
  }
}
