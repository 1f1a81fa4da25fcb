import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfProgram } from './read.js';
import { runsOfScript } from './script-lines.js';

/** Scripts that run once a day, week or month, and the settings that name more of them. Source: periodic(8), periodic.conf(5). */
export const periodic: Mechanism = {
  id: 'periodic',
  name: 'periodic script',
  knockKnock: 'Periodic Scripts',
  techniques: ['T1053'],
  byLine: true,
  places: [
    ...['/private/etc/periodic/*', '/usr/local/etc/periodic/*'].map(
      (path): Place => ({ scope: 'system', path, what: 'entries' }),
    ),
    ...['defaults/periodic.conf', 'periodic.conf', 'periodic.conf.local'].map(file),
    ...['daily.local', 'weekly.local', 'monthly.local'].map(file),
  ],
  read: (file) =>
    /\.conf(?:\.local)?$/i.test(file.path)
      ? firstItems(settingsOf(file))
      : [itemOf({ runs: [runsOfProgram(file.path), ...runsOfScript(file)], when: ['calendar'], as: 'root' })],
  removal: ({ key }, { path }) => (key === '' ? `Delete ${path}.` : `Delete the line of ${key} in ${path}.`),
};

function file(name: string): Place {
  return { scope: 'system', path: `/private/etc/${name}`, what: 'file' };
}

/** What macOS's own periodic.conf says. */
const usual: ReadonlySet<string> = new Set([
  ...['daily', 'weekly', 'monthly'].map((one) => `${one}_local=/etc/${one}.local`),
  'local_periodic=/usr/local/etc/periodic',
]);

/** `daily_local="/etc/daily.local"`, `local_periodic="/usr/local/etc/periodic"`: what is read besides the own scripts. */
function* settingsOf(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file, { joins: true })) {
    const [, name, value] = /^(\w*_local|local_periodic)=["']?([^"']*)["']?/.exec(text) ?? [];
    if (name === undefined || value === undefined || value === '') continue;
    const paths = value.split(/\s+/, 16).filter((one) => one.startsWith('/'));
    if (paths.length === 0 || usual.has(`${name}=${paths.join(' ')}`)) continue;
    const runs = paths.map((path) => runsOfProgram(path));
    yield itemOf({ key: name, label: `${name}=${value}`, runs, when: ['calendar'], as: 'root' });
  }
}
