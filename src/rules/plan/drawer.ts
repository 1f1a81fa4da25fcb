import type { Expr } from '../ast.js';
import { bestRequirement, type Requirement } from './filing.js';
import type { Generated, Slot } from './generate.js';
import { valuesOf } from './values.js';

/** The conditions of one category, filed under what they require. */
export class Drawer {
  readonly #always: readonly number[];
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
      const table = tables.get(name) ?? new Table(generated.folded(requirement.parts));
      tables.set(name, table);
      table.add(requirement, index);
    }
    this.#always = always;
    this.#tables = [...tables.values()];
  }

  /** Calls `visit` with every condition that may hold; one may come more than once. */
  candidates(visit: (indices: readonly number[]) => void): void {
    if (this.#always.length > 0) visit(this.#always);
    for (const table of this.#tables) table.candidates(visit);
  }
}

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  readonly indices: number[];
}

/** Conditions by the texts that one field must equal or begin with. */
class Table {
  readonly #read: Slot;
  readonly #equal = new Map<string, number[]>();
  readonly #trie: TrieNode = { next: new Map(), indices: [] };

  constructor(read: Slot) {
    this.#read = read;
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

  candidates(visit: (indices: readonly number[]) => void): void {
    const value = this.#read();
    if (typeof value === 'string') this.#lookUp(value, visit);
    else if (value !== undefined) for (const one of valuesOf(value)) this.#lookUp(String(one), visit);
  }

  #lookUp(text: string, visit: (indices: readonly number[]) => void): void {
    const equal = this.#equal.get(text);
    if (equal !== undefined) visit(equal);
    let node: TrieNode | undefined = this.#trie;
    for (let at = 0; node.next.size > 0 && at < text.length; at++) {
      node = node.next.get(text.charCodeAt(at));
      if (node === undefined) return;
      if (node.indices.length > 0) visit(node.indices);
    }
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
