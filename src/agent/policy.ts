import type { Clock, Timer } from '../base/clock.js';
import { things } from '../base/count.js';
import { messageOf, UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { type PolicySource, type Settings, together } from '../config/index.js';
import { type Backoff, backoffMs, type ChangeAction } from '../forward/index.js';
import {
  type Bad,
  type Bundle,
  type Fetched,
  type FetchOptions,
  type Held,
  openBundle,
  type PolicyCondition,
  type PolicyState,
  placeVersion,
  policyCondition,
  readPolicyState,
  recoveredState,
  requireCurrent,
  sourceMark,
  sweepVersions,
  withNewer,
  withoutCurrent,
  withProven,
  writePolicyState,
} from '../policy/index.js';
import { checkPolicy } from './policy-check.js';
import type { ReloadAnswer } from './reload.js';

/** A version is on trial until an agent has been ready with it for so long, milliseconds. */
const trialMs = 60_000;
/** Starts that may end before an agent is ready with a version on trial. */
const trialStarts = 3;
/** After a start the server is asked within so long, drawn by chance: a fleet restarts together. */
const splayMs = 30_000;
const failureBackoff: Backoff = { baseMs: 60_000, capMs: 3_600_000 };
/** An interval is varied by so much of itself, up and down. */
const jitter = 0.1;

export interface PolicyKeeperOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Version of the program. */
  readonly version: string;
  settings(): Pick<Settings, 'policy' | 'policyInForce'>;
  /** Reads the whole configuration with the policy of a folder in it. Rejects when no agent would start with it. */
  tryOut(folder: string): Promise<void>;
  /** Takes up what is in force on the disk. */
  reload(): Promise<ReloadAnswer>;
  /** Tells the destinations. */
  told(action: ChangeAction, text: string): void;
  /** For tests. */
  readonly fetch?: (options: FetchOptions) => Promise<Fetched>;
  readonly random?: () => number;
}

/** Loaded when it is used: a Mac without a policy needs no HTTP client. */
async function fetchLate(options: FetchOptions): Promise<Fetched> {
  return (await import('../policy/fetch.js')).fetchBundle(options);
}

/**
 * Of a damaged state what is left. Throws for one that only cannot be read now (no descriptors, a disk with errors): it may
 * be sound, and nothing is put in its place.
 */
function stateOf(dataDir: string, log: Logger): PolicyState {
  try {
    return readPolicyState(dataDir);
  } catch (error) {
    if (!(error instanceof UserError) || (error.code === 'policy/unsafe-state' && error.cause !== undefined))
      throw error;
    log.error({ error: messageOf(error) }, 'what is known of the policy is lost: it is fetched again');
    return recoveredState(dataDir);
  }
}

/** The state after the version in force failed: the one before is in force again. */
function rolledBack(
  state: PolicyState,
  reason: string,
  how: { readonly now: number; readonly told: boolean },
): PolicyState {
  if (state.current === null) return state;
  const { version, digest } = state.current;
  const at = new Date(how.now).toISOString();
  return withoutCurrent(state, { version, digest, reason: reason.slice(0, 1_000), at, told: how.told });
}

/**
 * Counts a start with a version on trial; one that no agent became ready with is rolled back first. Call with the data
 * folder locked. Returns the settings to start with.
 */
export async function settingsAtStart(
  options: {
    readonly settings: Settings;
    readonly clock: Clock;
    readonly reread?: ((policy?: string) => Promise<Settings>) | undefined;
  },
  log: Logger,
): Promise<Settings> {
  const { settings, reread, clock } = options;
  const { dataDir } = settings;
  if (settings.policyInForce?.held === undefined || reread === undefined) return settings;
  let isOver = false;
  try {
    const state = stateOf(dataDir, log);
    if (state.trial === null) return settings;
    const { starts } = state.trial;
    isOver = starts >= trialStarts;
    if (!isOver) {
      writePolicyState(dataDir, { ...state, trial: { starts: starts + 1 } });
      return settings;
    }
    const reason = `no agent became ready with it in ${things(starts, 'start')}`;
    log.error({ version: state.current?.version, reason }, 'the policy is rolled back');
    writePolicyState(dataDir, rolledBack(state, reason, { now: clock.now() / 1000, told: false }));
  } catch (error) {
    // A disk that is full keeps no agent from starting.
    log.error({ error: messageOf(error) }, 'the trial of a policy could not be written down');
    return isOver ? reread('none') : settings;
  }
  return reread();
}

/** A start failed: a version on trial is rolled back, so that the next start does without it. */
export function policyFailedStart(settings: Settings, reason: string, log: Logger): void {
  const { dataDir, policyInForce } = settings;
  if (policyInForce?.held === undefined) return;
  try {
    const state = readPolicyState(dataDir);
    if (state.trial === null) return;
    log.error(
      { version: state.current?.version, reason },
      'the policy is rolled back: the agent did not start',
    );
    writePolicyState(dataDir, rolledBack(state, reason, { now: Date.now(), told: false }));
  } catch (error) {
    log.error({ error: messageOf(error) }, 'the policy could not be rolled back');
  }
}

/**
 * Fetches the policy of the fleet, puts a newer version in force as a whole, and takes it back when the agent cannot go on
 * with it. Whatever goes wrong, the version before stays.
 */
export class PolicyKeeper {
  readonly #options: PolicyKeeperOptions;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #trial: Timer | undefined;
  #checking: Promise<void> = Promise.resolve();
  #source: string | undefined;
  /** Of the last failure that was told: one of the same kind is not told again. */
  #told: string | undefined;

  constructor(options: PolicyKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    const { random = Math.random } = this.#options;
    const { policy } = this.#options.settings();
    this.#source = JSON.stringify(policy);
    if (policy === undefined) return;
    this.#beginTrial([]);
    this.#tellRolledBack();
    this.#schedule(random() * splayMs);
  }

  /** What was rolled back at a start, when there was nobody to tell it. */
  #tellRolledBack(): void {
    const { log, told } = this.#options;
    try {
      const { bad } = this.#known();
      const untold = bad.filter((one) => one.told === false);
      if (untold.length === 0) return;
      for (const one of untold) told('policy-rolled-back', rolledBackText(one));
      this.#note({ bad: bad.map((one) => ({ ...one, told: true })) });
    } catch (error) {
      log.error({ error: messageOf(error) }, 'what is known of the policy could not be written down');
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#trial?.cancel();
    await this.#checking;
  }

  /** Asks the server now, behind what is under way. */
  checkSoon(): void {
    if (this.#options.settings().policy !== undefined) void this.check();
  }

  /** The settings were read again: another server or key is used at once. */
  reconfigured(): void {
    const source = JSON.stringify(this.#options.settings().policy);
    if (source === this.#source || this.#stopping.signal.aborted) return;
    this.#source = source;
    if (source === undefined) this.#timer?.cancel();
    else this.#schedule(0);
  }

  condition(): PolicyCondition {
    const { dataDir, clock, settings } = this.#options;
    const { policy: source, policyInForce } = settings();
    // What of the settings cannot be used is told with them.
    return policyCondition({ dataDir, source, policyInForce, problems: [], now: clock.now() / 1000 });
  }

  status(): object {
    const { wanted, inForce, onTrial, expired, ageMs, failure } = this.condition();
    return {
      wanted,
      version: inForce?.version ?? null,
      on_trial: onTrial,
      expired,
      age_seconds: ageMs === undefined ? null : Math.floor(ageMs / 1000),
      failure: failure?.code ?? null,
    };
  }

  /** Asks the server once. Never rejects. */
  check(): Promise<void> {
    this.#checking = this.#checking.then(() => this.#check());
    return this.#checking;
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#options.clock.after(Math.round(ms), () => void this.check());
  }

  async #check(): Promise<void> {
    const { random = Math.random } = this.#options;
    const { policy } = this.#options.settings();
    if (policy === undefined || this.#stopping.signal.aborted) return;
    let next = policy.intervalMs * (1 - jitter + 2 * jitter * random());
    try {
      await this.#ask(policy);
      this.#told = undefined;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const times = this.#failed(error);
      next = Math.min(next, backoffMs(times, failureBackoff, random));
    }
    this.#schedule(next);
  }

  #now(): string {
    return new Date(this.#options.clock.now() / 1000).toISOString();
  }

  async #ask(policy: PolicySource): Promise<void> {
    const { version, dataDir, log, fetch = fetchLate } = this.#options;
    const inForce = this.#options.settings().policyInForce?.held;
    const known = stateOf(dataDir, log);
    const source = sourceMark(policy.url, policy.keys);
    const isLost = known.current !== null && inForce === undefined;
    const fetched = await fetch({
      url: policy.url,
      network: policy.network,
      // The bundle itself is needed when it is not in force, and to see whether a newly trusted key signed it too.
      etag: isLost || known.source !== source ? null : known.etag,
      version,
      signal: this.#stopping.signal,
    });
    const confirmed = { checked: this.#now(), confirmed: this.#now(), failure: null };
    if (fetched.kind === 'unchanged') {
      this.#note(confirmed);
      return;
    }
    const bundle = openBundle(fetched.bytes, policy.keys);
    const good = { ...confirmed, etag: fetched.etag, source };
    const { current } = known;
    if (bundle.digest !== current?.digest || inForce === undefined) await this.#apply(bundle, good);
    // A further key may have signed it.
    else this.#note({ ...good, current: { ...current, keys: bundle.keys } });
  }

  /** Changes what is known. It is read anew: a trial may have ended while the server was asked. */
  #note(change: Partial<PolicyState>): void {
    const { dataDir, log } = this.#options;
    writePolicyState(dataDir, { ...stateOf(dataDir, log), ...change });
  }

  async #apply(bundle: Bundle, good: Partial<PolicyState>): Promise<void> {
    const { dataDir, clock, tryOut, log, told } = this.#options;
    const { manifest, digest, keys } = bundle;
    const { version, issued, expires } = manifest;
    const state = stateOf(dataDir, log);
    requireNewer(bundle, state);
    requireCurrent(manifest, clock.now() / 1000);
    const folder = placeVersion(dataDir, { version, digest }, bundle);
    let remarks: readonly string[];
    try {
      const checked = await checkPolicy(folder);
      if (checked.problems.length > 0) throw together(checked.problems);
      ({ remarks } = checked);
      await tryOut(folder);
    } catch (error) {
      sweepVersions(dataDir, state);
      throw refused(version, error, folder);
    }
    if (this.#stopping.signal.aborted) return;
    const current: Held = { version, digest, keys, issued, expires, applied: this.#now(), proven: false };
    let next = state;
    try {
      next = withNewer({ ...stateOf(dataDir, log), ...good }, current);
      writePolicyState(dataDir, next);
    } catch (error) {
      // On a full disk above all.
      sweepVersions(dataDir, state);
      throw error;
    }
    const answer = await this.#options.reload();
    const isThere = this.#options.settings().policyInForce?.held?.digest === digest;
    const failure = answer.refused ?? (isThere ? undefined : 'it could not be read back');
    if (failure !== undefined) {
      await this.#rollBack(failure);
      throw new UserError('policy/rolled-back', rolledBackText({ version, reason: failure }));
    }
    sweepVersions(dataDir, next);
    log.info({ version, keys, changed: answer.changed, restart: answer.restart }, 'policy in force');
    const inForce = `version ${version} of the policy is in force, signed by key ${keys.join(' and ')}`;
    told('policy-applied', [inForce, ...remarks].join('; '));
    this.#beginTrial(answer.restart);
  }

  /** What an agent must be started with to be tried out is on trial until the next start is ready. */
  #beginTrial(restart: readonly string[]): void {
    const { clock, dataDir, log } = this.#options;
    this.#trial?.cancel();
    const { current, trial } = this.#known();
    if (restart.length > 0 || current === null || trial === null) return;
    this.#trial = clock.after(trialMs, () => {
      try {
        const state = readPolicyState(dataDir);
        // A newer one that is being put in force has a trial of its own.
        if (state.current?.digest !== current.digest) return;
        if (state.trial !== null) writePolicyState(dataDir, withProven(state));
        log.info({ version: current.version }, 'policy has proven itself');
      } catch (error) {
        log.error({ error: messageOf(error) }, 'the trial of a policy could not be ended');
      }
    });
  }

  async #rollBack(reason: string): Promise<void> {
    const { dataDir, clock, log, reload } = this.#options;
    // The error that follows tells it.
    const how = { now: clock.now() / 1000, told: true };
    const state = rolledBack(stateOf(dataDir, log), reason, how);
    writePolicyState(dataDir, state);
    await reload();
    this.#beginTrial([]);
  }

  /** What can be told of the state, where it is only looked at. */
  #known(): PolicyState {
    const { dataDir, log } = this.#options;
    try {
      return stateOf(dataDir, log);
    } catch {
      return recoveredState(dataDir);
    }
  }

  /** Writes down what went wrong. Returns how often in a row it did. */
  #failed(error: unknown): number {
    const { log, told } = this.#options;
    const { code = 'policy/failed', hint } = error instanceof UserError ? error : {};
    const message = messageOf(error).slice(0, 1_500);
    const times = (this.#known().failure?.times ?? 0) + 1;
    log.error({ code, error: message, times }, 'the policy is not up to date: the one before stays in force');
    const kind = `${code} ${message}`;
    if (this.#told !== kind && code !== 'policy/unreachable')
      told(code === 'policy/rolled-back' ? 'policy-rolled-back' : 'policy-refused', `${message} [${code}]`);
    this.#told = kind;
    try {
      this.#note({ checked: this.#now(), failure: { code, message, times, hint: hint ?? null } });
    } catch (failure) {
      log.error({ error: messageOf(failure) }, 'what is known of the policy could not be written down');
    }
    return times;
  }
}

function rolledBackText({ version, reason }: Pick<Bad, 'version' | 'reason'>): string {
  return `version ${version} of the policy was rolled back: ${reason}`;
}

/** Where in the bundle what is wrong stands: its files lie nowhere any more. */
function refused(version: number, error: unknown, folder: string): UserError {
  const { code = 'policy/refused', hint, at } = error instanceof UserError ? error : {};
  const place = [at?.file, at?.line, at?.column].filter((part) => part !== undefined).join(':');
  const text = `${place === '' ? '' : `${place}: `}${messageOf(error)}`.replaceAll(`${folder}/`, '');
  return new UserError(code, `version ${version} of the policy cannot be used: ${text}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

/** Refuses what was in force before, what was tried and failed, and another bundle of the same version. */
function requireNewer(
  { manifest: { version }, digest }: Bundle,
  { highest, current, bad }: PolicyState,
): void {
  const failed = bad.find((one) => one.version >= version);
  if (failed !== undefined)
    throw new UserError(
      'policy/known-bad',
      `version ${version} of the policy is not tried: version ${failed.version} was rolled back (${failed.reason})`,
      { hint: 'Publish a newer version.' },
    );
  if (version < highest)
    throw new UserError(
      'policy/stale',
      `the server gives version ${version}, and ${highest} was in force already`,
      {
        hint: 'An old bundle is served, or replayed by somebody. To go back, publish the old content as a newer version.',
      },
    );
  if (version === highest && current !== null && current.digest !== digest)
    throw new UserError('policy/same-version', `the server gives another bundle of version ${version}`, {
      hint: 'Each bundle needs a version of its own: build it with a higher one.',
    });
}
