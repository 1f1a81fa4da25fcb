import type { PlistValue } from '../base/plist/index.js';
import { type WhatRuns, whatRuns } from '../base/what-runs/index.js';
import { nameOf } from './bundle.js';
import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';
import { plistOf, runsOfProgram, runsOfShell, stringAt } from './read.js';
import { valueAt } from './values.js';

const describedBy = 'Contents/document.wflow';
const extensions = ['workflow', 'service'];
const maxActions = 256;

/** Services of menus and workflows of Automator. Source: automator(1); a workflow is a property list of actions. */
export const workflow: Mechanism = {
  id: 'workflow',
  name: 'service or workflow',
  techniques: ['T1546'],
  places: [
    ...['Library/Services', 'Library/Workflows', 'Library/Workflows/Applications/*'].flatMap(
      (path): Place[] => [
        { scope: 'home', path, what: 'bundles', extensions, describedBy },
        { scope: 'system', path: `/${path}`, what: 'bundles', extensions, describedBy },
      ],
    ),
    ...['com.apple.mail', 'com.apple.iCal', 'com.apple.Automator'].map(
      (id): Place => ({ scope: 'home', path: `Library/Application Scripts/${id}`, what: 'entries' }),
    ),
  ],
  read: (file) =>
    file.type === 'dir' || /\.wflow$/i.test(file.path)
      ? workflowItem(file, ['demand'])
      : [itemOf({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], when: ['demand'] })],
  removal: (_item, { path }) => `Delete ${path}.`,
};

/** What the actions of a workflow run: shell texts, scripts, and applications that they open. */
export function workflowItem(file: MechanismFile, when: readonly When[]): PersistentItem[] {
  const list = plistOf(file);
  const actions = list?.value.get('actions');
  const runs = (Array.isArray(actions) ? actions.slice(0, maxActions) : []).flatMap((one) =>
    runsOfAction(one),
  );
  return [
    itemOf({
      label: nameOf(file.path),
      runs: runs.length === 0 ? [runsOfProgram(file.path)] : runs.slice(0, 64),
      when,
      findings: list?.findings ?? [],
    }),
  ];
}

function runsOfAction(action: PlistValue): WhatRuns[] {
  const parameters = valueAt(action, 'action', 'ActionParameters');
  if (!(parameters instanceof Map)) return [];
  const shell = stringAt(parameters, 'COMMAND_STRING');
  if (shell !== undefined) {
    const by = stringAt(parameters, 'shell') ?? '/bin/sh';
    return /\/(?:ba|z|k|da|tc|c)?sh$/.test(by)
      ? [runsOfShell(shell)]
      : [whatRuns({ args: [by, '-c', shell] })];
  }
  const source = stringAt(parameters, 'source');
  return source === undefined ? [] : [whatRuns({ args: ['/usr/bin/osascript', '-e', source] })];
}
