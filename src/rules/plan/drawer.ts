import type { Expr } from '../ast.js';
import { bestRequirement, type Requirement } from './filing.js';
import type { Generated, Judge, Slot } from './generate.js';
import { GramIndex } from './grams.js';
import { PrefixTrie } from './trie.js';
import { valuesOf } from './values.js';

/** A field of more texts is not looked up: every condition on it is judged. */
const maxTexts = 10_000;

/** Conditions of one category, filed under what they require. */
export class Drawer {
  /** Those that require nothing worth a look-up. */
  readonly always: readonly number[];
  readonly #tables: readonly Table[];

  constructor(members: readonly { readonly index: number; readonly expr: Expr }[], generated: Generated) {
    const always: number[] = [];
    const tables = new Map<string, Table>();
    // So few are judged faster than they are looked up.
    const worthFiling = members.length > 4;
    for (const { index, expr } of members) {
      const requirement = worthFiling ? bestRequirement(expr) : undefined;
      if (requirement === undefined) {
        always.push(index);
        continue;
      }
      const name = requirement.parts.join('.');
      const table = tables.get(name) ?? new Table(generated.folded(requirement.parts), generated.judges);
      tables.set(name, table);
      table.add(requirement, index);
    }
    this.always = always;
    this.#tables = [...tables.values()];
    for (const table of this.#tables) table.close();
  }

  get empty(): boolean {
    return this.#tables.length === 0;
  }

  /** Judges every condition whose requirement is met, and adds the indices of those that hold. */
  collect(hits: number[]): void {
    for (const table of this.#tables) table.collect(hits);
  }
}

/** Conditions by the texts that one field must equal, begin with or contain. */
class Table {
  readonly #read: Slot;
  readonly #judges: readonly Judge[];
  readonly #found: number[] = [];
  /** The round in which each condition was judged last. */
  readonly #judged: Float64Array;
  #round = 0;
  readonly #all: number[] = [];
  readonly #equal = new Map<string, number[]>();
  readonly #trie = new PrefixTrie();
  readonly #needles: { readonly text: string; readonly index: number }[] = [];
  #grams: GramIndex | undefined;

  constructor(read: Slot, judges: readonly Judge[]) {
    this.#read = read;
    this.#judges = judges;
    this.#judged = new Float64Array(judges.length);
  }

  add({ kind, texts }: Requirement, index: number): void {
    this.#all.push(index);
    for (const text of texts) {
      if (kind === 'equals') {
        const indices = this.#equal.get(text);
        if (indices === undefined) this.#equal.set(text, [index]);
        else indices.push(index);
      } else if (kind === 'prefix') this.#trie.add(text, index);
      else this.#needles.push({ text, index });
    }
  }

  /** To be called once, after the last `add`. */
  close(): void {
    if (this.#needles.length > 0) this.#grams = new GramIndex(this.#needles);
  }

  collect(hits: number[]): void {
    const value = this.#read();
    if (value === undefined) return;
    const found = this.#found;
    if (found.length > 0) found.length = 0;
    if (typeof value === 'string') this.#lookUp(value, found);
    else if (Array.isArray(value)) this.#lookUpEach(value, found);
    if (found.length === 0) return;
    const round = ++this.#round;
    for (const index of found) {
      // Several texts may lead to the same condition: it is judged once.
      if (this.#judged[index] === round) continue;
      this.#judged[index] = round;
      if ((this.#judges[index] as Judge)()) hits.push(index);
    }
  }

  #lookUpEach(list: readonly unknown[], found: number[]): void {
    const texts = list.every((one) => typeof one === 'string') ? list : valuesOf(list, maxTexts + 1);
    if (texts.length > maxTexts) for (const index of this.#all) found.push(index);
    else for (const text of texts) this.#lookUp(String(text), found);
  }

  #lookUp(text: string, found: number[]): void {
    const equal = this.#equal.get(text);
    if (equal !== undefined) for (const index of equal) found.push(index);
    this.#grams?.collect(text, found);
    if (!this.#trie.empty) this.#trie.collect(text, found);
  }
}
