import type { Micros } from '../../base/time.js';
import type { EcsDocument, ProcessFields } from '../../event/document.js';
import type { AnswerPoint } from '../../event/investigation.js';
import { installerOf } from '../../event/priority.js';
import { point } from './answer.js';
import type { Case } from './case.js';
import { textIn, textsIn } from './read.js';

/** One process of a line of parents, the nearest first. */
export interface Ancestor {
  readonly pid: string | undefined;
  readonly executable: string | undefined;
  readonly command: string | undefined;
}

export interface Ancestry {
  readonly ancestors: readonly Ancestor[];
  /** How many are known by nothing but their ids. */
  readonly unresolved: number;
}

const back: Micros = 24 * 3_600e6;
const most = 16;

/** The parents of a process as far as its event and the stored events tell them. */
export function ancestryOf(process: unknown, { alert, store, expired }: Case): Ancestry {
  const parent = ancestorOf(textOf(process, 'parent'));
  const first = textIn(process, 'parent.entity_id');
  const ids = textsIn(process, 'Ext.ancestry')
    .filter((id) => id !== first)
    .slice(0, most);
  const found = store.events.search(
    ids,
    { from: alert.time - back, to: alert.time + 1 },
    { limit: 200, expired },
  );
  const byId = new Map<string, Ancestor>();
  for (const { doc } of found.events) {
    for (const one of [doc.process, doc.process?.parent]) {
      const id = textIn(one, 'entity_id');
      const ancestor = ancestorOf(one);
      if (id !== undefined && ancestor !== undefined && byId.get(id)?.command === undefined)
        byId.set(id, ancestor);
    }
  }
  const known = ids.map((id) => byId.get(id));
  return {
    ancestors: [...(parent === undefined ? [] : [parent]), ...known.filter((one) => one !== undefined)],
    unresolved: known.filter((one) => one === undefined).length,
  };
}

function textOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function ancestorOf(process: unknown): Ancestor | undefined {
  const executable = textIn(process, 'executable') ?? textIn(process, 'name');
  const command = commandOf(process);
  if (executable === undefined && command === undefined) return undefined;
  return { pid: textIn(process, 'pid'), executable, command };
}

export function commandOf(process: unknown): string | undefined {
  const args = textsIn(process, 'args');
  return textIn(process, 'command_line') ?? (args.length === 0 ? undefined : args.join(' '));
}

/** `zsh (pid 7): -zsh`. */
export function ancestorLine({ pid, executable, command }: Ancestor): string {
  const head = `${executable ?? '?'}${pid === undefined ? '' : ` (pid ${pid})`}`;
  return command === undefined || command === executable ? head : `${head}: ${command}`;
}

const oddPlace = /^\/private\/(?:tmp|var\/tmp)\/|^\/Users\/Shared\/|\/\.[^/.]|^\/Users\/[^/]+\/Downloads\//;
const documents =
  /\/(?:Microsoft (?:Word|Excel|PowerPoint|Outlook)|Safari|Google Chrome|firefox|Firefox|Preview|Mail|Slack|Messages)(?: |$|\/)/;

/** What the line of processes up to the first one says about who is behind it. */
export function originPoints(process: unknown, { ancestors }: Ancestry): AnswerPoint[] {
  const points: AnswerPoint[] = [];
  const installer = installerOf(process as ProcessFields | undefined);
  if (installer !== undefined)
    points.push(
      point('reassuring', "macOS' own installer did it, with a signature that the kernel checked."),
    );
  for (const { executable = '', command = '' } of ancestors) {
    const name = executable.slice(executable.lastIndexOf('/') + 1);
    if (oddPlace.test(executable))
      points.push(
        point(
          'worrying',
          `${executable} stands in a hidden folder or in one that anybody may fill, and is one of its parents.`,
        ),
      );
    else if (documents.test(executable))
      points.push(
        point('worrying', `${name} is one of its parents: a document, a page or a message started this.`),
      );
    else if (name === 'osascript')
      points.push(point('worrying', 'A script of osascript is one of its parents.'));
    else if (/\b(?:curl|wget)\b.*\|\s*(?:ba|z|da)?sh\b/.test(command))
      points.push(point('worrying', 'One of its parents ran a script straight from the network.'));
    else if (/^(?:installer|installd|package_script_service|system_installd)$/.test(name))
      points.push(point('notable', `${name} is one of its parents: it may come with a package.`));
    else if (name === 'sshd' || name === 'sshd-session')
      points.push(point('notable', 'It was done over SSH.'));
    else if (/^(?:Terminal|iTerm2|Warp|kitty|ghostty)$/.test(name))
      points.push(point('neutral', `It was done in ${name}: somebody typed it, or pasted it.`));
    else if (
      /^(?:jamf|JamfDaemon|kandji-.*|mosyle.*|munki.*|managedsoftwareupdate|chef-client|puppet|fleetd|orbit)$/i.test(
        name,
      )
    )
      points.push(
        point('reassuring', `${name} is one of its parents: your device management may have done it.`),
      );
  }
  return points;
}

/** The user of an event, with the real one where that is another. */
export function userOf(doc: EcsDocument): string | undefined {
  const [name, id] = [textIn(doc, 'user.name'), textIn(doc, 'user.id')];
  const whole = name !== undefined && id !== undefined ? `${name} (uid ${id})` : (name ?? id);
  const real = textIn(doc, 'user.Ext.real.name');
  return real === undefined || real === name ? whole : `${whole ?? '?'}, really ${real}`;
}
