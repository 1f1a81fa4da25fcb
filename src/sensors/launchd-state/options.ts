export interface LaunchdStateOptions {
  /** How long after a launch item changed its job is asked about, milliseconds. */
  readonly windowMs: number;
  /** Pause before the first question, and the longest one, milliseconds; each is 1.6 times the one before. */
  readonly firstMs: number;
  readonly largestMs: number;
  /** How often is looked for users that have logged in, and how often what is loaded is listed anew, milliseconds. */
  readonly usersMs: number;
  readonly listMs: number;
  /** Launch items that are asked about at once; a newer one takes the place of the oldest, counted as a gap. */
  readonly mostItems: number;
  /** launchctl processes at once. */
  readonly mostQuestions: number;
  /** How long one launchctl may take, milliseconds, and how many bytes it may print. */
  readonly timeoutMs: number;
  readonly mostBytes: number;
  /** An item is given up when so many answers in a row were not understood. */
  readonly mostUnknown: number;
}

export const launchdStateDefaults: LaunchdStateOptions = {
  windowMs: 60_000,
  firstMs: 50,
  largestMs: 5_000,
  usersMs: 5_000,
  listMs: 60_000,
  mostItems: 32,
  mostQuestions: 2,
  timeoutMs: 5_000,
  mostBytes: 4 * 1024 * 1024,
  mostUnknown: 2,
};
