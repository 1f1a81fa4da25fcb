import type { Scope, Step } from '../file-watch/scope.js';

/** Folders whose place in the scope is remembered; then it is forgotten as a whole. */
const maxFolders = 8_192;
/** A line with more paths is parsed. */
const maxPaths = 64;
const key = '"path"';

interface Place {
  readonly steps: readonly Step[];
  readonly tree: boolean;
}

const nowhere: Place = { steps: [], tree: false };

/**
 * Tells from the text of a line whether any path in it can be a wanted entry, without parsing it: most lines name files that
 * nobody watches, in folders that were asked about a moment ago. May say yes too often, never no.
 */
export class PathFilter {
  readonly #scope: Scope;
  readonly #toMac: (path: string) => string;
  /** By the folder's text as it stands in the lines. */
  readonly #known = new Map<string, Place>();
  readonly #top: Place;

  constructor(scope: Scope, toMac: (path: string) => string) {
    this.#scope = scope;
    this.#toMac = toMac;
    this.#top = { steps: scope.start, tree: false };
  }

  mayWant(line: string): boolean {
    let paths = 0;
    for (let at = line.indexOf(key); at !== -1; at = line.indexOf(key, at)) {
      at += key.length;
      while (line[at] === ' ' || line[at] === ':') at++;
      if (line[at] !== '"') continue;
      const end = line.indexOf('"', at + 1);
      if (end === -1 || ++paths > maxPaths) return true;
      if (this.#mayBe(line.slice(at + 1, end))) return true;
      at = end;
    }
    return false;
  }

  #mayBe(text: string): boolean {
    const slash = text.lastIndexOf('/');
    if (slash === -1) return false;
    // A slash is escaped or not; what else is escaped is left to the parser.
    const folder = text.slice(0, text[slash - 1] === '\\' ? slash - 1 : slash);
    const name = text.slice(slash + 1);
    if (name.includes('\\')) return true;
    const { steps, tree } = this.#placeOf(folder);
    return tree || (steps.length > 0 && this.#scope.wanted(steps, name) !== undefined);
  }

  #placeOf(text: string): Place {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= maxFolders) this.#known.clear();
    const place = this.#find(text);
    this.#known.set(text, place);
    return place;
  }

  #find(text: string): Place {
    const plain = text.replaceAll('\\/', '/');
    if (plain.includes('\\')) return { steps: [], tree: true };
    let place = this.#top;
    for (const name of this.#toMac(plain === '' ? '/' : plain).split('/')) {
      if (name === '') continue;
      const wanted = this.#scope.wanted(place.steps, name);
      if (wanted === undefined) return nowhere;
      if (wanted.tree) return { steps: wanted.steps, tree: true };
      place = { steps: wanted.steps, tree: false };
    }
    return place;
  }
}
