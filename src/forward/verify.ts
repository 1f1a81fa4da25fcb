import { things } from '../base/count.js';
import {
  type ChainEnd,
  type ChainFields,
  chainRoot,
  contentOf,
  linkDigest,
  revisedDigest,
} from '../event/chain.js';
import type { EcsDocument } from '../event/document.js';

/**
 * `missing`, `altered` and `forked` (two different documents with one number) say that the stream is not what was sent,
 * `unlinked` that a Mac has two chains of which neither names the other, `not-checked` that documents were cut to the size
 * that a receiver takes, or are of a version that wrote no chain: whoever alters one can write that into it. The others are
 * to be known, and may be in order: it begins later than the chain, documents stand in another order than they were made,
 * a new chain goes on from the one before, no heartbeat proves the end.
 */
export type ChainFindingKind =
  | 'missing'
  | 'altered'
  | 'forked'
  | 'begins-late'
  | 'order'
  | 'new-chain'
  | 'unlinked'
  | 'open-end'
  | 'not-checked';

export interface ChainFinding {
  readonly kind: ChainFindingKind;
  /** False of what may be in order, or was accepted. */
  readonly wrong: boolean;
  readonly chain: string;
  /** Numbers in the chain, the first and the last. */
  readonly from?: number;
  readonly to?: number;
  /** Id of an alert. */
  readonly alert?: string;
  readonly detail: string;
}

/** One chain: that of one database of one Mac. */
export interface ChainSummary {
  readonly chain: string;
  readonly agent: string;
  readonly host?: string;
  readonly first: number;
  readonly last: number;
  /** Documents of alerts, further revisions and copies included. */
  readonly documents: number;
  readonly alerts: number;
  /** The same document again: it was sent more than once. */
  readonly duplicates: number;
  /** A heartbeat says that the chain was that long. */
  readonly proven?: number;
  /** Time of the newest heartbeat, as it says it: of what came later nothing is known. */
  readonly heard?: string;
}

export interface VerifyOptions {
  /** The digest that the newest alert must have, from elsewhere. */
  readonly head?: string | undefined;
  /** The stream is to hold everything from the first alert to the last heartbeat. */
  readonly whole?: boolean;
  /** What is known, and nothing wrong. */
  readonly accept?: readonly ChainFindingKind[];
}

const alwaysWrong: readonly ChainFindingKind[] = ['missing', 'altered', 'forked', 'unlinked', 'not-checked'];
const wrongOfWhole: readonly ChainFindingKind[] = ['begins-late', 'open-end'];

export interface Verification {
  readonly ok: boolean;
  readonly chains: readonly ChainSummary[];
  readonly findings: readonly ChainFinding[];
}

interface Link {
  readonly digest: string;
  readonly previous: string;
  readonly alert: string;
  readonly revisions: Set<number>;
  /** Its first document is here, not only an update of it. */
  isNew: boolean;
}

interface Chain {
  readonly id: string;
  readonly agent: string;
  host: string | undefined;
  /** What tells a Mac from others besides the agent's id, which a new database may draw anew. */
  machine: string | undefined;
  /** How the chain before ended, as this one says. */
  before: ChainEnd | undefined;
  /** The earliest and, of heartbeats, the newest time. */
  begun: string | undefined;
  heard: string | undefined;
  readonly links: Map<number, Link>;
  readonly beats: Map<number, string>;
  documents: number;
  duplicates: number;
  newest: number;
  unordered: number;
  firstUnordered: number | undefined;
  unchecked: number;
  firstUnchecked: number | undefined;
}

type Tree = Record<string, unknown>;

/** More findings of one kind in one chain are counted in the last one. */
const mostOfKind = 100;

/** Proves of a stream of exported alerts, in any number of pieces, that none of the chain is missing and none was altered. */
export class ChainVerifier {
  readonly #chains = new Map<string, Chain>();
  readonly #findings: Omit<ChainFinding, 'wrong'>[] = [];
  readonly #counts = new Map<string, number>();
  #unchained = 0;

  /** A document as a destination got it, whatever it is. */
  add(doc: EcsDocument): void {
    const own = isTree(doc.launchwarden) ? doc.launchwarden : {};
    const status = own['status'];
    if (isTree(status)) {
      const { chain } = status;
      if (isTree(chain)) this.#beat(doc, chain);
      return;
    }
    const alert = own['alert'];
    const id = doc.event?.id;
    if (!isTree(alert) || typeof id !== 'string') return;
    const chain = own['chain'];
    if (isChain(chain))
      this.#link(doc, chain, { id, revision: alert['revision'], isNew: alert['update'] !== true });
    else this.#unchained++;
  }

  end({ head, whole = false, accept = [] }: VerifyOptions = {}): Verification {
    const all = [...this.#chains.values()];
    for (const chain of all) this.#judge(chain);
    for (const chains of byMac(all)) if (chains.length > 1) this.#judgeLinks(chains);
    if (head !== undefined) this.#judgeHead(all, head);
    if (this.#unchained > 0)
      this.#say({
        kind: 'not-checked',
        chain: '',
        detail: `${things(this.#unchained, 'alert carries no place in a chain: it is of an older version, or was', 'alerts carry no place in a chain: they are of an older version, or were')} cut to a very small size`,
      });
    const counts = [...alwaysWrong, ...(whole ? wrongOfWhole : [])].filter((kind) => !accept.includes(kind));
    const findings = this.#findings.map((one) => ({ ...one, wrong: counts.includes(one.kind) }));
    return { ok: !findings.some(({ wrong }) => wrong), chains: all.map(summaryOf), findings };
  }

  #chain(doc: EcsDocument, id: string): Chain {
    const agent = typeof doc.agent?.id === 'string' ? doc.agent.id : '';
    const key = `${agent}\n${id}`;
    const host: unknown = doc.host?.['name'];
    const machine: unknown = doc.host?.['id'] ?? host;
    const time: unknown = doc['@timestamp'];
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      chain = {
        ...{ id, agent, host: undefined, machine: undefined, before: undefined, begun: undefined },
        ...{ heard: undefined, links: new Map(), beats: new Map() },
        ...{ documents: 0, duplicates: 0, newest: 0, unordered: 0, firstUnordered: undefined },
        ...{ unchecked: 0, firstUnchecked: undefined },
      };
      this.#chains.set(key, chain);
    }
    if (typeof host === 'string') chain.host ??= host;
    if (typeof machine === 'string') chain.machine ??= machine;
    if (typeof time === 'string' && !(chain.begun !== undefined && chain.begun <= time)) chain.begun = time;
    return chain;
  }

  #follows(chain: Chain, before: unknown): void {
    if (before === undefined) return;
    const known = chain.before;
    if (!isEnd(before) || (known !== undefined && !sameEnd(known, before)))
      this.#say({
        ...{ kind: 'altered', chain: chain.id },
        detail: 'its documents do not agree on the chain that it follows',
      });
    else chain.before = before;
  }

  #beat(doc: EcsDocument, { id, length, digest, before: follows }: Tree): void {
    if (typeof id !== 'string' || typeof digest !== 'string' || !Number.isSafeInteger(length)) return;
    const chain = this.#chain(doc, id);
    const { beats } = chain;
    const time: unknown = doc['@timestamp'];
    if (typeof time === 'string' && !(chain.heard !== undefined && chain.heard >= time)) chain.heard = time;
    this.#follows(chain, follows);
    const before = beats.get(length as number);
    if (before !== undefined && before !== digest)
      this.#say({
        ...{ kind: 'altered', chain: id, from: length as number, to: length as number },
        detail: `two heartbeats name different ends of the chain at number ${length}`,
      });
    beats.set(length as number, digest);
  }

  #link(
    doc: EcsDocument,
    link: ChainFields,
    { id, revision, isNew }: { readonly id: string; readonly revision: unknown; readonly isNew: boolean },
  ): void {
    const chain = this.#chain(doc, link.id);
    const { index, digest, previous } = link;
    chain.documents++;
    const at = { chain: chain.id, from: index, to: index, alert: id };
    if (linkDigest(link, id) !== digest)
      this.#say({
        kind: 'altered',
        ...at,
        detail: `number ${index} does not have the digest of what it says`,
      });
    const number = Number.isSafeInteger(revision) ? (revision as number) : 1;
    const matches = contentMatches(doc, link, number);
    if (link.index === 1) this.#follows(chain, link.before);
    if (matches === undefined) {
      chain.unchecked++;
      chain.firstUnchecked ??= index;
    } else if (!matches)
      this.#say({
        ...{ kind: 'altered', ...at },
        detail: `the document of number ${index}, revision ${number}, is not what was sent`,
      });
    const known = chain.links.get(index);
    if (known === undefined) {
      chain.links.set(index, { digest, previous, alert: id, revisions: new Set([number]), isNew });
      if (index < chain.newest) {
        chain.unordered++;
        chain.firstUnordered ??= index;
      }
      chain.newest = Math.max(chain.newest, index);
    } else if (known.digest !== digest) {
      this.#say({
        ...{ kind: 'forked', ...at },
        detail: `number ${index} stands for two different alerts: ${known.alert} and ${id}`,
      });
    } else if (known.revisions.has(number)) chain.duplicates++;
    else {
      if (number < Math.max(...known.revisions)) {
        chain.unordered++;
        chain.firstUnordered ??= index;
      }
      known.revisions.add(number);
    }
    if (known !== undefined) known.isNew ||= isNew;
  }

  #judge({ links, beats, before, ...one }: Chain): void {
    const chain = one.id;
    const root = chainRoot(chain, before);
    const indices = [...links.keys()].sort((a, b) => a - b);
    const proven = Math.max(0, ...beats.keys());
    const missing = (from: number, to: number, by = '') =>
      this.#say({
        ...{ kind: 'missing', chain, from, to },
        detail: `${from === to ? `number ${from} is` : `numbers ${from} to ${to} are`} missing${by}`,
      });
    // An update may be about an alert from long before the files begin; what a heartbeat does not count yet comes after it.
    const firstNew = indices.find((index) => links.get(index)?.isNew === true);
    const end = Math.max(proven, indices.at(-1) ?? 0) + 1;
    const first = Math.min(firstNew ?? end, ...[...beats.keys()].map((length) => length + 1));
    if (first > 1)
      this.#say({
        ...{ kind: 'begins-late', chain, from: 1, to: first - 1 },
        detail: `it begins with number ${first}: what came before is not in these files`,
      });
    const beatRoot = beats.get(0);
    if (beatRoot !== undefined && beatRoot !== root)
      this.#say({
        ...{ kind: 'altered', chain },
        detail: 'a heartbeat names another beginning of its chain',
      });
    for (const [at, index] of indices.entries()) {
      const link = links.get(index) as Link;
      const before = Math.max(first - 1, at === 0 ? 0 : (indices[at - 1] as number));
      if (before < index - 1) missing(before + 1, index - 1);
      if (!link.isNew && index >= first) missing(index, index, ': only an update of it is here');
      const expected = index === 1 ? root : links.get(index - 1)?.digest;
      if (expected !== undefined && expected !== link.previous)
        this.#say({
          ...{ kind: 'altered', chain, from: index, to: index, alert: link.alert },
          detail: `number ${index} does not follow ${index === 1 ? 'the beginning of its chain' : `number ${index - 1}`}`,
        });
      const beat = beats.get(index);
      if (beat !== undefined && beat !== link.digest)
        this.#say({
          ...{ kind: 'altered', chain, from: index, to: index, alert: link.alert },
          detail: `number ${index} is not the alert that a heartbeat names`,
        });
    }
    const last = Math.max(first - 1, indices.at(-1) ?? 0);
    if (proven > last) missing(last + 1, proven, ', as a heartbeat says');
    else if (proven < last)
      this.#say({
        ...{ kind: 'open-end', chain, from: proven + 1, to: last },
        detail: `no heartbeat in these files proves that number ${last} is the last one`,
      });
    const { unordered, firstUnordered, unchecked, firstUnchecked } = one;
    if (unordered > 0)
      this.#say({
        ...{ kind: 'order', chain, from: firstUnordered as number, to: firstUnordered as number },
        detail: `${things(unordered, 'document stands', 'documents stand')} behind later ones, the first is number ${firstUnordered}`,
      });
    if (unchecked > 0)
      this.#say({
        ...{ kind: 'not-checked', chain, from: firstUnchecked as number, to: firstUnchecked as number },
        detail: `the contents of ${things(unchecked, 'document')} cannot be checked, the first is number ${firstUnchecked}: ${unchecked === 1 ? 'it says that it was' : 'they say that they were'} cut to the size that the destination takes, or of an older version; whoever alters one can write that into it`,
      });
  }

  /** Of one Mac: each chain but the first must go on from another one that is here. */
  #judgeLinks(chains: readonly Chain[]): void {
    const inTime = [...chains].sort((a, b) => compare(a.begun ?? '', b.begun ?? ''));
    const followed = new Set<string>();
    let first: Chain | undefined;
    for (const one of inTime) {
      const { id: chain, before } = one;
      const prior = before === undefined ? undefined : chains.find(({ id }) => id === before.id);
      if (before === undefined || prior === undefined || prior === one) {
        if (first === undefined) first = one;
        else this.#unlinked(one, 'it names none of the others as the one before it');
        continue;
      }
      if (followed.has(prior.id)) this.#unlinked(one, `another one follows chain ${prior.id} already`);
      followed.add(prior.id);
      this.#judgeEnd(prior, before);
      this.#say({
        ...{ kind: 'new-chain', chain },
        detail: `it goes on from chain ${before.id}, which had ${things(before.length, 'alert')}: the database was lost, damaged or replaced`,
      });
    }
    // They name each other in a circle.
    if (first === undefined) this.#unlinked(inTime[0] as Chain, 'none of them is the first');
  }

  #unlinked({ id: chain, agent, host }: Chain, why: string): void {
    this.#say({
      ...{ kind: 'unlinked', chain },
      detail: `it is another chain of the Mac ${host ?? agent}, and ${why}: what was between them may have been erased`,
    });
  }

  /** The chain before must be what its successor says. */
  #judgeEnd({ id: chain, links, beats }: Chain, { length, digest }: ChainEnd): void {
    const there = links.get(length)?.digest ?? beats.get(length);
    const last = Math.max(0, ...links.keys(), ...beats.keys());
    if (there !== undefined && there !== digest)
      this.#say({
        ...{ kind: 'altered', chain, from: length, to: length },
        detail: `number ${length} is not the alert that the next chain names as its end`,
      });
    if (last < length)
      this.#say({
        ...{ kind: 'missing', chain, from: last + 1, to: length },
        detail: `numbers ${last + 1} to ${length} are missing, as the next chain says`,
      });
  }

  #judgeHead(all: readonly Chain[], head: string): void {
    const found = all.find(({ links }) => [...links.values()].some(({ digest }) => digest === head));
    const last = found && Math.max(...found.links.keys());
    if (found === undefined || last === undefined)
      this.#say({ kind: 'missing', chain: '', detail: `no alert has the digest ${head.slice(0, 64)}` });
    else if (found.links.get(last)?.digest !== head)
      this.#say({
        kind: 'forked',
        chain: found.id,
        detail: 'alerts follow the one that was named as the last',
      });
  }

  #say(finding: Omit<ChainFinding, 'wrong'>): void {
    const key = `${finding.kind} ${finding.chain}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count > mostOfKind) return;
    this.#findings.push({
      ...finding,
      ...(count === mostOfKind ? { detail: `${finding.detail}; there are more of the kind` } : {}),
    });
  }
}

/** The chains of each Mac: those of one agent, or of one machine. */
function byMac(all: readonly Chain[]): Chain[][] {
  const groups = new Map<string, Chain[]>();
  for (const chain of all) {
    const keys = [
      `agent ${chain.agent}`,
      ...(chain.machine === undefined ? [] : [`machine ${chain.machine}`]),
    ];
    const met = [...new Set(keys.flatMap((key) => groups.get(key) ?? []))];
    const group = [...new Set([...met, chain])];
    for (const one of group) {
      groups.set(`agent ${one.agent}`, group);
      if (one.machine !== undefined) groups.set(`machine ${one.machine}`, group);
    }
  }
  return [...new Set(groups.values())];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function summaryOf({ id, agent, host, links, beats, documents, duplicates, heard }: Chain): ChainSummary {
  const indices = [...links.keys()];
  return {
    chain: id,
    agent,
    ...(host === undefined ? {} : { host }),
    first: indices.reduce((least, one) => Math.min(least, one), indices[0] ?? 0),
    last: indices.reduce((most, one) => Math.max(most, one), 0),
    documents,
    alerts: indices.length,
    duplicates,
    ...(beats.size === 0 ? {} : { proven: Math.max(...beats.keys()) }),
    ...(heard === undefined ? {} : { heard }),
  };
}

/** Whether a document holds what it was sent with; undefined when that cannot be known. */
function contentMatches(doc: EcsDocument, link: ChainFields, revision: number): boolean | undefined {
  if (doc.launchwarden?.['truncated'] === true) return undefined;
  if (revision === 1) return contentOf(asStored(doc)) === link.content;
  if (link.revised === undefined) return undefined;
  return revisedDigest(link.digest, revision, contentOf(asStored(doc))) === link.revised;
}

/** The document without what a destination, or its receiver, changes of every one. */
function asStored(doc: EcsDocument): EcsDocument {
  const alert = doc.launchwarden?.['alert'] as Tree;
  const { update, ...rest } = alert;
  const { ingested: _, ...event } = (doc.event ?? {}) as Tree;
  const stream = doc['data_stream'];
  return {
    ...doc,
    event: {
      ...event,
      ...('dataset' in event ? { dataset: 'launchwarden.alerts' } : {}),
      // An update of an alert is no new one (`asUpdate`).
      ...(update === true ? { kind: 'alert', type: ['info'], action: 'rule-match' } : {}),
    },
    ...(isTree(stream)
      ? { data_stream: { ...stream, dataset: 'launchwarden.alerts', namespace: 'default' } }
      : {}),
    launchwarden: { ...doc.launchwarden, alert: rest },
  } as EcsDocument;
}

function isChain(value: unknown): value is ChainFields {
  if (!isTree(value)) return false;
  const { id, index, previous, content, digest } = value;
  const texts = [id, previous, content, digest].every((one) => typeof one === 'string');
  return texts && Number.isSafeInteger(index) && (index as number) > 0;
}

function isEnd(value: unknown): value is ChainEnd {
  if (!isTree(value)) return false;
  const { id, length, digest } = value;
  return typeof id === 'string' && typeof digest === 'string' && Number.isSafeInteger(length);
}

function sameEnd(a: ChainEnd, b: ChainEnd): boolean {
  return a.id === b.id && a.length === b.length && a.digest === b.digest;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
