import { whatRuns } from '../base/what-runs/index.js';
import { firstItems, itemOf, ownersItem } from './item.js';
import { elementsOf, type Json, jsonOf, member, membersOf, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { runsOfShell } from './read.js';
import { variableFinding } from './search-path.js';

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
    ...['tasks.json', 'settings.json'].flatMap((name) =>
      editors.map(
        (one): Place => ({
          scope: 'home',
          path: `Library/Application Support/${one}/User/${name}`,
          what: 'file',
        }),
      ),
    ),
    ...projects.map(tasks),
    ...others.map((path): Place => ({ ...tasks(path), watched: false })),
  ],
  read: (file) => firstItems(/\/settings\.json$/i.test(file.path) ? terminalsIn(file) : tasksIn(file)),
  removal: ({ label }, { path }) => `Delete ${label ?? 'the task'} from ${path}.`,
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

const usualShell =
  /^(?:(?:\/bin\/|\/(?:usr\/local|opt\/homebrew)\/bin\/)?(?:zsh|bash|sh|fish|tcsh|ksh|dash|pwsh|tmux|nu))$/;

/** Programs that the editor's own terminals run, and variables that it hands to them. */
function* terminalsIn(file: MechanismFile): Generator<PersistentItem> {
  const settings = jsonOf(file);
  const profiles = [
    ...membersOf(member(settings, 'terminal.integrated.profiles.osx')),
    ...['terminal.integrated.automationProfile.osx', 'terminal.integrated.shell.osx'].flatMap(
      (name): [string, Json][] => {
        const value = member(settings, name);
        return value === undefined ? [] : [[name, value]];
      },
    ),
  ];
  for (const [name, value] of profiles.slice(0, 256)) {
    const found = member(value, 'path');
    const paths = [value, found, ...elementsOf(found)].flatMap((one) => stringOf(one) ?? []);
    const args = elementsOf(member(value, 'args')).flatMap((one) => stringOf(one) ?? []);
    const odd = paths.filter((one) => !usualShell.test(one));
    if (odd.length === 0 && !args.some((one) => /^-\w*c$|^--(?:rcfile|init-command)/.test(one))) continue;
    const runs = paths.slice(0, 16).map((one) => whatRuns({ args: [one, ...args.slice(0, 256)] }));
    yield ownersItem({ key: name, label: name, runs, when: ['host-program'] });
  }
  for (const [name, value] of membersOf(member(settings, 'terminal.integrated.env.osx')).slice(0, 256)) {
    const text = stringOf(value) ?? '';
    const finding = name === 'PATH' ? undefined : variableFinding(name, text);
    if (finding === undefined) continue;
    const label = `${name}=${text}`;
    yield ownersItem({ key: label, label, when: ['host-program'], findings: [finding] });
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
