import { distinctValues, type Field, fieldReader, type Reader, type Value } from '../rules/index.js';

/** The values of one join key in order; null for an optional key that the event lacks. */
export type JoinKey = readonly (Value | null)[];

export interface KeyReader {
  readonly read: Reader;
  readonly optional: boolean;
}

export function keyReaders(fields: readonly Field[]): readonly KeyReader[] {
  return fields.map(({ path, optional }) => ({ read: readerOf(path), optional }));
}

/** Fields with the id of a process, and where the ids of the images stand that it ran before. */
const earlierImages: ReadonlyMap<string, readonly string[]> = new Map([
  ['process.entity_id', ['process', 'previous', 'entity_id']],
  ['process.parent.entity_id', ['process', 'parent', 'previous', 'entity_id']],
]);

/**
 * Our `process.entity_id` is that of one image; that of Elastic Defend stays when a process executes another one, and its
 * rules join a fork with the exec that follows, and with the children that come after that. So an exec, and a child, are
 * joined by the ids of the images before it, too.
 */
function readerOf(path: readonly string[]): Reader {
  const read = fieldReader(path);
  const earlierPath = earlierImages.get(path.join('.'));
  if (earlierPath === undefined) return read;
  const before = fieldReader(earlierPath);
  return (doc) => {
    const own = read(doc);
    const earlier = own === undefined ? undefined : before(doc);
    return earlier === undefined ? own : [own, earlier].flat();
  };
}

/**
 * The join keys under which an event takes part: one, or with several values in a field one for each combination. None
 * when a key that is not optional is missing. Stops at `limit`.
 */
export function joinKeysOf(readers: readonly KeyReader[], doc: unknown, limit: number): readonly JoinKey[] {
  if (readers.length === 0) return noKeys;
  if (readers.length === 1) {
    const value = (readers[0] as KeyReader).read(doc);
    if (typeof value === 'string') return [[value]];
  }
  let keys: (Value | null)[][] = [[]];
  for (const { read, optional } of readers) {
    const values: (Value | null)[] = distinctValues(read(doc), limit);
    if (values.length === 0) {
      if (!optional) return [];
      values.push(null);
    }
    if (values.length === 1) for (const key of keys) key.push(values[0] as Value | null);
    else keys = keys.flatMap((key) => values.map((value) => [...key, value])).slice(0, limit);
  }
  return keys;
}

const noKeys: readonly JoinKey[] = [[]];

/** What stands for a key in a Map: a single value is itself, so that 1 and "1" differ; several are one JSON text. */
export function keyIdentity(key: JoinKey): unknown {
  return key.length === 1 ? key[0] : JSON.stringify(key);
}
