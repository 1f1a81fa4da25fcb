import type { PlistValue } from '../base/plist/index.js';

/**
 * The keys of a list as launchd may read them: in another case when the exact one is missing (launchd compared them so
 * up to 10.9), and those that Apple's own lists put under a condition (`#Then`).
 */
export class LaunchKeys {
  readonly #maps: ReadonlyMap<string, PlistValue>[];
  readonly #findings = new Set<string>();
  readonly #folded = new Map<string, PlistValue>();

  constructor(value: ReadonlyMap<string, PlistValue>) {
    this.#maps = [value, ...conditional(value, 0)];
    for (const [key, one] of value) if (key.length < 64) this.#folded.set(key.toLowerCase(), one);
  }

  get(key: string): PlistValue | undefined {
    const exact = this.#maps.find((map) => map.has(key))?.get(key);
    if (exact !== undefined) return this.#typed(key, exact);
    const other = this.#folded.get(key.toLowerCase());
    if (other !== undefined) this.#findings.add('key-in-other-case');
    return other;
  }

  /** The values that the one of `get` hides: which branch of a condition counts, only the Mac knows. */
  others(key: string): readonly PlistValue[] {
    return this.#maps
      .flatMap((map) => {
        const value = map.get(key);
        return value === undefined ? [] : [value];
      })
      .slice(1);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get findings(): readonly string[] {
    return [...this.#findings];
  }

  #typed(key: string, value: PlistValue): PlistValue {
    if (texts.has(key) && typeof value !== 'string') this.#findings.add('wrong-type');
    if (key === 'ProgramArguments' && !Array.isArray(value)) this.#findings.add('wrong-type');
    return value;
  }
}

/** Conditions inside of conditions that are read. */
const maxConditions = 4;

function conditional(
  value: ReadonlyMap<string, PlistValue>,
  depth: number,
): ReadonlyMap<string, PlistValue>[] {
  if (depth >= maxConditions) return [];
  return ['#Then', '#Else'].flatMap((key) => {
    const branch = value.get(key);
    return branch instanceof Map ? [branch, ...conditional(branch, depth + 1)] : [];
  });
}

const texts: ReadonlySet<string> = new Set([
  'Label',
  'Program',
  'BundleProgram',
  'WorkingDirectory',
  'UserName',
]);

/** launchd takes an integer for a boolean. */
export function booleanOf(value: PlistValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? Boolean(value) : undefined;
}
