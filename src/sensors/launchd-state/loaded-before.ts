import { createHash } from 'node:crypto';
import { flat } from '../../base/flat.js';
import type { Micros } from '../../base/time.js';
import type { JobFacts } from './read-print.js';

/** What was loaded in a domain at a moment between the question and the answer. */
export interface DomainList {
  readonly asked: Micros;
  readonly answered: Micros;
  /** Process id, 0 for none, by the key of the label. */
  readonly labels: ReadonlyMap<string, number>;
  /** False when there were more jobs than were read: one that is not here may have been loaded all the same. */
  readonly complete: boolean;
  /** True when there was no such domain: nobody was logged in. */
  readonly missing?: boolean;
}

/** Whether a job was loaded, since when that is known, and what launchd said of it then. */
export interface Before extends JobFacts {
  readonly loaded: boolean;
  readonly known: Micros;
}

/**
 * Lists in a row that differ are remembered of a domain, and labels that differed in them: agents that start one after the
 * other, and items that change without a pause, have the lists asked for again and again within a minute.
 */
const maxLooks = 256;
const maxChanges = 8_192;
const maxDomains = 32;
const maxKey = 256;

/** A label, or a digest in the place of a long one: what is kept of labels is bounded. */
export function labelKey(label: string): string {
  if (label.length <= maxKey) return flat(label);
  return `sha256:${createHash('sha256').update(label).digest('hex')}`;
}

/** Lists in a row that held the same: the first of them and the last. */
interface Look {
  readonly asked: Micros;
  readonly answered: Micros;
  readonly lastAsked: Micros;
  readonly lastAnswered: Micros;
  readonly complete: boolean;
  /** What the look before had in the place of what this one has: a process id, or null where the label was not there. */
  readonly undo: readonly (readonly [key: string, pid: number | null])[];
}

interface Domain {
  readonly newest: DomainList;
  /** Newest first. */
  readonly looks: readonly Look[];
}

/** What launchd had loaded, by domain, as far back as the lists differ little enough. */
export class LoadedBefore {
  readonly #domains = new Map<string, Domain>();

  get domains(): readonly string[] {
    return [...this.#domains.keys()];
  }

  add(domain: string, list: DomainList): void {
    const earlier = this.#domains.get(domain);
    // Nothing is known of before a clock that was set back.
    const looks =
      earlier === undefined || earlier.newest.answered > list.answered
        ? [lookAt(list, [])]
        : next(earlier, list);
    this.#set(domain, { newest: list, looks });
  }

  newest(domain: string): DomainList | undefined {
    return this.#domains.get(domain)?.newest;
  }

  /**
   * All as text, for `restore` of a later run. When it would be longer than `most` characters, the newest lists alone;
   * undefined when these are longer.
   */
  saved(most: number): string | undefined {
    const all = this.#text(({ looks }) => looks);
    if (all.length <= most) return all;
    const newest = this.#text((domain) => [lookAt(domain.newest, [])]);
    return newest.length <= most ? newest : undefined;
  }

  /** Takes over what an earlier run had `saved`. What is not understood is left out: then nothing is known of before. */
  restore(text: string): void {
    let saved: unknown;
    try {
      saved = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(saved)) return;
    for (const entry of saved.slice(0, maxDomains)) {
      const [name, domain] = Array.isArray(entry) ? (entry as unknown[]) : [];
      const read = savedDomain(domain);
      if (typeof name === 'string' && read !== undefined) this.#set(name, read);
    }
  }

  /** As the newest list knows that was complete before `time`; undefined when there is none. */
  at(domain: string, label: string, time: Micros): Before | undefined {
    const { newest, looks } = this.#domains.get(domain) ?? {};
    const key = labelKey(label);
    let pid = newest?.labels.get(key);
    for (const look of looks ?? []) {
      if (look.answered <= time) {
        if (pid === undefined && !look.complete) return undefined;
        const known = look.lastAnswered <= time ? look.lastAsked : look.asked;
        return { loaded: pid !== undefined, known, ...(pid === undefined || pid === 0 ? {} : { pid }) };
      }
      const undone = look.undo.find(([changed]) => changed === key);
      if (undone !== undefined) pid = undone[1] ?? undefined;
    }
    return undefined;
  }

  #set(name: string, domain: Domain): void {
    this.#domains.delete(name);
    this.#domains.set(name, domain);
    for (const oldest of this.#domains.keys()) {
      if (this.#domains.size <= maxDomains) return;
      this.#domains.delete(oldest);
    }
  }

  #text(looksOf: (domain: Domain) => readonly Look[]): string {
    return JSON.stringify(
      [...this.#domains].map(([name, domain]) => {
        const { missing, labels } = domain.newest;
        return [name, { looks: looksOf(domain), missing: missing === true, labels: [...labels] }];
      }),
    );
  }
}

function lookAt({ asked, answered, complete }: DomainList, undo: Look['undo']): Look {
  return { asked, answered, lastAsked: asked, lastAnswered: answered, complete, undo };
}

function next({ newest, looks }: Domain, list: DomainList): Look[] {
  const undo = differences(newest.labels, list.labels);
  const [last, ...older] = looks;
  if (last !== undefined && undo.length === 0 && last.complete === list.complete)
    return [{ ...last, lastAsked: list.asked, lastAnswered: list.answered }, ...older];
  const all = [lookAt(list, undo), ...looks].slice(0, maxLooks);
  let changes = 0;
  const tooMany = all.findIndex((look) => {
    changes += look.undo.length;
    return changes > maxChanges;
  });
  if (tooMany === -1) return all;
  const kept = all.slice(0, tooMany + 1);
  return kept.with(-1, { ...(kept.at(-1) as Look), undo: [] });
}

function differences(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): [string, number | null][] {
  const found: [string, number | null][] = [];
  for (const [key, pid] of before) if (after.get(key) !== pid) found.push([key, pid]);
  for (const key of after.keys()) if (!before.has(key)) found.push([key, null]);
  return found;
}

function savedDomain(given: unknown): Domain | undefined {
  const { looks, missing, labels } = (given ?? {}) as Record<string, unknown>;
  if (!Array.isArray(looks) || !Array.isArray(labels)) return undefined;
  const read = (looks as unknown[]).slice(0, maxLooks).map(savedLook);
  const [first] = read;
  if (first === undefined || read.includes(undefined)) return undefined;
  const loaded = new Map<string, number>();
  for (const one of labels as unknown[]) {
    const [label, pid] = Array.isArray(one) ? (one as unknown[]) : [];
    if (typeof label === 'string' && typeof pid === 'number') loaded.set(label, pid);
  }
  const { lastAsked: asked, lastAnswered: answered, complete } = first;
  const newest = { asked, answered, labels: loaded, complete, missing: missing === true };
  return { newest, looks: read as Look[] };
}

function savedLook(given: unknown): Look | undefined {
  const { asked, answered, lastAsked, lastAnswered, complete, undo } = (given ?? {}) as Record<
    string,
    unknown
  >;
  const times = [asked, answered, lastAsked, lastAnswered];
  if (!times.every(Number.isSafeInteger) || !Array.isArray(undo)) return undefined;
  const isChange = (one: unknown) =>
    Array.isArray(one) && typeof one[0] === 'string' && (one[1] === null || typeof one[1] === 'number');
  if (!undo.every(isChange)) return undefined;
  return {
    asked: asked as number,
    answered: answered as number,
    lastAsked: lastAsked as number,
    lastAnswered: lastAnswered as number,
    complete: complete !== false,
    undo: undo as Look['undo'],
  };
}
