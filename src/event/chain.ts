import { hashParts } from '../base/digest.js';
import type { EcsDocument } from './document.js';

/**
 * The place of an alert in the chain over all alerts of a database: `launchwarden.chain` of its document. The link is made
 * once, by the first document of the alert; a document that has grown keeps it, and says with `revised` what it holds now.
 */
export interface ChainFields {
  /** Of the chain; drawn once per database. */
  readonly id: string;
  /** 1 and up, without a hole. */
  readonly index: number;
  /** `digest` of the alert before; of the first one the chain's id. */
  readonly previous: string;
  /** `contentOf` the first document. */
  readonly content: string;
  /** `linkDigest` of all that. */
  readonly digest: string;
  /** Of a grown document: `revisedDigest` of what it holds now. */
  readonly revised?: string;
}

/** Hash of a document without its place in the chain. The order of its keys counts. */
export function contentOf(doc: EcsDocument): string {
  const { chain: _, ...own } = doc.launchwarden ?? {};
  return hashParts([JSON.stringify({ ...doc, launchwarden: own })]);
}

/** `id`: of the alert. */
export function linkDigest({ previous, index, content }: Omit<ChainFields, 'digest'>, id: string): string {
  return hashParts(['chain', previous, index, id, 1, content]);
}

export function revisedDigest(digest: string, revision: number, content: string): string {
  return hashParts(['revised', digest, revision, content]);
}
