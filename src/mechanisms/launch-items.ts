import type { LaunchItemFields } from '../event/document.js';
import { jobIn } from './bundled-launch-item.js';
import { type ItemFacts, launchItemFacts } from './launch-item-facts.js';
import type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';

const folders = ['/Library', '/System/Library', '/Library/Apple/System/Library'];

/** Source: launchd.plist(5), launchctl(1). */
export const launchDaemon: Mechanism = {
  id: 'launch-daemon',
  name: 'launch daemon',
  knockKnock: 'Launch Items',
  techniques: ['T1543.004'],
  places: folders.map((folder) => below('system', `${folder}/LaunchDaemons`)),
  read: itemsOf,
  removal: ({ label }, { path }) =>
    `Boot it out with \`launchctl bootout system/${label ?? 'LABEL'}\` and delete ${path}.`,
};

export const launchAgent: Mechanism = {
  id: 'launch-agent',
  name: 'launch agent',
  knockKnock: 'Launch Items',
  techniques: ['T1543.001'],
  places: [
    ...folders.map((folder) => below('system', `${folder}/LaunchAgents`)),
    below('system', '/System/Library/LaunchAngels'),
    below('home', 'Library/LaunchAgents'),
  ],
  read: itemsOf,
  removal: ({ label }, { path }) =>
    `Boot it out of each session with \`launchctl bootout gui/UID/${label ?? 'LABEL'}\` and delete ${path}.`,
};

/** launchd loads nothing from folders below; what is put there is an item all the same, with a finding. */
function below(scope: Place['scope'], path: string): Place {
  return { scope, path, what: 'tree' };
}

function itemsOf(file: MechanismFile): readonly PersistentItem[] {
  const facts = launchItemFacts(
    {
      path: file.path,
      type: file.type,
      ...(file.uid === undefined ? {} : { uid: String(file.uid) }),
      ...(file.mode === undefined ? {} : { mode: file.mode.toString(8).padStart(4, '0') }),
    },
    file.content,
    file.list,
  );
  if (facts !== undefined) return [launchItemOf(facts, file.path)];
  // Of a home that stands elsewhere: which ones there are, the user records say.
  return file.home === undefined || file.type === 'dir' ? [] : jobIn(file);
}

/** What the facts of a launch item's file say. */
export function launchItemOf(facts: ItemFacts, macPath: string): PersistentItem {
  const { plist = {}, runs, findings } = facts;
  const daemon = /\/LaunchDaemons\//i.test(macPath);
  const as = daemon ? (plist.user_name ?? 'root') : undefined;
  return {
    // launchd keeps jobs by label, but the file is what persists: a new label in it is a change of the item.
    key: '',
    label: plist.label,
    runs,
    when: facts.plist === undefined ? [] : whenOf(plist, daemon),
    as,
    // launchd's own table of overrides counts more; without the key nothing can be said.
    enabled: plist.disabled === undefined ? undefined : !plist.disabled,
    findings,
  };
}

const words: Readonly<Record<string, When>> = {
  StartInterval: 'interval',
  StartCalendarInterval: 'calendar',
  StartOnMount: 'mount',
  WatchPaths: 'path',
  QueueDirectories: 'path',
  Sockets: 'socket',
  MachServices: 'message',
  LaunchEvents: 'event',
  inetdCompatibility: 'socket',
};

function whenOf({ run_at_load, keep_alive, triggers = [] }: LaunchItemFields, daemon: boolean): When[] {
  const when = new Set<When>();
  if (run_at_load === true || keep_alive === true) when.add(daemon ? 'boot' : 'login').add('load');
  if (keep_alive === true) when.add('always');
  for (const trigger of triggers) {
    const word = words[trigger];
    if (word !== undefined) when.add(word);
  }
  return when.size === 0 ? ['demand'] : [...when];
}
