type Tree = Record<string, unknown>;

/** Documents nest no deeper than a person would: what is below is read by nobody. */
const maxDepth = 32;
/** A name of more parts is no field's; written as objects it would take many times the room of its text. */
const maxParts = 16;

/**
 * Whether a JSON text may have a dotted key, `{"event.id": ...}`: a dot, and behind it the end of a string that a colon may
 * follow. Quicker than a look at every key of what it holds; rarely true without reason.
 */
export function mayHaveDottedKey(text: string): boolean {
  for (let dot = text.indexOf('.'); dot !== -1; ) {
    const quote = text.indexOf('"', dot);
    if (quote === -1) break;
    const next = text.charCodeAt(quote + 1);
    // A quote behind a backslash ends nothing, and white space may stand before the colon.
    if (next === colon || next <= space || text.charCodeAt(quote - 1) === backslash) return true;
    dot = text.indexOf('.', quote);
  }
  // A dot can be written as an escape.
  return text.includes('\\u002');
}

const [space, colon, backslash] = [0x20, 0x3a, 0x5c];

/**
 * A document with objects where it has dotted keys: `{"a.b": 1}` and `{"a": {"b": 1}}` name the same field, and one that is
 * written in both ways holds the values of both. Documents from elsewhere pass here once, when they are read, so that
 * nobody behind needs to know of dotted keys.
 */
export function nested<Document extends object>(doc: Document): Document {
  return copied(doc, 0) as Document;
}

function copied(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => copied(item, depth + 1));
  const tree: Tree = {};
  for (const key of Object.keys(value)) add(tree, key, copied((value as Tree)[key], depth + 1));
  return tree;
}

/** `tree` and everything in it is a copy of ours, and so is `value`: both may change. */
function add(tree: Tree, key: string, value: unknown): void {
  let below = tree;
  const parts = key.split('.', maxParts + 1);
  const last = parts.length > maxParts ? key : (parts.pop() as string);
  for (const part of last === key ? [] : parts) {
    const known = ownOf(below, part);
    const next = isTree(known) ? known : {};
    if (next !== known) put(below, part, both(known, next));
    below = next;
  }
  put(below, last, both(ownOf(below, last), value));
}

/** Both values of one field: objects as one, anything else beside each other. */
function both(known: unknown, value: unknown): unknown {
  if (known === undefined || known === null) return value;
  if (value === undefined || value === null) return known;
  if (isTree(known) && isTree(value)) {
    for (const key of Object.keys(value)) put(known, key, both(ownOf(known, key), value[key]));
    return known;
  }
  const values: unknown[] = Array.isArray(known) ? known : [known];
  if (!Array.isArray(value)) values.push(value);
  else for (const one of value) values.push(one);
  return values;
}

function ownOf(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

/** An assignment would take the key `__proto__` for the prototype. */
function put(tree: Tree, key: string, value: unknown): void {
  if (key !== '__proto__') tree[key] = value;
  else Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true });
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
