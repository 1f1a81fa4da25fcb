import { formatMicros } from '../base/time.js';
import { type DestinationState, type Lane, type LaneDepth, lanes } from '../store/outbox.js';
import type { DrainState, StreamReport } from './drain.js';
import { sentence } from './reasons.js';
import type { Standing } from './stream.js';

/** A time as RFC 3339 text, or null; from milliseconds since 1970. */
function time(milliseconds: number | undefined): string | null {
  return milliseconds === undefined || milliseconds > 8.64e15 ? null : formatMicros(milliseconds * 1000);
}

/** One stream of a lane that is not the lane itself (an index, a topic) or is in trouble. */
interface StreamStatus {
  readonly name: string;
  readonly state: Standing;
  readonly reason: string | null;
}

export interface LaneStatus extends LaneDepth {
  /** When the document of the oldest row was made. */
  readonly oldest_at: string | null;
  /** `open`, or the first trouble of its streams; absent when no agent runs. */
  readonly state?: Standing;
  /** One sentence: what is wrong now and what to do; null when nothing is. */
  readonly reason?: string | null;
  readonly retry_in_ms?: number;
  readonly fails?: number;
  readonly last_ok?: string | null;
  /** What the receiver, or the way to it, said last when something went wrong, also when that has passed. */
  readonly last_error?: string | null;
  readonly last_error_at?: string | null;
  readonly last_warning?: string | null;
  readonly last_warning_at?: string | null;
  readonly streams?: readonly StreamStatus[];
}

/**
 * A destination as `forward status --json` gives it: names in snake_case, times as RFC 3339 text. The names in camelCase
 * and the times in milliseconds are those of earlier versions.
 */
export interface DestinationStatus extends DestinationState {
  readonly type?: string;
  readonly network?: boolean;
  /** Absent when no agent runs. `holding_simulated`: what a `--root` tree shows does not leave for it. */
  readonly state?: DrainState | 'holding_simulated';
  /** Our clock minus the receiver's, as its last answer said, to the second. */
  readonly clock_skew_ms?: number;
  /** One sentence: what is wrong and what to do. */
  readonly reason: string | null;
  readonly retryInMs?: number;
  readonly retry_in_ms?: number;
  readonly paused: 'no' | 'by hand' | 'by the receiver';
  readonly paused_until: string | null;
  readonly pause_reason: string | null;
  readonly last_ok: string | null;
  readonly last_error: string | null;
  readonly last_error_at: string | null;
  /** Set while it is not in the configuration. */
  readonly removed_at: string | null;
  readonly lanes: Readonly<Record<Lane, LaneStatus>>;
}

/** What is known of a destination while the agent runs. */
export interface LiveState {
  readonly type: string;
  readonly network: boolean;
  readonly state: DrainState;
  readonly retryInMs: number;
  readonly parked: string | undefined;
  readonly holdsSimulated: boolean;
  readonly clockSkewMs?: number | undefined;
  readonly reports: readonly StreamReport[];
}

/** A pause that only a person ends is stored as this time. */
const forEver = Number.MAX_SAFE_INTEGER;

function pausedBy({ pausedUntil }: DestinationState): DestinationStatus['paused'] {
  if (pausedUntil === undefined) return 'no';
  return pausedUntil === forEver ? 'by hand' : 'by the receiver';
}

function reasonOf(report: StreamReport | undefined, name: string): string | null {
  return report?.trouble === undefined || report.standing === 'open'
    ? null
    : sentence(report.trouble.kind, report.trouble.reason, name);
}

function laneStatus(
  depth: LaneDepth,
  reports: readonly StreamReport[] | undefined,
  name: string,
): LaneStatus {
  const stored = { ...depth, oldest_at: time(depth.oldest) };
  if (reports === undefined) return stored;
  const troubled = reports.find(({ standing }) => standing !== 'open');
  const newest = <T extends { readonly at: number }>(pick: (report: StreamReport) => T | undefined) =>
    reports
      .map(pick)
      .reduce<T | undefined>((best, one) => (one && !(best && best.at > one.at) ? one : best), undefined);
  const trouble = newest(({ trouble }) => trouble);
  const warning = newest(({ warning }) => warning);
  const oks = reports.flatMap(({ lastOk }) => lastOk ?? []);
  return {
    ...stored,
    state: troubled?.standing ?? 'open',
    reason: reasonOf(troubled, name),
    retry_in_ms: Math.round(troubled?.retryInMs ?? 0),
    fails: Math.max(0, ...reports.map(({ fails }) => fails)),
    last_ok: time(oks.length === 0 ? undefined : Math.max(...oks)),
    last_error: trouble?.reason ?? null,
    last_error_at: time(trouble?.at),
    last_warning: warning?.text ?? null,
    last_warning_at: time(warning?.at),
    streams: reports
      .filter(({ stream, lane, standing }) => stream !== lane || standing !== 'open')
      .map((report) => ({
        name: report.stream,
        state: report.standing,
        reason: reasonOf(report, name),
      })),
  };
}

/** The status of a destination from what is stored and, while an agent runs, what it knows. */
export function shownStatus(
  from: {
    readonly stored: DestinationState;
    readonly depths: Readonly<Record<Lane, LaneDepth>>;
  } & Partial<LiveState>,
): DestinationStatus {
  const { stored, depths, reports, parked } = from;
  const { name, pausedUntil, pauseReason, lastOk, lastError, lastErrorAt, parkedSince } = stored;
  const ofLane = (lane: Lane) =>
    laneStatus(
      depths[lane],
      reports?.filter((report) => report.lane === lane),
      name,
    );
  const all = Object.fromEntries(lanes.map((lane) => [lane, ofLane(lane)])) as Record<Lane, LaneStatus>;
  const [troubled] = lanes.flatMap((lane) => {
    const { reason } = all[lane];
    if (typeof reason !== 'string') return [];
    return lane === 'alert'
      ? reason
      : `${lane === 'event' ? 'raw events' : 'status documents'} alone: ${reason}`;
  });
  const live =
    from.state === undefined
      ? {}
      : {
          type: from.type ?? '',
          network: from.network === true,
          state:
            from.holdsSimulated === true && from.state === 'idle'
              ? ('holding_simulated' as const)
              : from.state,
          retryInMs: from.retryInMs ?? 0,
          retry_in_ms: Math.round(from.retryInMs ?? 0),
          ...(from.clockSkewMs === undefined ? {} : { clock_skew_ms: from.clockSkewMs }),
        };
  const reason =
    parked !== undefined && from.state !== 'paused'
      ? sentence('parked', parked, name)
      : pausedUntil === forEver
        ? `paused by hand: ${pauseReason ?? ''}; "launchwarden forward resume" ends it`
        : (troubled ?? pauseReason ?? null);
  return {
    ...stored,
    ...live,
    reason,
    paused: pausedBy(stored),
    paused_until: time(pausedUntil),
    pause_reason: pauseReason ?? null,
    last_ok: time(lastOk),
    last_error: lastError ?? null,
    last_error_at: time(lastErrorAt),
    removed_at: time(parkedSince),
    lanes: all,
  };
}
