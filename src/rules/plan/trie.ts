/** A place where texts part, or one ends. */
interface Node {
  /** What leads here from the place before. */
  label: string;
  /** By the first unit of their labels. */
  next: Map<number, Node>;
  indices: number[];
}

/** Finds which of many texts another text begins with. What several of them share is compared once. */
export class PrefixTrie {
  readonly #root: Node = { label: '', next: new Map(), indices: [] };

  get empty(): boolean {
    return this.#root.next.size === 0;
  }

  /** `text` is not empty. */
  add(text: string, index: number): void {
    let node = this.#root;
    let rest = text;
    while (rest !== '') {
      const known: Node | undefined = node.next.get(rest.charCodeAt(0));
      if (known === undefined) {
        const made = { label: rest, next: new Map(), indices: [index] };
        node.next.set(rest.charCodeAt(0), made);
        return;
      }
      const shared = sharedLength(known.label, rest);
      if (shared < known.label.length) split(known, shared);
      node = known;
      rest = rest.slice(shared);
    }
    node.indices.push(index);
  }

  /** Calls `visit` with the index of every text that `text` begins with, until it returns true. */
  some(text: string, visit: (index: number) => boolean): boolean {
    let node: Node | undefined = this.#root.next.get(text.charCodeAt(0));
    for (let at = 0; node !== undefined && text.startsWith(node.label, at); ) {
      for (const index of node.indices) if (visit(index)) return true;
      at += node.label.length;
      node = node.next.get(text.charCodeAt(at));
    }
    return false;
  }

  /** Adds the index of every text that `text` begins with. */
  collect(text: string, found: number[]): void {
    let node: Node | undefined = this.#root.next.get(text.charCodeAt(0));
    for (let at = 0; node !== undefined && text.startsWith(node.label, at); ) {
      for (const index of node.indices) found.push(index);
      at += node.label.length;
      node = node.next.get(text.charCodeAt(at));
    }
  }
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** Cuts a node's label, so that another text can part from it there. */
function split(node: Node, at: number): void {
  const tail: Node = { label: node.label.slice(at), next: node.next, indices: node.indices };
  node.label = node.label.slice(0, at);
  node.next = new Map([[tail.label.charCodeAt(0), tail]]);
  node.indices = [];
}
