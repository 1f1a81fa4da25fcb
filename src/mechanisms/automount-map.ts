import { nameOf } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram } from './read.js';
import { runsOfScript } from './script-lines.js';

/** Maps of the automounter that are programs: it runs them as root when their folder is looked into. Source: auto_master(5). */
export const automountMap: Mechanism = {
  id: 'automount-map',
  name: 'automount map',
  techniques: ['T1546'],
  byLine: true,
  places: [
    { scope: 'system', path: '/private/etc/auto_*', what: 'file' },
    { scope: 'system', path: '/private/etc/autofs.conf', what: 'file' },
  ],
  read: (file) => {
    if (/\/autofs\.conf$/i.test(file.path)) return firstItems(settingsIn(file));
    const program = ((file.mode ?? 0) & 0o111) !== 0;
    return [
      ...(program
        ? [itemOf({ runs: [runsOfProgram(file.path), ...runsOfScript(file)], ...atLook, findings: [] })]
        : []),
      ...(/\/auto_master$/i.test(file.path) ? firstItems(mapsIn(file)) : []),
    ];
  },
  removal: ({ key }, { path }) =>
    key === ''
      ? `Delete ${path}, or take its right of execution away with \`chmod -x ${path}\`; then \`automount -vc\`.`
      : `Delete the line \`${key}\` from ${path}, then \`automount -vc\`.`,
};

const atLook = { when: ['path'], as: 'root' } as const;
/** Maps that macOS brings: built in, or a file that is watched itself. */
const usual = /^(?:-(?:hosts|static|fstab|null|nobrowse)|auto_[\w.-]+|\/(?:private\/)?etc\/auto_[\w.-]+)$/i;

/** `mount point, map, options`; `+auto_master` reads the directory's. */
function* mapsIn(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file, { joins: true })) {
    const [point = '', map] = text.split(/\s+/, 3);
    if (point.startsWith('+') || map === undefined || usual.test(map)) continue;
    const runs = [runsOfProgram(map.startsWith('/') ? map : `/private/etc/${map}`)];
    yield itemOf({ key: text, label: `${point} ${nameOf(map)}`, runs, ...atLook });
  }
}

/** `AUTOMOUNTD_ENV=NAME=value`: variables of the daemon. */
function* settingsIn(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file))
    if (/^AUTOMOUNTD_ENV\s*=/i.test(text))
      yield itemOf({ key: text, label: 'AUTOMOUNTD_ENV', ...atLook, findings: ['sets-environment'] });
}
