import { descriptionKey, descriptions } from './descriptions.js';
import { configSchema } from './schema.js';

/** What a value looks like in the file: the part of the schema that editors, device management and people need. */
export type Shape =
  | Table
  | { readonly kind: 'variant'; readonly tables: Readonly<Record<string, Table>> }
  | { readonly kind: 'list'; readonly item: Shape; readonly least?: number; readonly most?: number }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'text'; readonly pattern?: string; readonly expects?: string }
  | { readonly kind: 'number'; readonly least?: number; readonly most?: number }
  | { readonly kind: 'switch' }
  | { readonly kind: 'size' }
  | { readonly kind: 'duration' }
  /** Keys of one's own. */
  | { readonly kind: 'map'; readonly item: Shape }
  /** `false`, or a table. */
  | { readonly kind: 'off-or'; readonly table: Table }
  | { readonly kind: 'any' };

export interface Table {
  readonly kind: 'table';
  readonly keys: Readonly<Record<string, Key>>;
}

export interface Key {
  readonly shape: Shape;
  readonly description: string;
  /** As it would be written. */
  readonly fallback?: unknown;
  readonly required: boolean;
}

/** What valibot's schemas have at run time, as far as it is used here. */
interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly wrapped?: Node;
  readonly default?: unknown;
  readonly item?: Node;
  readonly value?: Node;
  readonly options?: readonly (Node | string)[];
  readonly literal?: unknown;
  readonly message?: unknown;
  readonly pipe?: readonly Step[];
}

interface Step {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
  readonly message?: unknown;
  readonly pipe?: readonly Step[];
}

/** All steps behind the schema, those of a pipe within a pipe too. */
function stepsOf({ pipe = [] }: { readonly pipe?: readonly Step[] }): Step[] {
  const [first, ...rest] = pipe;
  return [...(first === undefined || first.pipe === undefined ? [] : stepsOf(first)), ...rest];
}

const numberOf = (steps: readonly Step[], type: string) =>
  steps.find((step) => step.type === type)?.requirement as number | undefined;

function textShape(node: Node): Shape {
  const steps = stepsOf(node);
  const message = typeof node.message === 'string' ? node.message : '';
  if (/^a duration/.test(message)) return { kind: 'duration' };
  const regex = steps.find(({ type }) => type === 'regex');
  const said = steps.findLast(({ message: one }) => typeof one === 'string')?.message ?? node.message;
  return {
    kind: 'text',
    ...(regex === undefined ? {} : { pattern: (regex.requirement as RegExp).source }),
    ...(typeof said === 'string' ? { expects: said } : {}),
  };
}

function limits(steps: readonly Step[], least: string, most: string): { least?: number; most?: number } {
  const [low, high] = [numberOf(steps, least), numberOf(steps, most)];
  return { ...(low === undefined ? {} : { least: low }), ...(high === undefined ? {} : { most: high }) };
}

function tableOf(node: Node, path: readonly string[]): Table {
  const keys = Object.entries(node.entries ?? {}).map(([name, child]) => [
    name,
    keyOf(child, [...path, name]),
  ]);
  return { kind: 'table', keys: Object.fromEntries(keys) as Record<string, Key> };
}

function unionShape(node: Node, path: readonly string[]): Shape {
  const options = (node.options ?? []) as readonly Node[];
  const table = options.find(({ entries }) => entries !== undefined);
  if (table !== undefined) return { kind: 'off-or', table: tableOf(table, path) };
  if (typeof node.message === 'string' && node.message.startsWith('a size')) return { kind: 'size' };
  return { kind: 'any' };
}

function shapeOf(node: Node, path: readonly string[]): Shape {
  switch (node.type) {
    case 'strict_object':
      return tableOf(node, path);
    case 'variant': {
      const tables = (node.options as readonly Node[]).map((one) => {
        const type = String(one.entries?.['type']?.literal);
        return [type, tableOf(one, [...path, type])] as const;
      });
      return { kind: 'variant', tables: Object.fromEntries(tables) };
    }
    case 'array':
      return {
        kind: 'list',
        item: shapeOf(node.item as Node, path),
        ...limits(stepsOf(node), 'min_length', 'max_length'),
      };
    case 'picklist':
      return { kind: 'words', words: node.options as readonly string[] };
    case 'literal':
      return { kind: 'words', words: [String(node.literal)] };
    case 'string':
      return textShape(node);
    case 'number':
      return { kind: 'number', ...limits(stepsOf(node), 'min_value', 'max_value') };
    case 'boolean':
      return { kind: 'switch' };
    case 'record':
      return { kind: 'map', item: shapeOf(node.value as Node, path) };
    case 'union':
      return unionShape(node, path);
    default:
      return { kind: 'any' };
  }
}

function keyOf(node: Node, path: readonly string[]): Key {
  const key = descriptionKey(path);
  const optional = node.wrapped !== undefined;
  const empty = typeof node.default === 'object' && Object.keys(node.default ?? {}).length === 0;
  return {
    shape: shapeOf(node.wrapped ?? node, path),
    description: key === undefined ? '' : (descriptions[key] as string),
    required: !optional,
    ...(node.default === undefined || (empty && !Array.isArray(node.default))
      ? {}
      : { fallback: node.default }),
  };
}

/** The configuration file as a whole. */
export function configShape(): Table {
  return tableOf(configSchema as unknown as Node, []);
}
