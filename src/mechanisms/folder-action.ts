import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import { KeyedArchive } from './keyed-archive.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, plistValueOf, runsOfProgram } from './read.js';
import { pathOfUrl } from './values.js';
import { workflowItem } from './workflow.js';

const scripts = 'Library/Scripts/Folder Action Scripts';
const actions = 'Library/Workflows/Applications/Folder Actions';

/** Scripts and workflows that run when something changes in a folder, and the list that attaches them to folders. */
export const folderAction: Mechanism = {
  id: 'folder-action',
  name: 'folder action',
  techniques: ['T1546'],
  places: [
    { scope: 'home', path: scripts, what: 'entries' },
    { scope: 'system', path: `/${scripts}`, what: 'entries' },
    ...(['home', 'system'] as const).map(
      (scope): Place => ({
        scope,
        path: scope === 'home' ? actions : `/${actions}`,
        what: 'bundles',
        extensions: ['workflow'],
        describedBy: 'Contents/document.wflow',
      }),
    ),
    { scope: 'home', path: 'Library/Preferences/com.apple.FolderActionsDispatcher.plist', what: 'file' },
  ],
  read: (file) => {
    if (/\.plist$/i.test(file.path)) return firstItems(attached(file));
    if (file.type === 'dir') return workflowItem(file, ['path']);
    return [itemOf({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], when: ['path'] })];
  },
  removal: ({ label }, { path }) =>
    `Detach ${label ?? 'it'} from its folder (Folder Actions Setup), then delete the script${/\.plist$/i.test(path) ? '' : ` ${path}`}.`,
};

/** `folderActions` is an archive in the list: folders with the scripts that are attached to them. */
function* attached(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  const bytes = list?.value.get('folderActions');
  if (list === undefined || !(bytes instanceof Uint8Array)) return;
  const inner = plistValueOf({
    ...file,
    content: { bytes, size: bytes.length, truncated: false },
  });
  const archive = KeyedArchive.of(inner?.value);
  if (archive === undefined) return;
  for (const object of [...archive.objectsOf('NSURL'), ...archive.objectsOf('OAFolderActionScript')]) {
    const url = archive.text(object) ?? archive.text(archive.at(object, 'url'));
    const path = url === undefined ? undefined : pathOfUrl(url);
    // Folders are named the same way; what runs is a script or a workflow.
    if (path === undefined || !/\.(?:scpt|scptd|applescript|js|workflow|app)$/i.test(path)) continue;
    yield itemOf({
      key: path,
      label: nameOf(path),
      runs: [runsOfProgram(path)],
      when: ['path'],
      findings: [...list.findings, ...(inner?.findings ?? [])],
    });
  }
}
