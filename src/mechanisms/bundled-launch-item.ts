import { applicationEntries } from './bundle.js';
import { itemOf } from './item.js';
import { launchItem } from './launch-item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf } from './read.js';

/** Agents and daemons that stand inside an application, which registers them (SMAppService, from 13). Source: launchd.plist(5), `BundleProgram`. */
export const bundledLaunchItem: Mechanism = {
  id: 'bundled-launch-item',
  name: 'launch item of an application',
  knockKnock: 'Launch Items',
  techniques: ['T1543.001', 'T1543.004'],
  places: [
    ...applicationEntries('Library/LaunchAgents', ['plist']),
    ...applicationEntries('Library/LaunchDaemons', ['plist']),
  ],
  read: jobIn,
  removal: ({ label }, { path }) =>
    `Switch its application off under Login Items in System Settings, boot out ${label ?? 'its label'}, then delete the application that holds ${path}.`,
};

/** The job that a list describes which stands in none of launchd's usual directories. */
export function jobIn(file: MechanismFile): PersistentItem[] {
  const list = plistOf(file);
  const job = list === undefined ? undefined : launchItem(new Map(list.value), { path: file.path });
  if (list === undefined || job === undefined || list.value.size === 0) return [];
  const { label, run_at_load, keep_alive, user_name, disabled } = job.fields;
  const daemon = /\/LaunchDaemons\//i.test(file.path);
  const starts = run_at_load === true || keep_alive === true;
  return [
    itemOf({
      label,
      runs: job.runs,
      when: starts ? [daemon ? 'boot' : 'login', 'load'] : ['demand'],
      as: daemon ? (user_name ?? 'root') : undefined,
      // Whether its application has registered it stands in the database of the background items.
      enabled: disabled === true ? false : undefined,
      findings: [...list.findings, ...job.findings],
    }),
  ];
}
