export interface Backoff {
  /** Milliseconds of the first wait and the longest one. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** After a failure that may pass: 1 s doubling to 5 min. After a refusal of our credentials or settings: 5 min to 1 h. */
export const failureBackoff: Backoff = { baseMs: 1_000, capMs: 300_000 };
export const refusalBackoff: Backoff = { baseMs: 300_000, capMs: 3_600_000 };

/** The longest that a receiver's Retry-After is obeyed, milliseconds. */
export const maxRetryAfterMs = 3_600_000;

/**
 * How long to wait after the `fails`-th failure in a row, milliseconds. Half of it is chance, so that a fleet which
 * failed together does not come back together. `random` gives 0 (inclusive) to 1 (exclusive).
 */
export function backoffMs(fails: number, backoff: Backoff, random: () => number): number {
  const full = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(30, Math.max(0, fails - 1)));
  return Math.round(full * (0.5 + random() / 2));
}

/**
 * Reads `Retry-After`, seconds or an HTTP date (RFC 9110 section 10.2.3), as milliseconds from `now` (milliseconds
 * since 1970), clamped to an hour. Undefined when it is neither or lies in the past.
 */
export function retryAfterMs(header: unknown, now: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (typeof text !== 'string' || text.length > 100) return undefined;
  const wait = /^\d{1,10}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) || wait <= 0 ? undefined : Math.min(wait, maxRetryAfterMs);
}
