import type { EcsDocument } from '../event/document.js';

type Tree = Record<string, unknown>;

/** What goes first when a document must become smaller: bulky parts that can be looked up on the Mac by the alert's id. */
const cuts: readonly ((doc: Tree) => void)[] = [
  (doc) => drop(doc, 'launchwarden.escalation.evidence'),
  (doc) => shorten(doc, 'launchwarden.escalation.timeline', 100),
  (doc) => shorten(doc, 'launchwarden.escalation.timeline', 20),
  (doc) => drop(doc, 'launchwarden.rule.note', 'launchwarden.rule.setup'),
  (doc) => drop(doc, 'launchwarden.plist.json'),
  (doc) => shorten(doc, 'launchwarden.alert.workflow.history', 3),
  (doc) => shorten(doc, 'launchwarden.alert.candidates', 100),
  (doc) => shorten(doc, 'launchwarden.alert.candidates', 5),
  (doc) => trimLong(doc, 1024),
  (doc) => drop(doc, 'Events'),
  (doc) => trimLong(doc, 512),
  (doc) => drop(doc, 'launchwarden.alert.workflow.history'),
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
];

/** What an alert cannot do without, most important first: what remains of one that must be very small. */
const essentials: readonly string[] = [
  '@timestamp',
  'event.kind',
  'event.id',
  'rule.name',
  'launchwarden.alert.severity',
  'launchwarden.alert.priority.score',
  'host.name',
  'file.path',
  'launchwarden.truncated',
  'user.name',
  'launchwarden.plist.label',
  'kibana.alert.uuid',
  'rule.id',
  'event.dataset',
  'event.action',
  'launchwarden.alert.revision',
  'launchwarden.plist.program',
  'process.executable',
  'data_stream.type',
  'data_stream.dataset',
  'data_stream.namespace',
  'ecs.version',
  'event.module',
  'event.category',
  'event.type',
  'event.severity',
  'event.risk_score',
  'message',
  'host.id',
  'agent.id',
  'labels',
  'launchwarden.alert.priority.level',
  'launchwarden.alert.workflow.status',
  'launchwarden.alert.workflow.reason',
  'launchwarden.chain',
  'launchwarden.findings',
  'process.args',
  'file.hash.sha256',
  'process.parent.executable',
];
/** Characters of a text there: enough for a label or a path whose file name is kept. */
const essentialText = 200;
/** And when even then not all of the first ones fit. */
const shortText = 48;
const mustFit = 10;

/** Both ends of a text: a path keeps its file name. */
export function clipMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = Math.floor((limit - 1) * 0.6);
  return `${text.slice(0, limit - 1 - end)}…${text.slice(text.length - end)}`;
}

/** The most important fields, as many as fit, in a document of their own. */
function essence(doc: Tree, maxBytes: number, measure: (doc: EcsDocument) => number): Tree {
  const attempt = (limit: number) => {
    const small: Tree = {};
    let missed = 0;
    for (const [index, name] of essentials.entries()) {
      const place = parentOf(doc, name);
      const value = place?.holder[place.key];
      if (value === undefined || value === null) continue;
      put(small, name, clipDeep(value, limit));
      if (measure(small as EcsDocument) <= maxBytes) continue;
      takeOut(small, name);
      if (index < mustFit) missed++;
    }
    return { small, missed };
  };
  const whole = attempt(essentialText);
  return whole.missed === 0 ? whole.small : attempt(shortText).small;
}

function clipDeep(value: unknown, limit: number): unknown {
  if (typeof value === 'string') return clipMiddle(value, limit);
  if (Array.isArray(value)) return value.slice(0, 8).map((one) => clipDeep(one, limit));
  return value;
}

/** With the objects that it leaves empty. */
function takeOut(doc: Tree, dotted: string): void {
  for (let name = dotted; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf('.'), 0))) {
    const place = parentOf(doc, name);
    const value = place?.holder[place.key];
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (place === undefined || (name !== dotted && !isEmpty)) return;
    delete place.holder[place.key];
  }
}

function put(doc: Tree, dotted: string, value: unknown): void {
  const keys = dotted.split('.');
  const last = keys.pop() as string;
  let holder = doc;
  for (const step of keys) {
    const next = Object.hasOwn(holder, step) ? holder[step] : undefined;
    const inner = typeof next === 'object' && next !== null ? (next as Tree) : {};
    holder[step] = inner;
    holder = inner;
  }
  holder[last] = value;
}

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
 * document stays on the Mac. Below some 480 bytes what is most important is kept: rule, severity, host, path, user, label.
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
    if (measure(small) <= maxBytes) return small;
  }
  return essence(small, maxBytes, measure) as EcsDocument;
}

/** As slimDocument, from JSON text to JSON text; a text that fits is returned as it is. */
export function slimText(body: string, maxBytes: number): string {
  if (Buffer.byteLength(body) <= maxBytes) return body;
  return JSON.stringify(slimDocument(JSON.parse(body) as EcsDocument, maxBytes));
}
