import { whatRuns } from '../base/what-runs/index.js';
import { firstItems, itemOf } from './item.js';
import { elementsOf, type Json, jsonOf, member, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { runsOfShell } from './read.js';

/** Editors made from Visual Studio Code, below Library/Application Support. */
const editors = ['Code', 'Code - Insiders', 'VSCodium', 'Cursor', 'Windsurf', 'Antigravity', 'Kiro'];
/** Where people keep projects: a home's own folders and one level below them. */
const projects = [
  ...['*', 'Developer/*', 'Documents/*', 'Projects/*', 'src/*', 'code/*', 'git/*', 'repos/*', 'work/*'],
  ...['dev/*', 'workspace/*'],
];
const others = ['Desktop/*', 'Downloads/*', 'Documents/*/*', 'Developer/*/*'];

/** Tasks of Visual Studio Code and its kin; those that run when a folder is opened. Source: the reference of tasks.json. */
export const editorTask: Mechanism = {
  id: 'editor-task',
  name: 'editor task',
  techniques: ['T1546'],
  confidential: true,
  places: [
    ...editors.map(
      (one): Place => ({
        scope: 'home',
        path: `Library/Application Support/${one}/User/tasks.json`,
        what: 'file',
      }),
    ),
    ...projects.map(tasks),
    ...others.map((path): Place => ({ ...tasks(path), watched: false })),
  ],
  read: (file) => firstItems(tasksIn(file)),
  removal: ({ label }, { path }) => `Delete the task ${label ?? ''} from ${path}.`,
};

function tasks(folder: string): Place {
  return { scope: 'home', path: `${folder}/.vscode/tasks.json`, what: 'file' };
}

function* tasksIn(file: MechanismFile): Generator<PersistentItem> {
  for (const task of elementsOf(member(jsonOf(file), 'tasks')).slice(0, 1_000)) {
    const opens = stringOf(member(task, 'runOptions', 'runOn')) === 'folderOpen';
    // A task that its user starts is no persistence.
    if (!opens) continue;
    const label = stringOf(member(task, 'label')) ?? stringOf(member(task, 'taskName'));
    const command = commandOf(task) ?? commandOf(member(task, 'osx'));
    const runs =
      command === undefined
        ? []
        : member(task, 'type') === 'process'
          ? [whatRuns({ args: [command.program, ...command.args] })]
          : [runsOfShell([command.program, ...command.args].join(' '))];
    const hides =
      stringOf(member(task, 'presentation', 'reveal')) === 'never' || member(task, 'hide') === true;
    yield itemOf({
      key: label ?? command?.program ?? '',
      label,
      runs,
      when: ['host-program'],
      findings: ['runs-on-folder-open', ...(hides ? ['hidden-item'] : [])],
    });
  }
}

function commandOf(
  value: Json | undefined,
): { readonly program: string; readonly args: readonly string[] } | undefined {
  const text = member(value, 'command');
  const program = stringOf(text) ?? stringOf(member(text, 'value'));
  if (program === undefined) return undefined;
  const args = elementsOf(member(value, 'args')).slice(0, 256);
  return { program, args: args.flatMap((one) => stringOf(one) ?? stringOf(member(one, 'value')) ?? []) };
}
