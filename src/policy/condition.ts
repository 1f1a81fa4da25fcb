import path from 'node:path';
import { messageOf, type UserError } from '../base/errors.js';
import { type Bad, type Held, type PolicyState, policyFolder, readPolicyState } from './applied.js';

/** A policy that was not confirmed for so many intervals, and for at least a day, is told as old. */
const oldIntervals = 24;
const dayMs = 86_400_000;

/** What is in force on this Mac, how old that is, and what is wrong with it. */
export interface PolicyCondition {
  /** Whether a policy is to be fetched at all. */
  readonly wanted: boolean;
  readonly inForce: Held | undefined;
  /** It is tried out: no agent has been ready with it for long enough yet. */
  readonly onTrial: boolean;
  readonly expired: boolean;
  /** Milliseconds since the server last confirmed what is in force; undefined when it never did. */
  readonly ageMs: number | undefined;
  /** Milliseconds since the server was last asked. */
  readonly checkedMs: number | undefined;
  readonly bad: readonly Bad[];
  readonly failure: PolicyState['failure'];
  /** Why the policy is not as it should be, one sentence each; empty when all is well. */
  readonly reasons: readonly string[];
}

export interface ConditionOptions {
  readonly dataDir: string;
  /** `[policy]` as it is in force; undefined when no policy is fetched. */
  readonly source: { readonly url: string; readonly intervalMs: number } | undefined;
  /** Of the settings: undefined when the policy that is held cannot be used. */
  readonly policyInForce: object | undefined;
  /** Of the settings; what the policy is to blame for is among the reasons. */
  readonly problems: readonly UserError[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

function aboutPolicy({ code, at }: UserError, dataDir: string): boolean {
  return code.startsWith('policy/') || at?.file?.startsWith(policyFolder(dataDir) + path.sep) === true;
}

const since = (time: string | null, now: number) =>
  time === null || Number.isNaN(Date.parse(time)) ? undefined : Math.max(0, now - Date.parse(time));

/** `3 d`, `5 h`, `2 min`. */
export function ageText(ms: number): string {
  if (ms >= 2 * dayMs) return `${Math.floor(ms / dayMs)} d`;
  if (ms >= 2 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 60_000)} min`;
}

/** Reads what a data folder knows of the policy. Never throws: a state that cannot be read is a reason. */
export function policyCondition(options: ConditionOptions): PolicyCondition {
  const { dataDir, source, now } = options;
  const none = { inForce: undefined, onTrial: false, expired: false, ageMs: undefined, checkedMs: undefined };
  const unusable = options.problems.filter((one) => aboutPolicy(one, dataDir)).map(({ message }) => message);
  if (source === undefined) return { ...none, wanted: false, bad: [], failure: null, reasons: unusable };
  let state: PolicyState;
  try {
    state = readPolicyState(dataDir);
  } catch (error) {
    const reasons = [...new Set([...unusable, messageOf(error)])];
    return { ...none, wanted: true, bad: [], failure: null, reasons };
  }
  const { trial, bad, failure, confirmed, checked } = state;
  // What is held and cannot be used is not in force.
  const current = options.policyInForce === undefined ? null : state.current;
  const expired = current !== null && Date.parse(current.expires) <= now;
  const ageMs = since(confirmed, now);
  const reasons = unusable;
  if (expired)
    reasons.push(`the policy in force, version ${current.version}, expired on ${current.expires}; it stays`);
  const newest = bad.at(-1);
  if (newest !== undefined && newest.version > (state.current?.version ?? 0))
    reasons.push(`version ${newest.version} of the policy was rolled back: ${newest.reason}`);
  const isOld = (ageMs ?? Number.POSITIVE_INFINITY) > Math.max(dayMs, oldIntervals * source.intervalMs);
  // A server that cannot be reached is a matter of the network until it lasts.
  if (failure !== null && (failure.code !== 'policy/unreachable' || isOld)) {
    const age = ageMs === undefined ? 'it never was' : `last confirmed ${ageText(ageMs)} ago`;
    reasons.push(`the policy is not up to date (${age}): ${failure.message} [${failure.code}]`);
  }
  return {
    wanted: true,
    inForce: current ?? undefined,
    onTrial: current !== null && trial !== null,
    expired,
    ageMs,
    checkedMs: since(checked, now),
    bad,
    failure,
    reasons,
  };
}
