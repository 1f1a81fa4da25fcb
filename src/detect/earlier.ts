import { hashParts } from '../base/digest.js';
import type { EcsDocument } from '../event/document.js';
import type { Rule } from '../rules/index.js';

/** No event meets more conditions than this that its newest document does not meet. */
const most = 1_000;

/**
 * Names the conditions of rules in `launchwarden.met_before` of a revised event. A rule must judge a file at each step of
 * its growth, but only its newest document is kept: this says what earlier ones met, so that the stored event gives the same
 * alerts when it is judged again. A name holds for one text of a rule's query.
 */
export class ConditionNames {
  readonly #names: readonly string[];
  readonly #indices = new Map<string, number>();

  /** `owners`: the rule of each condition; the conditions of a rule stand together. */
  constructor(owners: readonly Rule[]) {
    let step = 0;
    this.#names = owners.map(({ meta }, index) => {
      step = owners[index - 1]?.meta === meta ? step + 1 : 0;
      return `${meta.id}/${step}/${hashParts([meta.query]).slice(0, 8)}`;
    });
    for (const [index, name] of this.#names.entries()) this.#indices.set(name, index);
  }

  /** The conditions that earlier documents of an event met. */
  read({ launchwarden }: EcsDocument): readonly number[] {
    const names: unknown = launchwarden?.met_before;
    if (!Array.isArray(names)) return [];
    const found = names.slice(0, most).map((name: unknown) => this.#indices.get(name as string));
    return found.filter((index) => index !== undefined);
  }

  /** The document, saying that an earlier one met these conditions. */
  write(doc: EcsDocument, conditions: readonly number[]): EcsDocument {
    if (conditions.length === 0) return doc;
    const met_before = conditions.slice(0, most).map((index) => this.#names[index] as string);
    return { ...doc, launchwarden: { ...doc.launchwarden, met_before } };
  }
}
