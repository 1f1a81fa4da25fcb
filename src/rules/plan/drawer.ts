import type { Expr } from '../ast.js';
import { bestRequirement, type Requirement } from './filing.js';
import type { Generated, Judge, Slot } from './generate.js';
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

/** Conditions by the texts that one field must equal or begin with. */
class Table {
  readonly #read: Slot;
  readonly #judges: readonly Judge[];
  readonly #equal = new Map<string, number[]>();
  readonly #trie: TrieNode = { next: new Map(), indices: [] };

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
      } else this.#nodeOf(text).indices.push(index);
    }
  }

  collect(hits: number[]): void {
    const value = this.#read();
    if (typeof value === 'string') this.#lookUp(value, hits);
    else if (value !== undefined) this.#lookUpEach(value, hits);
  }

  /** Several texts may lead to the same condition: it is judged once. */
  #lookUpEach(value: unknown, hits: number[]): void {
    const found: number[] = [];
    for (const text of distinctValues(value, maxTexts)) this.#lookUp(String(text), found);
    if (found.length > 0) for (const index of new Set(found)) hits.push(index);
  }

  #lookUp(text: string, hits: number[]): void {
    const equal = this.#equal.get(text);
    if (equal !== undefined) this.#judge(equal, hits);
    let node: TrieNode | undefined = this.#trie;
    if (node.next.size === 0) return;
    for (let at = 0; at < text.length; at++) {
      node = node.next.get(text.charCodeAt(at));
      if (node === undefined) return;
      if (node.indices.length > 0) this.#judge(node.indices, hits);
    }
  }

  #judge(indices: readonly number[], hits: number[]): void {
    for (const index of indices) if ((this.#judges[index] as Judge)()) hits.push(index);
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
