import { itemOf } from './item.js';
import { launchItem } from './launch-item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf } from './read.js';

const prefixes = ['/opt/homebrew', '/usr/local'];

/**
 * Services that packages of Homebrew bring: the lists that `brew services start` copies into a launch directory, from where
 * on they are launch agents or daemons.
 */
export const homebrewService: Mechanism = {
  id: 'homebrew-service',
  name: 'Homebrew service',
  techniques: ['T1543.001'],
  places: prefixes.flatMap((prefix): Place[] => [
    { scope: 'system', path: `${prefix}/Cellar/*/*/homebrew.*.plist`, what: 'file' },
    { scope: 'system', path: `${prefix}/opt/*/homebrew.*.plist`, what: 'file' },
  ]),
  read: (file) => serviceOf(file),
  removal: (_item, { path }) =>
    `Stop it with \`brew services stop ${/\/(?:Cellar|opt)\/([^/]+)\//i.exec(path)?.[1] ?? 'NAME'}\`, then uninstall the package.`,
};

function serviceOf(file: MechanismFile): PersistentItem[] {
  const list = plistOf(file);
  const job = list === undefined ? undefined : launchItem(new Map(list.value), { path: file.path });
  if (list === undefined || job === undefined || list.value.size === 0) return [];
  const { label, run_at_load, keep_alive } = job.fields;
  return [
    itemOf({
      label,
      runs: job.runs,
      when: run_at_load === true || keep_alive === true ? ['login', 'load'] : ['demand'],
      // It does not run before somebody starts the service.
      enabled: false,
      findings: [...list.findings, ...job.findings],
    }),
  ];
}
