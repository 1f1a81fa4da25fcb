import type { EcsDocument } from '../event/document.js';

type Tree = Record<string, unknown>;

/** What goes first when a document must become smaller: bulky parts that can be looked up on the Mac by the alert's id. */
const cuts: readonly ((doc: Tree) => void)[] = [
  (doc) => drop(doc, 'launchwarden.rule.note', 'launchwarden.rule.setup'),
  (doc) => drop(doc, 'launchwarden.plist.json'),
  (doc) => shorten(doc, 'launchwarden.alert.candidates', 100),
  (doc) => shorten(doc, 'launchwarden.alert.candidates', 5),
  (doc) => trimLong(doc, 1024),
  (doc) => drop(doc, 'Events'),
  (doc) => trimLong(doc, 512),
  (doc) => drop(doc, 'launchwarden.alert.candidates', 'launchwarden.rule', 'process.env_vars', 'process.Ext'),
  (doc) => trimLong(doc, 128),
  (doc) =>
    drop(
      doc,
      'launchwarden.plist',
      'launchwarden.findings',
      'Persistence',
      'group',
      'tags',
      'process.parent',
    ),
  (doc) =>
    keepOnly(doc, [
      '@timestamp',
      'message',
      'ecs',
      'agent',
      'data_stream',
      'event',
      'rule',
      'labels',
      'launchwarden',
    ]),
  (doc) => trimLong(doc, 64),
];

function parentOf(doc: Tree, dotted: string): { holder: Tree; key: string } | undefined {
  const keys = dotted.split('.');
  const key = keys.pop() as string;
  let holder: unknown = doc;
  for (const step of keys) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = (holder as Tree)[step];
  }
  return typeof holder === 'object' && holder !== null ? { holder: holder as Tree, key } : undefined;
}

function drop(doc: Tree, ...dotted: string[]): void {
  for (const name of dotted) {
    const place = parentOf(doc, name);
    if (place !== undefined) delete place.holder[place.key];
  }
}

function shorten(doc: Tree, dotted: string, items: number): void {
  const place = parentOf(doc, dotted);
  const list = place?.holder[place.key];
  if (place !== undefined && Array.isArray(list)) place.holder[place.key] = list.slice(0, items);
}

function keepOnly(doc: Tree, names: readonly string[]): void {
  for (const name of Object.keys(doc)) if (!names.includes(name)) delete doc[name];
}

/** Cuts every text to `limit` characters and every list to 32 items, at any depth up to 32. */
function trimLong(doc: Tree, limit: number): void {
  const trim = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return value.length > limit ? `${value.slice(0, limit - 1)}…` : value;
    if (typeof value !== 'object' || value === null || depth > 32) return value;
    if (Array.isArray(value)) return value.slice(0, 32).map((one) => trim(one, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, trim(one, depth + 1)]));
  };
  for (const [key, value] of Object.entries(doc)) if (key !== '@timestamp') doc[key] = trim(value, 1);
}

/**
 * The document in at most `maxBytes`, measured by `measure`. What is cut is said in `launchwarden.truncated`: the whole
 * document stays on the Mac. When even the least does not fit, the least is returned.
 */
export function slimDocument(
  doc: EcsDocument,
  maxBytes: number,
  measure: (doc: EcsDocument) => number = (one) => Buffer.byteLength(JSON.stringify(one)),
): EcsDocument {
  if (measure(doc) <= maxBytes) return doc;
  const small = structuredClone(doc) as Tree;
  small['launchwarden'] = { ...(small['launchwarden'] as Tree | undefined), truncated: true };
  for (const cut of cuts) {
    cut(small);
    if (measure(small) <= maxBytes) break;
  }
  return small;
}

/** As slimDocument, from JSON text to JSON text; a text that fits is returned as it is. */
export function slimText(body: string, maxBytes: number): string {
  if (Buffer.byteLength(body) <= maxBytes) return body;
  return JSON.stringify(slimDocument(JSON.parse(body) as EcsDocument, maxBytes));
}
