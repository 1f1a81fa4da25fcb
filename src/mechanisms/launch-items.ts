import type { LaunchItemFields } from '../event/document.js';
import { launchItemFacts } from './launch-item-facts.js';
import type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';

const folders = ['/Library', '/System/Library', '/Library/Apple/System/Library'];

/** Source: launchd.plist(5), launchctl(1). */
export const launchDaemon: Mechanism = {
  id: 'launch-daemon',
  name: 'launch daemon',
  knockKnock: 'Launch Items',
  techniques: ['T1543.004'],
  places: folders.map((folder) => entries('system', `${folder}/LaunchDaemons`)),
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
    ...folders.map((folder) => entries('system', `${folder}/LaunchAgents`)),
    entries('system', '/System/Library/LaunchAngels'),
    entries('home', 'Library/LaunchAgents'),
  ],
  read: itemsOf,
  removal: ({ label }, { path }) =>
    `Boot it out of each session with \`launchctl bootout gui/UID/${label ?? 'LABEL'}\` and delete ${path}.`,
};

function entries(scope: Place['scope'], path: string): Place {
  return { scope, path, what: 'entries' };
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
  );
  if (facts === undefined) return [];
  const { plist = {}, runs, findings } = facts;
  const daemon = /\/LaunchDaemons\/[^/]+$/i.test(file.path);
  const as = daemon ? (plist.user_name ?? 'root') : undefined;
  return [
    {
      // launchd keeps jobs by label, but the file is what persists: a new label in it is a change of the item.
      key: '',
      label: plist.label,
      runs,
      when: whenOf(plist, daemon),
      as,
      enabled: plist.disabled === true ? false : undefined,
      findings,
    },
  ];
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
