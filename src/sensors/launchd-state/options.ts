export interface LaunchdStateOptions {
  /** How long after a launch item changed its job is asked about, milliseconds. */
  readonly windowMs: number;
  /** Pause before the first question, and the longest one, milliseconds; each is 1.6 times the one before. */
  readonly firstMs: number;
  readonly largestMs: number;
  /** How often is looked for users that have logged in, and how often what is loaded is listed anew, milliseconds. */
  readonly usersMs: number;
  readonly listMs: number;
  /** Launch items that are watched at once; a newer one takes the place of its owner's oldest, counted as a gap. */
  readonly mostItems: number;
  /** Of these so many are asked about by name, shared by owner; about the others the list of the domain is asked. */
  readonly mostDirect: number;
  /** Jobs that newly appeared and wait for a question of their own, by domain; more are counted as a gap. */
  readonly mostAppeared: number;
  /** launchctl processes a second, and at once after a quiet while. */
  readonly callsPerSecond: number;
  readonly callBurst: number;
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
  mostItems: 2_048,
  mostDirect: 32,
  mostAppeared: 256,
  callsPerSecond: 25,
  callBurst: 50,
  mostQuestions: 2,
  timeoutMs: 5_000,
  mostBytes: 4 * 1024 * 1024,
  mostUnknown: 2,
};
