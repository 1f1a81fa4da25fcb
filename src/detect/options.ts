import type { Micros } from '../base/time.js';

/**
 * What detection may hold in memory. What is dropped because of one of these is counted. Where it is kept by user, the user
 * who holds most gives up the oldest: nobody's noise drops what is another's.
 */
export interface DetectorLimits {
  /** Live join keys of all sequence rules together. */
  readonly keys: number;
  /** Files kept for one join key as candidates of its window. */
  readonly candidates: number;
  /** The same of all join keys together. */
  readonly allCandidates: number;
  /** Hits of one sequence that are remembered for events that come behind them, late or revised. */
  readonly revisited: number;
  /** Events of all rules that a revision may still come for. */
  readonly judged: number;
  /** Join keys that one event takes part in when its key fields hold several values. */
  readonly keysPerEvent: number;
  /** Files whose repeats are recognised. */
  readonly repeats: number;
  /** Counted events of all threshold rules together. */
  readonly counted: number;
  /** Complete sequences of one rule that wait for a trailing missing event. */
  readonly waiting: number;
  /** Launchctl calls of one rule that are remembered for files whose events come late. */
  readonly loads: number;
  /** Alerts held back by `max_signals` that the summary of one rule lists. */
  readonly held: number;
  /** Terms of one new_terms rule when no history is given. */
  readonly terms: number;
}

export const defaultLimits: DetectorLimits = {
  keys: 100_000,
  candidates: 4_000,
  allCandidates: 50_000,
  revisited: 1_000,
  judged: 20_000,
  keysPerEvent: 1_000,
  repeats: 20_000,
  counted: 200_000,
  waiting: 100_000,
  loads: 1_000,
  held: 1_000,
  terms: 100_000,
};

const minute: Micros = 60_000_000;

/** Matches of one rule on one file within so much event time are one alert. */
export const repeatWindow: Micros = 5 * minute;

/** A sensor takes no change of a file for a revision that comes so long after its first event. */
export const longestSettling: Micros = minute;

/** How long a new_terms rule that has no history yet only learns. */
export const defaultBaseline: Micros = 24 * 60 * minute;

/** Called when something had to be dropped: what, as the counter is called without `evicted_`, and whose noise it was. */
export type OnEvicted = (what: string, user: string) => void;
