import type { KeyPath } from '../base/toml-positions.js';
import { destinationName } from '../forward/options.js';

/** Where written values come from, the weakest first. */
export type LayerName = 'file' | 'policy' | 'managed';

/** Tables as they were written in one place, without defaults. */
export interface Layer {
  readonly name: LayerName;
  readonly tables: Tables;
}

export type Tables = Readonly<Record<string, unknown>>;

/** Where one value was written: the layer, and its path there. */
export interface Written {
  readonly layer: LayerName;
  readonly path: KeyPath;
}

/** Of the same shape as the tables; what is no table and no list of tables has its origin at its place. */
export type WrittenTree = Written | { readonly [key: string]: WrittenTree } | readonly WrittenTree[];

export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

const isListOfTables = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every(isTable);

function treeOf(value: unknown, layer: LayerName, path: KeyPath): WrittenTree {
  if (isTable(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, treeOf(child, layer, [...path, key])]),
    );
  if (isListOfTables(value)) return value.map((one, index) => treeOf(one, layer, [...path, index]));
  return { layer, path };
}

interface Merged {
  readonly value: unknown;
  readonly tree: WrittenTree;
}

const nameOf = (one: Record<string, unknown>) =>
  destinationName(one as { readonly name?: string; readonly type: string });

/** Destinations of one name: the later one takes the place of the earlier one. None can be taken away. */
function mergeDestinations(below: Merged, above: Merged): Merged {
  const values = [...(below.value as Record<string, unknown>[])];
  const trees = [...(below.tree as readonly WrittenTree[])];
  for (const [index, one] of (above.value as Record<string, unknown>[]).entries()) {
    const known = values.findIndex((other) => nameOf(other) === nameOf(one));
    const at = known === -1 ? values.length : known;
    values[at] = one;
    trees[at] = (above.tree as readonly WrittenTree[])[index] as WrittenTree;
  }
  return { value: values, tree: trees };
}

function mergeTwo(below: Merged, above: Merged, path: KeyPath): Merged {
  if (path.length === 1 && path[0] === 'destination')
    if (isListOfTables(above.value))
      return mergeDestinations(isListOfTables(below.value) ? below : { value: [], tree: [] }, above);
  if (!isTable(below.value) || !isTable(above.value)) return above;
  const values: Record<string, unknown> = { ...below.value };
  const trees = { ...(below.tree as Record<string, WrittenTree>) };
  for (const [key, value] of Object.entries(above.value)) {
    const upper = { value, tree: (above.tree as Record<string, WrittenTree>)[key] as WrittenTree };
    const isKnown = Object.hasOwn(values, key);
    const lower = isKnown
      ? { value: values[key], tree: trees[key] as WrittenTree }
      : { value: undefined, tree: {} };
    const merged = mergeTwo(lower, upper, [...path, key]);
    values[key] = merged.value;
    trees[key] = merged.tree;
  }
  return { value: values, tree: trees };
}

/**
 * Puts layers over each other, the weakest first: key by key, a list as a whole, `[[destination]]` by name. What only a
 * weaker layer holds stays.
 */
export function mergeLayers(layers: readonly Layer[]): {
  readonly tables: Record<string, unknown>;
  readonly written: WrittenTree;
} {
  let merged: Merged = { value: {}, tree: {} };
  for (const { name, tables } of layers)
    merged = mergeTwo(merged, { value: tables, tree: treeOf(tables, name, []) }, []);
  return { tables: merged.value as Record<string, unknown>, written: merged.tree };
}

/** The part of a tree below a key; undefined when nothing was written there. */
export function below(tree: WrittenTree | undefined, key: string | number): WrittenTree | undefined {
  if (tree === undefined || isWritten(tree)) return undefined;
  return (tree as Record<string | number, WrittenTree>)[key];
}

export function isWritten(tree: WrittenTree): tree is Written {
  const { layer, path } = tree as Partial<Written>;
  return typeof layer === 'string' && Array.isArray(path);
}
