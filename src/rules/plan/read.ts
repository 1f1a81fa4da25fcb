/**
 * Gives what stands in a document under a dotted name: a value, an array, an object, or undefined. The document itself has
 * no dotted keys (`nested` in `event/` sees to that where documents are read).
 */
export type Reader = (doc: unknown) => unknown;

const maxDepth = 32;

/** A field's name as parts: a backticked part may hold dots. */
export function pathParts(path: readonly string[]): readonly string[] {
  return path.join('.').split('.');
}

// An array has these by itself, every object has those.
const ownKey = /^(?:length|\d+)$/;

/** False when reading the part as a plain property could give something that is not in the document. */
export function isPlainPart(part: string): boolean {
  return !ownKey.test(part) && !(part in Object.prototype);
}

/** Reads a field the plain way, and where that gives nothing also through arrays of objects. */
export function fieldReader(path: readonly string[]): Reader {
  const parts = pathParts(path);
  return (doc) => {
    let node = doc;
    for (const part of parts) {
      if (typeof node !== 'object' || node === null || Array.isArray(node) || !Object.hasOwn(node, part))
        return collect(doc, parts, 0);
      node = (node as Record<string, unknown>)[part];
    }
    return node ?? collect(doc, parts, 0);
  };
}

/** The reader that generated code falls back on once the plain way gave nothing. */
export function sparseReader(parts: readonly string[]): Reader {
  const [first = ''] = parts;
  const plain = parts.every(isPlainPart);
  return (doc) => {
    if (!plain) return collect(doc, parts, 0);
    if (typeof doc !== 'object' || doc === null) return undefined;
    const below = (doc as Record<string, unknown>)[first];
    if (typeof below !== 'object' || below === null) return undefined;
    if (parts.length < 3 && !Array.isArray(below)) return undefined;
    return collect(below, parts, 1);
  };
}

function collect(node: unknown, parts: readonly string[], from: number): unknown {
  const found: unknown[] = [];
  gather(node, { parts, from, depth: 0 }, found);
  return found.length < 2 ? found[0] : found;
}

interface Place {
  readonly parts: readonly string[];
  readonly from: number;
  readonly depth: number;
}

function gather(node: unknown, { parts, from, depth }: Place, found: unknown[]): void {
  if (node === undefined || node === null || depth > maxDepth) return;
  if (Array.isArray(node)) {
    for (const item of node) gather(item, { parts, from, depth: depth + 1 }, found);
  } else if (from === parts.length) {
    found.push(node);
  } else if (typeof node === 'object') {
    const part = parts[from] as string;
    if (!Object.hasOwn(node, part)) return;
    gather((node as Record<string, unknown>)[part], { parts, from: from + 1, depth: depth + 1 }, found);
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
