import type { Expr } from '../ast.js';
import { bestRequirement, type Requirement } from './filing.js';
import type { Generated, Judge, Slot } from './generate.js';
import { GramIndex } from './grams.js';
import { distinctValues } from './values.js';

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

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  readonly indices: number[];
}

/** Conditions by the texts that one field must equal, begin with or contain. */
class Table {
  readonly #read: Slot;
  readonly #judges: readonly Judge[];
  readonly #found: number[] = [];
  readonly #equal = new Map<string, number[]>();
  readonly #trie: TrieNode = { next: new Map(), indices: [] };
  readonly #needles: { readonly text: string; readonly index: number }[] = [];
  #grams: GramIndex | undefined;

  constructor(read: Slot, judges: readonly Judge[]) {
    this.#read = read;
    this.#judges = judges;
  }

  add({ kind, texts }: Requirement, index: number): void {
    for (const text of texts) {
      if (kind === 'equals') {
        const indices = this.#equal.get(text);
        if (indices === undefined) this.#equal.set(text, [index]);
        else indices.push(index);
      } else if (kind === 'prefix') this.#nodeOf(text).indices.push(index);
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
    found.length = 0;
    if (typeof value === 'string') this.#lookUp(value, found);
    else for (const text of distinctValues(value, maxTexts)) this.#lookUp(String(text), found);
    // Several texts may lead to the same condition: it is judged once.
    if (found.length === 1) this.#judge(found[0] as number, hits);
    else if (found.length > 1) for (const index of new Set(found)) this.#judge(index, hits);
  }

  #lookUp(text: string, found: number[]): void {
    const equal = this.#equal.get(text);
    if (equal !== undefined) for (const index of equal) found.push(index);
    this.#grams?.collect(text, found);
    let node: TrieNode | undefined = this.#trie;
    if (node.next.size === 0) return;
    for (let at = 0; at < text.length; at++) {
      node = node.next.get(text.charCodeAt(at));
      if (node === undefined) return;
      for (const index of node.indices) found.push(index);
    }
  }

  #judge(index: number, hits: number[]): void {
    if ((this.#judges[index] as Judge)()) hits.push(index);
  }

  #nodeOf(text: string): TrieNode {
    let node = this.#trie;
    for (let at = 0; at < text.length; at++) {
      let next = node.next.get(text.charCodeAt(at));
      if (next === undefined) {
        next = { next: new Map(), indices: [] };
        node.next.set(text.charCodeAt(at), next);
      }
      node = next;
    }
    return node;
  }
}
