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

/** So many lists are kept of a domain: the newest may already hold what it is to be compared with. */
const kept = 3;
const maxDomains = 32;
const maxKey = 256;

/** A label, or a digest in the place of a long one: what is kept of labels is bounded. */
export function labelKey(label: string): string {
  if (label.length <= maxKey) return flat(label);
  return `sha256:${createHash('sha256').update(label).digest('hex')}`;
}

/** What launchd had loaded a little while ago, by domain. */
export class LoadedBefore {
  readonly #lists = new Map<string, readonly DomainList[]>();

  get domains(): readonly string[] {
    return [...this.#lists.keys()];
  }

  add(domain: string, list: DomainList): void {
    const lists = [list, ...(this.#lists.get(domain) ?? [])].slice(0, kept);
    this.#lists.delete(domain);
    this.#lists.set(domain, lists);
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= maxDomains) return;
      this.#lists.delete(oldest);
    }
  }

  newest(domain: string): DomainList | undefined {
    return this.#lists.get(domain)?.[0];
  }

  /** All lists as text, for `restore` of a later run; undefined when it would be longer than `most` characters. */
  saved(most: number): string | undefined {
    const text = JSON.stringify(
      [...this.#lists].map(([domain, lists]) => [
        domain,
        lists.map(({ asked, answered, labels, complete, missing }) => ({
          asked,
          answered,
          complete,
          ...(missing === true ? { missing } : {}),
          labels: [...labels],
        })),
      ]),
    );
    return text.length > most ? undefined : text;
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
      const [domain, lists] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof domain !== 'string' || !Array.isArray(lists)) continue;
      for (const list of lists.slice(0, kept).reverse()) {
        const { asked, answered, labels, complete, missing } = (list ?? {}) as Record<string, unknown>;
        if (typeof asked !== 'number' || typeof answered !== 'number' || !Array.isArray(labels)) continue;
        const entries = labels.map(savedLabel).filter((one) => one !== undefined);
        this.add(domain, {
          asked,
          answered,
          labels: new Map(entries),
          complete: complete !== false,
          missing: missing === true,
        });
      }
    }
  }

  /** As the newest list knows that was complete before `time`; undefined when there is none. */
  at(domain: string, label: string, time: Micros): Before | undefined {
    const list = this.#lists.get(domain)?.find(({ answered }) => answered <= time);
    const pid = list?.labels.get(labelKey(label));
    if (list === undefined || (pid === undefined && !list.complete)) return undefined;
    return {
      loaded: pid !== undefined,
      known: list.asked,
      ...(pid === undefined || pid === 0 ? {} : { pid }),
    };
  }
}

/** Earlier versions saved labels without process ids. */
function savedLabel(one: unknown): readonly [string, number] | undefined {
  if (typeof one === 'string') return [one, 0];
  if (!Array.isArray(one) || typeof one[0] !== 'string') return undefined;
  return [one[0], typeof one[1] === 'number' ? one[1] : 0];
}
