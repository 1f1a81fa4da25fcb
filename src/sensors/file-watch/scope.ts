import { canonicalMacPath } from '../../base/root.js';

interface Folders {
  /** Folded names; one with `*` or `?` matches any one folder. */
  readonly folders: readonly string[];
  /** Which of the folders hold wildcards. */
  readonly wild: readonly boolean[];
}

/** One pattern: the folders on the way, and what is looked for in the last one. */
interface Target extends Folders {
  readonly pattern: string;
  /** Folded name to look for, with wildcards; undefined means everything below the folder. */
  readonly leaf: string | undefined;
}

/** How far a pattern reaches: as in rules `*` at its end also means what lies in folders below, or it does not. */
type Reach = 'below' | 'entries';

/** A pattern that runs through a folder: `depth` of its folders lie behind. */
export interface Step {
  readonly target: Target;
  readonly depth: number;
}

/** What a name in a folder means. */
export interface Wanted {
  /** Patterns that go on below it. */
  readonly steps: readonly Step[];
  /** It begins a tree that is watched as a whole. */
  readonly tree: boolean;
  /** It is itself observed. */
  readonly item: boolean;
}

// Folders that hold most of a Mac's files: to watch all that is below would cost more than the agent may.
const tooWide = new Set([
  '',
  'users',
  'users/*',
  'users/*/library',
  'users/*/library/application support',
  'users/*/library/caches',
  'users/*/library/containers',
  'library',
  'library/application support',
  'system',
  'system/library',
  'applications',
  'private',
  'private/var',
  'private/var/db',
  'private/var/folders',
  'usr',
  'opt',
  'volumes',
]);

/** File names are compared as a Mac's usual volume does: letter case and composition do not count. */
export function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

const hasWildcard = (text: string) => /[*?]/.test(text);

/** `*` any run of characters, `?` one. Both sides folded. Time is at most the product of the lengths. */
export function wildcardMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t]) && pattern[p] !== '*') {
      p++;
      t++;
    } else if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (star !== -1) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Which part of the tree is watched: made from path patterns. */
export class Scope {
  /** Patterns that are not watched, with the reason. */
  readonly skipped: { readonly pattern: string; readonly reason: string }[] = [];
  readonly #targets = new Map<string, Target>();
  /** By their path: hundreds of patterns look into the same ones. */
  readonly #folders = new Map<string, Folders>();
  readonly #filters = new Set<string>();
  /**
   * Patterns of entries by how many folders they go through and, where it has no wildcard, by the name that they look for:
   * each wildcard of theirs stands for a part of one name.
   */
  readonly #entries = new Map<string, Target[]>();

  /**
   * `patterns`: canonical macOS paths with `*` and `?`, as rules write them. `entries`: such paths of which no wildcard
   * reaches into another folder.
   */
  constructor(patterns: readonly string[], entries: readonly string[] = []) {
    for (const pattern of patterns) this.add(pattern);
    for (const pattern of entries) this.add(pattern, 'entries');
  }

  /** One more pattern; false when nothing more is watched because of it. */
  add(pattern: string, reach: Reach = 'below'): boolean {
    const made = this.#target(pattern, reach);
    if (typeof made === 'string') {
      this.skipped.push({ pattern, reason: made });
      return false;
    }
    // The name of an entry never holds a slash.
    const key = `${made.folders.join('/')}/${made.leaf ?? '/'}`;
    const added = !this.#targets.has(key);
    this.#targets.set(key, made);
    if (reach === 'below') this.#filters.add(canonicalPattern(pattern));
    else if (added) {
      const { folders, leaf = '*' } = made;
      const place = `${folders.length}/${hasWildcard(leaf) ? '*' : leaf}`;
      const known = this.#entries.get(place);
      if (known === undefined) this.#entries.set(place, [made]);
      else known.push(made);
    }
    return added;
  }

  /** The folders that patterns look into, as they are written; a component `*` stands for any name. */
  get places(): string[] {
    const places = [...this.#targets.values()].map(({ pattern }) =>
      canonicalMacPath(pattern)
        .split('/')
        .slice(0, -1)
        .map((name) => (hasWildcard(name) ? '*' : name))
        .join('/'),
    );
    return [...new Set(places)];
  }

  /** The same, each with the name that is looked for in it where that is one name: no other name in it matters. */
  get names(): string[] {
    const names = [...this.#targets.values()].map(({ pattern, leaf }) => {
      const parts = canonicalMacPath(pattern).split('/');
      if (leaf === undefined) parts.pop();
      return parts.map((name) => (hasWildcard(name) ? '*' : name)).join('/');
    });
    return [...new Set(names)];
  }

  /** The patterns as they begin at `/`. */
  get start(): readonly Step[] {
    return [...this.#targets.values()].map((one) => ({ target: one, depth: 0 }));
  }

  #target(pattern: string, reach: Reach): Target | string {
    if (!pattern.startsWith('/') || pattern.length > 4096) return 'does not begin at /';
    const parts = canonicalPattern(pattern).split('/').slice(1);
    const leaf = parts.pop() ?? '';
    if (parts.length === 0) return 'names the whole volume';
    if (parts.filter(hasWildcard).length > (reach === 'entries' ? 3 : 2) || hasWildcard(parts[0] ?? ''))
      return 'too many folders on the way';
    const place = parts.join('/');
    // `*` also matches `/`: what is looked for may stand anywhere below.
    const below = reach === 'below' && leaf.includes('*');
    if (below && tooWide.has(place)) return 'too many files below that folder';
    const known = this.#folders.get(place) ?? { folders: parts, wild: parts.map(hasWildcard) };
    this.#folders.set(place, known);
    return { pattern, ...known, leaf: below ? undefined : leaf };
  }

  /** What `name` means in a folder that `steps` run through. */
  wanted(steps: readonly Step[], name: string): Wanted | undefined {
    const folded = fold(name);
    const on: Step[] = [];
    let tree = false;
    let item = false;
    for (const { target, depth } of steps) {
      const next = target.folders[depth];
      if (next === undefined) {
        if (target.leaf !== undefined && wildcardMatches(target.leaf, folded)) item = true;
      } else if (next === folded || (target.wild[depth] === true && wildcardMatches(next, folded))) {
        on.push({ target, depth: depth + 1 });
        if (depth + 1 === target.folders.length && target.leaf === undefined) tree = true;
      }
    }
    return on.length === 0 && !item ? undefined : { steps: on, tree, item: item || tree };
  }

  /** True when entries of the folder that `steps` lead to are looked for. */
  looksInto(steps: readonly Step[]): boolean {
    return steps.some(({ target, depth }) => depth === target.folders.length && target.leaf !== undefined);
  }

  /** True when some pattern names the path itself. */
  covers(macPath: string): boolean {
    const folded = fold(macPath);
    for (const filter of this.#filters) if (wildcardMatches(filter, folded)) return true;
    const names = folded.split('/').slice(1);
    const leaf = names.pop() ?? '';
    return [leaf, '*'].some((name) =>
      this.#entries
        .get(`${names.length}/${name}`)
        ?.some(
          (entry) =>
            wildcardMatches(entry.leaf ?? '*', leaf) &&
            entry.folders.every((folder, index) => wildcardMatches(folder, names[index] ?? '')),
        ),
    );
  }
}

/** Folded first: `/ETC/*` means `/private/etc/*` too. */
function canonicalPattern(pattern: string): string {
  return canonicalMacPath(fold(canonicalMacPath(pattern)));
}
