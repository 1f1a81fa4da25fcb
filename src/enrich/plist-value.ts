/** A reference into an archive (`NSKeyedArchiver`); launchd has no use for one. */
export interface PlistUid {
  readonly uid: bigint;
}

/**
 * What a property list holds. Integers are numbers up to 2^53 and bigints beyond. A dictionary is a Map in the order
 * of the file, so that no key (`__proto__`) means anything. Of a repeated key the last value counts. A value may occur
 * in several places: walk it with a budget.
 */
export type PlistValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | PlistUid
  | PlistValue[]
  | Map<string, PlistValue>;

/** Why a property list is refused, as the stable word of a finding. */
export type PlistFinding =
  | 'plist-empty'
  | 'plist-unknown-format'
  | 'plist-unparsable'
  | 'plist-too-complex'
  | 'plist-cycle'
  | 'plist-doctype';

/** Thrown and caught inside the reader only. */
export class PlistError extends Error {
  readonly finding: PlistFinding;

  constructor(finding: PlistFinding, detail: string) {
    super(detail);
    this.finding = finding;
  }
}

/** Bounds of one property list; what launchd accepts in practice is far below. */
export const plistLimits = {
  /** Bytes of the file. */
  maxBytes: 1024 * 1024,
  /** Values, counted as often as they are referred to. */
  maxNodes: 50_000,
  /** Nested containers. */
  maxDepth: 64,
} as const;

export function exactInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}
