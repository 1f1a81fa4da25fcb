import { type CatalogEntry, catalog } from './catalog.js';
import type { Argument, Example } from './define-command.js';
import { commonOptions } from './parser.js';

export interface TreeOption {
  /** `--since`. */
  readonly long: string;
  /** What is written behind it: `TIME`; undefined of a switch. */
  readonly value: string | undefined;
  /** The value may be left out. */
  readonly optional: boolean;
  readonly summary: string;
}

/** A command, or a noun with its commands, with all that completions and the manual tell of it. */
export interface CommandNode {
  readonly name: string;
  /** The words behind the program's name. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly description: string | undefined;
  readonly needs: string | undefined;
  /** Its own, without those that every command takes. */
  readonly options: readonly TreeOption[];
  readonly arguments: readonly Argument[];
  readonly examples: readonly Example[];
  /** Empty of a command. */
  readonly children: readonly CommandNode[];
}

const help: TreeOption = { long: '--help', value: undefined, optional: false, summary: 'show this help' };

/** What every command takes. */
export const everywhere: readonly TreeOption[] = [...Object.values(commonOptions).map(treeOption), help];

function treeOption({ flags, summary }: { readonly flags: string; readonly summary: string }): TreeOption {
  const [, long = flags, rest = ''] = /^(--[a-z0-9-]+)(?: (.+))?$/.exec(flags) ?? [];
  const optional = rest.startsWith('[');
  return { long, value: rest === '' ? undefined : rest.replace(/[[\]]/g, ''), optional, summary };
}

/** Loads every command. */
export async function commandTree(
  entry: CatalogEntry = catalog,
  words: readonly string[] = [],
): Promise<CommandNode> {
  const command = await entry.load?.();
  return {
    name: entry.name,
    words,
    summary: entry.summary,
    description: command?.description?.replace(/(\S)\n(?=\S)/g, '$1 '),
    needs: command?.needs,
    options: Object.values(command?.options ?? {}).map(treeOption),
    arguments: command?.arguments ?? [],
    examples: command?.examples ?? [],
    children: await Promise.all((entry.commands ?? []).map((one) => commandTree(one, [...words, one.name]))),
  };
}

/** The node and all below it, in the order of the catalog. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

/** Whether a value, or an argument, is a file or folder of this machine. */
export function isPlace(value: string): boolean {
  return /^\[?(?:FILE|DIR|FOLDER|PATH|TREE)\b/.test(value);
}
