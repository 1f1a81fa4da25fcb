import { hashParts } from '../base/digest.js';
import type { EcsDocument } from './document.js';

/** How a chain ended, or stands: what its newest alert says of it. */
export interface ChainEnd {
  readonly id: string;
  readonly length: number;
  /** Of the newest alert; of a chain without any its root (`chainRoot`). */
  readonly digest: string;
}

/**
 * The place of an alert in the chain over all alerts of a database: `launchwarden.chain` of its document. The link is made
 * once, by the first document of the alert; a document that has grown keeps it, and says with `revised` what it holds now.
 */
export interface ChainFields {
  /** Of the chain; drawn once per database. */
  readonly id: string;
  /** 1 and up, without a hole. */
  readonly index: number;
  /** `digest` of the alert before; of the first one `chainRoot`. */
  readonly previous: string;
  /** `contentOf` the first document. */
  readonly content: string;
  /** `linkDigest` of all that. */
  readonly digest: string;
  /** Of a grown document: `revisedDigest` of what it holds now. */
  readonly revised?: string;
  /** Of the first one: the chain that this Mac had before, when that is known. */
  readonly before?: ChainEnd;
}

/** What the first link of a chain follows: the chain's id, bound to the end of the chain before when there is one. */
export function chainRoot(id: string, before: ChainEnd | undefined): string {
  return before === undefined ? id : hashParts(['after', id, before.id, before.length, before.digest]);
}

/** Hash of a document without its place in the chain. The order of its keys counts. */
export function contentOf(doc: EcsDocument): string {
  const { chain: _, ...own } = doc.launchwarden ?? {};
  return hashParts([JSON.stringify({ ...doc, launchwarden: own })]);
}

/**
 * Puts a document into its place in the chain, and gives its JSON text. `place` gets what `contentOf` gives. Each part is
 * turned into text once: documents can be large, and alerts many.
 */
export function chained(doc: EcsDocument, place: (content: string) => ChainFields): string {
  const { chain: _, ...own } = doc.launchwarden ?? {};
  const inner = JSON.stringify(own);
  const parts: string[] = [];
  let at = 0;
  for (const [key, value] of Object.entries(doc)) {
    const text = key === 'launchwarden' ? inner : JSON.stringify(value);
    if (text === undefined) continue;
    if (key === 'launchwarden') at = parts.length;
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  const chain = place(hashParts([`{${parts.join(',')}}`]));
  doc.launchwarden = { ...own, chain };
  const before = inner === '{}' ? '{' : `${inner.slice(0, -1)},`;
  parts[at] = `"launchwarden":${before}"chain":${JSON.stringify(chain)}}`;
  return `{${parts.join(',')}}`;
}

/** `id`: of the alert. */
export function linkDigest({ previous, index, content }: Omit<ChainFields, 'digest'>, id: string): string {
  return hashParts(['chain', previous, index, id, 1, content]);
}

export function revisedDigest(digest: string, revision: number, content: string): string {
  return hashParts(['revised', digest, revision, content]);
}
