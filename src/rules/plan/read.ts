/** Gives what stands in a document under a dotted name: a value, an array, an object, or undefined. */
export type Reader = (doc: unknown) => unknown;

const maxDepth = 32;

/** A field's name as parts: a backticked part may hold dots, and so may a key of a document. */
export function pathParts(path: readonly string[]): readonly string[] {
  return path.join('.').split('.');
}

// An array has these by itself, every object has those.
const ownKey = /^(?:length|\d+)$/;

/** False when reading the part as a plain property could give something that is not in the document. */
export function isPlainPart(part: string): boolean {
  return !ownKey.test(part) && !(part in Object.prototype);
}

/** True when a key of the document's top level holds a dot: `{"process.name": ...}`. */
export function hasDottedKey(doc: unknown): boolean {
  for (const key in doc as object) if (key.includes('.')) return true;
  return false;
}

/**
 * Reads a field the plain way, and where that gives nothing, or a dotted key may give more, also from dotted keys and
 * through arrays of objects.
 */
export function fieldReader(path: readonly string[]): Reader {
  const parts = pathParts(path);
  const keys = keysOf(parts);
  return (doc) => {
    let node = doc;
    for (const [index, part] of parts.entries()) {
      if (typeof node !== 'object' || node === null || Array.isArray(node) || !Object.hasOwn(node, part))
        return collect(doc, keys, 0);
      for (const key of (keys[index] as readonly string[]).slice(1))
        if (Object.hasOwn(node, key)) return collect(doc, keys, 0);
      node = (node as Record<string, unknown>)[part];
    }
    return node ?? collect(doc, keys, 0);
  };
}

/**
 * The reader that generated code falls back on once the plain way gave nothing. `dotted` says whether the top level has
 * a dotted key; without one only what is below the first part is searched.
 */
export function sparseReader(parts: readonly string[]): (doc: unknown, dotted: boolean) => unknown {
  const [first = ''] = parts;
  const plain = parts.every(isPlainPart);
  const keys = keysOf(parts);
  return (doc, dotted) => {
    if (dotted || !plain) return collect(doc, keys, 0);
    if (typeof doc !== 'object' || doc === null) return undefined;
    const below = (doc as Record<string, unknown>)[first];
    if (typeof below !== 'object' || below === null) return undefined;
    if (parts.length < 3 && !Array.isArray(below)) return undefined;
    return collect(below, keys, 1);
  };
}

/** For each part the keys that can begin with it: the part alone, with the next one, and so on. */
export type Keys = readonly (readonly string[])[];

export function keysOf(parts: readonly string[]): Keys {
  return parts.map((_, from) =>
    parts.slice(from).map((_, count) => parts.slice(from, from + count + 1).join('.')),
  );
}

function collect(node: unknown, keys: Keys, from: number): unknown {
  const found: unknown[] = [];
  gather(node, { keys, from, depth: 0 }, found);
  return found.length < 2 ? found[0] : found;
}

interface Place {
  readonly keys: Keys;
  readonly from: number;
  readonly depth: number;
}

function gather(node: unknown, { keys, from, depth }: Place, found: unknown[]): void {
  if (node === undefined || node === null || depth > maxDepth) return;
  if (Array.isArray(node)) {
    for (const item of node) gather(item, { keys, from, depth: depth + 1 }, found);
  } else if (from === keys.length) {
    found.push(node);
  } else if (typeof node === 'object') {
    const own = keys[from] as readonly string[];
    for (let count = 0; count < own.length; count++) {
      const key = own[count] as string;
      if (!Object.hasOwn(node, key)) continue;
      const place = { keys, from: from + count + 1, depth: depth + 1 };
      gather((node as Record<string, unknown>)[key], place, found);
    }
  }
}

/** Every value of a document with its dotted name: at most `maxLeaves`, objects and arrays opened. */
export function eachLeaf(doc: unknown, visit: (name: string, value: unknown) => boolean): boolean {
  let left = maxLeaves;
  const walk = (node: unknown, name: string, depth: number): boolean => {
    if (node === null || node === undefined || depth > maxDepth || left-- <= 0) return false;
    if (typeof node !== 'object') return visit(name, node);
    if (Array.isArray(node)) return node.some((item) => walk(item, name, depth + 1));
    for (const key of Object.keys(node)) {
      const below = (node as Record<string, unknown>)[key];
      if (walk(below, name === '' ? key : `${name}.${key}`, depth + 1)) return true;
    }
    return false;
  };
  return walk(doc, '', 0);
}

const maxLeaves = 20_000;
