import { nameOf } from './bundle.js';
import { ownersItem } from './item.js';
import { elementsOf, jsonOf, member, stringOf } from './json.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { runsOfProgram } from './read.js';

const folders = [
  '.vscode',
  '.vscode-insiders',
  '.vscode-oss',
  '.cursor',
  '.windsurf',
  '.antigravity',
  '.kiro',
];

/**
 * Extensions of Visual Studio Code and its kin. An editor has dozens, and updates them by itself: the inventory alone looks
 * there. Source: the reference of the extension manifest.
 */
export const editorExtension: Mechanism = {
  id: 'editor-extension',
  name: 'extension of an editor',
  techniques: ['T1176'],
  places: folders.map(
    (folder): Place => ({
      scope: 'home',
      path: `${folder}/extensions`,
      what: 'bundles',
      describedBy: 'package.json',
      watched: false,
    }),
  ),
  read: (file) => extensionIn(file),
  removal: ({ label }) => `Uninstall ${label ?? 'it'} in the editor.`,
};

function extensionIn(file: MechanismFile): PersistentItem[] {
  const manifest = jsonOf(file);
  const name = stringOf(member(manifest, 'name'));
  const main = stringOf(member(manifest, 'main'));
  // A theme, or a language without code.
  if (main === undefined) return [];
  const publisher = stringOf(member(manifest, 'publisher'));
  const events = elementsOf(member(manifest, 'activationEvents'));
  const always = events.includes('*') || events.includes('onStartupFinished');
  return [
    ownersItem({
      label: name === undefined ? nameOf(file.path) : `${publisher ?? '?'}.${name}`,
      runs: [runsOfProgram(`${file.path}/${main}`)],
      when: [always ? 'host-program' : 'event'],
    }),
  ];
}
