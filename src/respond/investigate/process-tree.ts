import type { Micros } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import { wallTime } from '../../event/event.js';
import { commandOf, userOf } from './ancestry.js';
import { type Case, eventsOf } from './case.js';
import { textIn, textsIn } from './read.js';

/** A process with those that it started, as far as the events tell. */
export interface ProcessNode {
  readonly id: string;
  readonly pid: string | undefined;
  readonly executable: string | undefined;
  readonly command: string | undefined;
  readonly user: string | undefined;
  /** It is one of those that the alert is about. */
  readonly isMatch: boolean;
  /** What it did: `wrote the file`. */
  readonly note: string | undefined;
  readonly children: readonly ProcessNode[];
}

type Node = { -readonly [K in keyof Omit<ProcessNode, 'children'>]: ProcessNode[K] } & {
  parent: string | undefined;
  time: Micros;
};

const back: Micros = 24 * 3_600e6;
const ahead: Micros = 600e6;
const maxNodes = 80;
const maxDepth = 24;

/** The processes of an alert with their parents, and what these processes started within 10 minutes. */
export function processTreeOf(from: Case): ProcessNode[] {
  const { alert, store, expired } = from;
  const nodes = new Map<string, Node>();
  const own = eventsOf(alert.doc);
  const wanted = new Set<string>();
  for (const event of own) {
    take(nodes, event, {
      time: alert.time,
      isMatch: event.file === undefined,
      note: event.file === undefined ? undefined : 'wrote the file',
    });
    for (const id of [
      textIn(event, 'process.entity_id'),
      textIn(event, 'process.parent.entity_id'),
      ...textsIn(event, 'process.Ext.ancestry').slice(0, 16),
    ])
      if (id !== undefined) wanted.add(id);
  }
  if (wanted.size > 0) {
    const found = store.events.search(
      [...wanted],
      { from: alert.time - back, to: alert.time + ahead },
      { limit: 300, expired },
    );
    for (const event of found.events)
      if (event.doc.process !== undefined && event.doc.file === undefined)
        take(nodes, event.doc, { time: wallTime(event), isMatch: false, note: undefined });
  }
  return trees(nodes);
}

function take(
  nodes: Map<string, Node>,
  event: EcsDocument,
  {
    time,
    isMatch,
    note,
  }: { readonly time: Micros; readonly isMatch: boolean; readonly note: string | undefined },
): void {
  const parentId = textIn(event, 'process.parent.entity_id');
  add(nodes, event.process?.parent, {
    parent: undefined,
    time,
    user: undefined,
    isMatch: false,
    note: undefined,
  });
  // Of the parents that an event names by ids alone, each is the next one's child.
  const chain = [parentId, ...textsIn(event, 'process.Ext.ancestry').filter((id) => id !== parentId)];
  for (const [index, id] of chain.entries()) {
    const node = id === undefined ? undefined : nodes.get(id);
    if (node !== undefined) node.parent ??= chain[index + 1];
  }
  add(nodes, event.process, { parent: parentId, time, user: userOf(event), isMatch, note });
}

function add(
  nodes: Map<string, Node>,
  process: unknown,
  { parent, time, user, isMatch, note }: Pick<Node, 'parent' | 'time' | 'user' | 'isMatch' | 'note'>,
): void {
  const id =
    textIn(process, 'entity_id') ??
    (textIn(process, 'pid') === undefined ? undefined : `pid ${textIn(process, 'pid')}`);
  if (id === undefined) return;
  const known = nodes.get(id);
  if (known === undefined && nodes.size >= maxNodes) return;
  nodes.set(id, {
    id,
    pid: textIn(process, 'pid') ?? known?.pid,
    executable: textIn(process, 'executable') ?? textIn(process, 'name') ?? known?.executable,
    command: commandOf(process) ?? known?.command,
    user: user ?? known?.user,
    parent: parent ?? known?.parent,
    time: Math.min(time, known?.time ?? time),
    isMatch: isMatch || known?.isMatch === true,
    note: note ?? known?.note,
  });
}

function trees(nodes: ReadonlyMap<string, Node>): ProcessNode[] {
  const children = new Map<string | undefined, Node[]>();
  for (const node of nodes.values()) {
    const parent =
      node.parent !== undefined && nodes.has(node.parent) && node.parent !== node.id
        ? node.parent
        : undefined;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const shown = new Set<string>();
  const build = (node: Node, depth: number): ProcessNode => {
    shown.add(node.id);
    const { parent: _, time: __, ...rest } = node;
    const below = depth >= maxDepth ? [] : (children.get(node.id) ?? []).filter(({ id }) => !shown.has(id));
    return { ...rest, children: below.sort((a, b) => a.time - b.time).map((one) => build(one, depth + 1)) };
  };
  return (children.get(undefined) ?? [])
    .sort((a, b) => a.time - b.time)
    .map((node) => build(node, 0))
    .filter(tells);
}

/** A tree with more than a process that only started others beside the alert. */
function tells(node: ProcessNode): boolean {
  return node.isMatch || node.note !== undefined || node.children.some(tells);
}
