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

/** What is odd about a property list, as the stable word of a finding; findings.ts says what each means. */
export type PlistFinding =
  | 'plist-empty'
  | 'plist-unknown-format'
  | 'plist-unparsable'
  | 'plist-too-complex'
  | 'plist-cycle'
  | 'plist-doctype'
  | 'plist-cut'
  | 'plist-odd-encoding'
  | 'plist-odd-entity'
  | 'plist-odd-text'
  | 'plist-odd-value'
  | 'plist-odd-version'
  | 'plist-old-format'
  | 'plist-duplicate-key'
  | 'plist-leading-bytes'
  | 'plist-trailing-bytes'
  | 'plist-unknown-element';

/** What is odd about a property list, each word once with the sentence of its first occurrence. */
export class Oddities {
  readonly #details = new Map<PlistFinding, string>();

  note(finding: PlistFinding, detail: string): void {
    if (!this.#details.has(finding)) this.#details.set(finding, detail);
  }

  has(finding: PlistFinding): boolean {
    return this.#details.has(finding);
  }

  get findings(): readonly PlistFinding[] {
    return [...this.#details.keys()];
  }

  /** Why nothing could be read. */
  get reason(): { readonly finding: PlistFinding; readonly detail: string } {
    const [finding, detail] = [...this.#details].find(([word]) => refusals.has(word)) ?? [
      'plist-unparsable' as const,
      'no value',
    ];
    return { finding, detail };
  }
}

/** The words that a reader that found no value may give as the reason. */
const refusals: ReadonlySet<PlistFinding> = new Set([
  'plist-unparsable',
  'plist-too-complex',
  'plist-cycle',
  'plist-unknown-format',
]);

/**
 * Values of the outermost dictionary that a later one under the same key has replaced, the first ones of each key. What a
 * later one has replaced in its `EnvironmentVariables` stands there as a dictionary of its own.
 */
export type Repeated = ReadonlyMap<string, readonly PlistValue[]>;

/** What a reader made of the bytes: a value as far as it could be read. */
export interface PlistReading {
  readonly value: PlistValue | undefined;
  readonly repeated: Repeated;
}

/** Bounds of one property list; what launchd accepts in practice is far below. A bound that is reached keeps what was read. */
export const plistLimits = {
  /** Bytes that are read from the front. */
  maxBytes: 1024 * 1024,
  /** Values, counted as often as they are referred to. */
  maxNodes: 50_000,
  /** Values beyond these that are read all the same: those of launchd's own keys in the outermost dictionary. */
  reservedNodes: 4_096,
  /** Nested containers. */
  maxDepth: 64,
  /** Replaced values that are kept of one key, and keys of which they are kept. */
  maxRepeated: 8,
} as const;

/** Keys of launchd.plist(5) that say what runs and when; they are kept when the budget of values is used up. */
export const launchdKeys: ReadonlySet<string> = new Set([
  ...[
    'Label',
    'Program',
    'ProgramArguments',
    'BundleProgram',
    'RunAtLoad',
    'KeepAlive',
    'OnDemand',
    'Disabled',
  ],
  ...['UserName', 'GroupName', 'WorkingDirectory', 'RootDirectory', 'EnvironmentVariables', 'EnableGlobbing'],
  ...['StartInterval', 'StartCalendarInterval', 'StartOnMount', 'WatchPaths', 'QueueDirectories', 'Sockets'],
  ...['MachServices', 'LaunchEvents', 'LimitLoadToSessionType', 'inetdCompatibility'],
  // Keys of Apple's own lists that hold others under a condition.
  ...['#Then', '#Else'],
]);

/** Sets a key of a dictionary; what it replaces is kept when the dictionary is the outermost one. */
export function setKey(
  map: Map<string, PlistValue>,
  [key, value]: readonly [string, PlistValue],
  { oddities, repeated }: { readonly oddities: Oddities; readonly repeated?: Map<string, PlistValue[]> },
): void {
  const earlier = map.get(key);
  if (earlier !== undefined) {
    oddities.note('plist-duplicate-key', `a dictionary holds a key twice`);
    if (repeated !== undefined) remember(repeated, key, earlier);
  }
  map.set(key, value);
}

function remember(repeated: Map<string, PlistValue[]>, key: string, value: PlistValue): void {
  const values = repeated.get(key);
  if (values === undefined) {
    if (repeated.size < plistLimits.maxRepeated || launchdKeys.has(key)) repeated.set(key, [value]);
  } else if (values.length < plistLimits.maxRepeated) values.push(value);
}

/** The name of the dictionary in the outermost one of which replaced values are kept too. */
export const environmentKey = 'EnvironmentVariables';

/** Sets a key of `EnvironmentVariables`; what it replaces is kept. */
export function setVariable(
  map: Map<string, PlistValue>,
  [key, value]: readonly [string, PlistValue],
  { oddities, repeated }: { readonly oddities: Oddities; readonly repeated: Map<string, PlistValue[]> },
): void {
  const earlier = map.get(key);
  if (earlier !== undefined) remember(repeated, environmentKey, new Map([[key, earlier]]));
  setKey(map, [key, value], { oddities });
}

export function exactInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}
