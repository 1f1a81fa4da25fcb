import { type PlistValue, plistToJson, readPlist } from '../../base/plist/index.js';

/** One key of a property list that differs; values as JSON, undefined where the key is not there. */
export interface PlistChange {
  /** `ProgramArguments`, `EnvironmentVariables.PATH`. */
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const maxDepth = 3;
const maxChanges = 200;

/** What differs between two property lists, by key and in the order of the newer one. Undefined when one cannot be read. */
export function plistChanges(before: Uint8Array, after: Uint8Array): PlistChange[] | undefined {
  const [old, now] = [readPlist(before), readPlist(after)];
  if (!old.ok || !now.ok) return undefined;
  const changes: PlistChange[] = [];
  compare(old.value, now.value, { path: '', depth: 0, changes });
  return changes;
}

function compare(
  before: PlistValue | undefined,
  after: PlistValue | undefined,
  {
    path,
    depth,
    changes,
  }: { readonly path: string; readonly depth: number; readonly changes: PlistChange[] },
): void {
  if (changes.length >= maxChanges) return;
  if (before instanceof Map && after instanceof Map && depth < maxDepth) {
    for (const key of new Set([...after.keys(), ...before.keys()]))
      compare(before.get(key), after.get(key), {
        path: path === '' ? key : `${path}.${key}`,
        depth: depth + 1,
        changes,
      });
    return;
  }
  const [old, now] = [asJson(before), asJson(after)];
  if (old !== now) changes.push({ key: path === '' ? 'the whole list' : path, before: old, after: now });
}

function asJson(value: PlistValue | undefined): string | undefined {
  return value === undefined ? undefined : plistToJson(value);
}
