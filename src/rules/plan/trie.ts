interface Node {
  readonly next: Map<number, Node>;
  readonly indices: number[];
}

/** Finds which of many texts another text begins with. */
export class PrefixTrie {
  readonly #root: Node = { next: new Map(), indices: [] };

  get empty(): boolean {
    return this.#root.next.size === 0;
  }

  /** `text` is not empty. */
  add(text: string, index: number): void {
    let node = this.#root;
    for (let at = 0; at < text.length; at++) {
      let next = node.next.get(text.charCodeAt(at));
      if (next === undefined) {
        next = { next: new Map(), indices: [] };
        node.next.set(text.charCodeAt(at), next);
      }
      node = next;
    }
    node.indices.push(index);
  }

  /** Calls `visit` with the index of every text that `text` begins with, until it returns true. */
  some(text: string, visit: (index: number) => boolean): boolean {
    let node: Node | undefined = this.#root;
    for (let at = 0; at < text.length; at++) {
      node = node.next.get(text.charCodeAt(at));
      if (node === undefined) return false;
      for (const index of node.indices) if (visit(index)) return true;
    }
    return false;
  }

  /** Adds the index of every text that `text` begins with. */
  collect(text: string, found: number[]): void {
    let node: Node | undefined = this.#root;
    for (let at = 0; at < text.length; at++) {
      node = node.next.get(text.charCodeAt(at));
      if (node === undefined) return;
      for (const index of node.indices) found.push(index);
    }
  }
}
