import type { Micros } from '../../base/time.js';

/** What was loaded in a domain at a moment between the question and the answer. */
export interface DomainList {
  readonly asked: Micros;
  readonly answered: Micros;
  readonly labels: ReadonlySet<string>;
}

/** Whether a job was loaded, and since when that is known. */
export interface Before {
  readonly loaded: boolean;
  readonly known: Micros;
}

/** So many lists are kept of a domain: the newest may already hold what it is to be compared with. */
const kept = 3;
const maxDomains = 32;

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

  /** All lists as text, for `restore` of a later run; undefined when it would be longer than `most` characters. */
  saved(most: number): string | undefined {
    const text = JSON.stringify(
      [...this.#lists].map(([domain, lists]) => [
        domain,
        lists.map(({ asked, answered, labels }) => ({ asked, answered, labels: [...labels] })),
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
        const { asked, answered, labels } = (list ?? {}) as Record<string, unknown>;
        if (typeof asked !== 'number' || typeof answered !== 'number' || !Array.isArray(labels)) continue;
        this.add(domain, {
          asked,
          answered,
          labels: new Set(labels.filter((one) => typeof one === 'string')),
        });
      }
    }
  }

  /** As the newest list knows that was complete before `time`; undefined when there is none. */
  at(domain: string, label: string, time: Micros): Before | undefined {
    const list = this.#lists.get(domain)?.find(({ answered }) => answered <= time);
    return list === undefined ? undefined : { loaded: list.labels.has(label), known: list.asked };
  }
}
