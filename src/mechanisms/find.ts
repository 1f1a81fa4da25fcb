import type { Mechanism, Place } from './mechanism.js';

/** What a path means to a mechanism. */
export interface Found {
  readonly mechanism: Mechanism;
  readonly place: Place;
  /** The item's file, or its bundle: the path itself or a folder above it. */
  readonly path: string;
  /** The home that it stands in. */
  readonly home: string | undefined;
  /** Whether what the path holds describes the item: its file, or that file of a bundle. */
  readonly describes: boolean;
}

/** One component of the places' paths. */
interface Node {
  readonly children: Map<string, Node>;
  /** Children whose names hold a `*`. */
  readonly wild: { readonly name: RegExp; readonly node: Node }[];
  readonly ends: { readonly mechanism: Mechanism; readonly place: Place; readonly order: number }[];
}

const usualHome = /^(?:\/Users\/[^/]+|\/private\/var\/root)(?=\/)/i;
const infoPlist = 'Contents/Info.plist';

/**
 * Finds the mechanism that a path belongs to: one walk down a tree of names, whatever the number of places. Of several
 * the first one in the list counts.
 */
export class MechanismPlaces {
  readonly #system = node();
  readonly #home = node();
  readonly #homes: () => Iterable<string>;

  /** `homes`: canonical paths of homes that do not stand in /Users. */
  constructor(mechanisms: readonly Mechanism[], homes: () => Iterable<string> = () => []) {
    this.#homes = homes;
    for (const [order, mechanism] of mechanisms.entries())
      for (const place of mechanism.places) {
        const top = place.scope === 'home' ? this.#home : this.#system;
        nodeOf(top, fold(place.path).split('/').filter(Boolean)).ends.push({ mechanism, place, order });
      }
  }

  /** `macPath`: a canonical path. */
  find(macPath: string): Found | undefined {
    const home = this.#homeOf(macPath);
    if (home !== undefined) {
      const found = walk(this.#home, macPath, home.length + 1);
      if (found !== undefined) return { ...found, home };
    }
    const found = walk(this.#system, macPath, 1);
    return found === undefined ? undefined : { ...found, home: undefined };
  }

  #homeOf(macPath: string): string | undefined {
    const usual = usualHome.exec(macPath)?.[0];
    if (usual !== undefined) return usual;
    for (const home of this.#homes()) if (macPath.startsWith(`${home}/`)) return home;
    return undefined;
  }
}

function node(): Node {
  return { children: new Map(), wild: [], ends: [] };
}

function nodeOf(top: Node, names: readonly string[]): Node {
  let at = top;
  for (const name of names) {
    const { children, wild } = at;
    const known = name.includes('*')
      ? wild.find((one) => one.name.source === wildcard(name).source)?.node
      : children.get(name);
    const next = known ?? node();
    if (known === undefined && name.includes('*')) wild.push({ name: wildcard(name), node: next });
    else children.set(name, next);
    at = next;
  }
  return at;
}

function wildcard(name: string): RegExp {
  return new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`);
}

/** `from`: where the first component begins. */
function walk(top: Node, macPath: string, from: number): Omit<Found, 'home'> | undefined {
  // Lower case alone keeps the places of ASCII characters.
  const lower = /^[\0-\x7f]*$/.test(macPath) ? macPath.toLowerCase() : undefined;
  let nodes: readonly Node[] = [top];
  let at = from;
  let best: Omit<Found, 'home'> | undefined;
  let least = Number.POSITIVE_INFINITY;
  while (at <= macPath.length) {
    const slash = macPath.indexOf('/', at);
    const end = slash === -1 ? macPath.length : slash;
    const name = lower?.slice(at, end) ?? fold(macPath.slice(at, end));
    const next: Node[] = [];
    for (const { children, wild } of nodes) {
      const child = children.get(name);
      if (child !== undefined) next.push(child);
      for (const one of wild) if (one.name.test(name)) next.push(one.node);
    }
    if (next.length === 0) break;
    for (const { ends } of next)
      for (const { mechanism, place, order } of ends) {
        if (order > least) continue;
        const found = within(place, macPath, end);
        // A place inside of a bundle is an item of its own where it describes one.
        if (found !== undefined && (order < least || (best?.describes === false && found.describes)))
          [best, least] = [{ mechanism, place, ...found }, order];
      }
    nodes = next;
    at = end + 1;
  }
  return best;
}

/** `end`: where the place's own path ends. */
function within(place: Place, macPath: string, end: number): Pick<Found, 'path' | 'describes'> | undefined {
  const { what } = place;
  if (what === 'file') return end === macPath.length ? { path: macPath, describes: true } : undefined;
  if (end + 1 >= macPath.length) return undefined;
  if (what === 'tree') return { path: macPath, describes: true };
  const slash = macPath.indexOf('/', end + 1);
  const path = slash === -1 ? macPath : macPath.slice(0, slash);
  if (!hasExtension(path, place.extensions)) return undefined;
  if (what === 'entries') return slash === -1 ? { path, describes: true } : undefined;
  const inside = slash === -1 ? undefined : macPath.slice(slash + 1);
  return { path, describes: inside !== undefined && fold(inside) === fold(place.describedBy ?? infoPlist) };
}

/** Without regard to case: `X.QLGenerator`. */
export function hasExtension(path: string, extensions: readonly string[] | undefined): boolean {
  if (extensions === undefined) return true;
  const name = fold(path.slice(path.lastIndexOf('/') + 1));
  return extensions.some((one) => name.endsWith(`.${one}`));
}

/** Names are compared as a Mac's usual volume does. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
