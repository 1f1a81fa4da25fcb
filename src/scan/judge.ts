import type { RootMap } from '../base/root.js';
import { formatMicros, type Micros } from '../base/time.js';
import { conditionsOf, type Exceptions } from '../detect/index.js';
import type { Enricher } from '../enrich/index.js';
import type { EcsDocument } from '../event/document.js';
import type { Event, FileContent } from '../event/event.js';
import { fileEventId } from '../event/ids.js';
import type { InventoryEntry } from '../event/inventory.js';
import type { RuleMeta } from '../event/rule-meta.js';
import type { MechanismPlaces } from '../mechanisms/index.js';
import { type ConditionSet, planConditions, type Rule } from '../rules/index.js';
import { ContentReader, lookAt, Rights } from '../sensors/file-watch/index.js';

/** A rule that an item meets as it stands there. */
export interface RuleHit {
  readonly rule: RuleMeta;
  /**
   * `item`: what it says or is called meets the rule. `place`: a harmless item in its place would, too; such a rule is about
   * the change.
   */
  readonly about: 'item' | 'place';
  /** Id of the exception that hides it. */
  readonly exception?: string;
}

export interface JudgeOptions {
  readonly root: RootMap;
  readonly rules: readonly Rule[];
  readonly exceptions: Exceptions;
  readonly enricher: Pick<Enricher, 'enrich'>;
  readonly places: MechanismPlaces;
  readonly now: Micros;
}

/** A property list that is read for its rules. */
const maxContent = 1024 * 1024;
const changes: readonly Pick<NonNullable<EcsDocument['event']>, 'action' | 'type'>[] = [
  { action: 'creation', type: ['creation'] },
  { action: 'modification', type: ['change'] },
];

/**
 * Asks the rules about items as they stand there: as if each had been written just now. Rules of one event alone can be
 * asked so; what counts events or joins them with processes says nothing of a state.
 */
export class ItemJudge {
  readonly #options: JudgeOptions;
  readonly #rules: readonly Rule[];
  readonly #set: ConditionSet;
  readonly #rights: Rights;
  readonly #reader = new ContentReader(maxContent);
  /** Rules that need more than one event. */
  readonly passedOver: number;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#rules = options.rules.filter(isOfState);
    this.passedOver = options.rules.length - this.#rules.length;
    this.#set = planConditions(this.#rules.flatMap(({ query }) => conditionsOf(query).slice(0, 1)));
    this.#rights = new Rights(options.root);
  }

  get asked(): number {
    return this.#rules.length;
  }

  /** `entries`: of one item. Never throws. */
  hits(entries: readonly InventoryEntry[]): readonly RuleHit[] {
    const [first] = entries;
    if (first === undefined) return [];
    try {
      const content = first.type === 'file' ? this.#content(first.path) : undefined;
      const docs = this.#documents(first, first.path, { entries, content });
      const met = this.#met(docs);
      if (met.size === 0) return [];
      const bare = this.#met(
        this.#documents(harmless(first), this.#otherName(first), { entries: entries.map(harmless) }),
      );
      return [...met].map(([index, doc]) => this.#hit(this.#rules[index] as Rule, doc, bare.has(index)));
    } catch {
      // A mistake of ours must not end the scan.
      return [];
    }
  }

  #hit(rule: Rule, item: EcsDocument, ofPlace: boolean): RuleHit {
    const { exceptions, now } = this.#options;
    const exception = exceptions.find({
      rule: rule.meta.id,
      time: now,
      item,
      process: undefined,
      steps: [item],
    });
    return {
      rule: rule.meta,
      about: ofPlace ? 'place' : 'item',
      ...(exception === undefined ? {} : { exception: exception.id }),
    };
  }

  /** Rules by their index, with the document that met each. */
  #met(docs: readonly EcsDocument[]): ReadonlyMap<number, EcsDocument> {
    const met = new Map<number, EcsDocument>();
    for (const doc of docs) {
      const hits: number[] = [];
      this.#set.match(doc, hits);
      for (const index of hits) if (!met.has(index)) met.set(index, doc);
    }
    return met;
  }

  #documents(
    entry: InventoryEntry,
    path: string,
    {
      entries,
      content,
    }: { readonly entries: readonly InventoryEntry[]; readonly content?: FileContent | undefined },
  ): EcsDocument[] {
    return changes.flatMap((change) => {
      const event = eventOf(entry, { path, entries, change, now: this.#options.now });
      const observed = content === undefined ? { event } : { event, content };
      return this.#options.enricher.enrich(observed).map(({ doc }) => doc);
    });
  }

  /** Another name in the same place; the same one where the place has but one. */
  #otherName({ path, mechanism }: InventoryEntry): string {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const extension = /\.[^./]+$/.exec(path)?.[0] ?? '';
    const other = `${folder}org.example.other${extension}`;
    return this.#options.places.find(other)?.mechanism.id === mechanism ? other : path;
  }

  #content(macPath: string): FileContent | undefined {
    const passage = this.#rights.follow(macPath);
    const seen = passage === undefined ? undefined : lookAt(passage.host);
    if (passage === undefined || seen === undefined || seen === 'denied' || seen.type !== 'file')
      return undefined;
    const read = this.#reader.read({ hostPath: passage.host, seen, passage }, maxContent);
    return read.ok ? read.content : undefined;
  }
}

/** What an ordinary vendor could have put there. */
function harmless({
  findings: _,
  sha256: __,
  program: ___,
  label,
  runs,
  ...rest
}: InventoryEntry): InventoryEntry {
  return {
    ...rest,
    ...(label === undefined ? {} : { label: 'org.example.other' }),
    runs: runs.length === 0 ? [] : ['/Applications/Other.app/Contents/MacOS/Other'],
    findings: [],
  };
}

/** Of one event, whose first hit is an alert. */
function isOfState({ query, threshold, newTerms }: Rule): boolean {
  const isSingle = query.kind === 'event' || query.kind === 'kql';
  return isSingle && threshold === undefined && newTerms === undefined;
}

function eventOf(
  { type, size, mode, uid, sha256 }: InventoryEntry,
  facts: {
    readonly path: string;
    readonly entries: readonly InventoryEntry[];
    readonly change: (typeof changes)[number];
    readonly now: Micros;
  },
): Event {
  const { path, entries, change, now } = facts;
  const id = fileEventId('file-watch', 'scan', path, '', BigInt(now) * 1000n, `scan:${change.action}`);
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase();
  const list = (of: (entry: InventoryEntry) => readonly (string | undefined)[]) =>
    [...new Set(entries.flatMap(of).filter((one) => one !== undefined))].slice(0, 64) as string[];
  const findings = list((one) => one.findings);
  const label = list((one) => [one.label]);
  const as = list((one) => [one.as]);
  const told = entries.filter(({ enabled }) => enabled !== undefined);
  return {
    id,
    time: now,
    nanos: 0,
    sequence: 0,
    doc: {
      '@timestamp': formatMicros(now),
      event: { id, category: ['file'], ...change },
      file: {
        path,
        name: path.slice(path.lastIndexOf('/') + 1),
        ...(extension === undefined ? {} : { extension }),
        size,
        type,
        mode,
        uid: String(uid),
        ...(sha256 === undefined ? {} : { hash: { sha256 } }),
      },
      launchwarden: {
        sensor: { kind: 'file-watch', precision: 'interval', reason: 'found by a scan' },
        ...(findings.length === 0 ? {} : { findings }),
        persistence: {
          ...(label.length === 0 ? {} : { label }),
          runs: list((one) => one.runs),
          when: list((one) => one.when),
          ...(as.length === 0 ? {} : { as }),
          ...(told.length === 0 ? {} : { enabled: told.some(({ enabled }) => enabled === true) }),
          entries: entries.length,
        },
      },
    },
  };
}
