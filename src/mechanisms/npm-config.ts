import { nameOf } from './bundle.js';
import { firstItems, ownersItem } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

const prefixes = ['/usr/local', '/opt/homebrew'];

/** Settings of npm that change what it runs, and hooks that it ran for every package (to npm 6). Source: npmrc(5), scripts(7). */
export const npmConfig: Mechanism = {
  id: 'npm-config',
  name: 'npm hook or setting',
  techniques: ['T1546'],
  confidential: true,
  byLine: true,
  places: [
    { scope: 'home', path: '.npmrc', what: 'file' },
    ...prefixes.map((prefix): Place => ({ scope: 'system', path: `${prefix}/etc/npmrc`, what: 'file' })),
    ...prefixes.map(
      (prefix): Place => ({ scope: 'system', path: `${prefix}/lib/node_modules/.hooks`, what: 'entries' }),
    ),
    { scope: 'home', path: '.node_modules/.hooks', what: 'entries' },
    { scope: 'home', path: '.npm-global/lib/node_modules/.hooks', what: 'entries' },
  ],
  read: (file) =>
    /npmrc$/i.test(file.path)
      ? firstItems(settingsIn(file))
      : [ownersItem({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], when: ['host-program'] })],
  removal: ({ label }, { path }) =>
    /npmrc$/i.test(path) ? `Delete the line of ${label ?? 'it'} from ${path}.` : `Delete ${path}.`,
};

function* settingsIn(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file)) {
    const [, name, value] =
      /^(script-shell|shell|node-options|git|init-module|onload-script|editor|globalconfig)\s*=\s*(.+)$/i.exec(
        text,
      ) ?? [];
    if (name === undefined || value === undefined) continue;
    const words = value.replace(/^["'](.*)["']$/, '$1');
    const required = /(?:--require|-r|--import|--loader)[ =](\S+)/.exec(words)?.[1];
    const runs =
      name.toLowerCase() === 'node-options'
        ? required === undefined
          ? []
          : [runsOfProgram(required, file.path)]
        : [runsOfShell(words, file.path)];
    // Options that only tune memory run nothing.
    if (runs.length === 0) continue;
    yield ownersItem({
      key: `${name.toLowerCase()}=${words}`,
      label: name.toLowerCase(),
      runs,
      when: ['host-program'],
    });
  }
}
