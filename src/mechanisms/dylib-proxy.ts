import { applicationEntries, nameOf } from './bundle.js';
import { itemOf } from './item.js';
import { readMachO } from './mach-o.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { runsOfProgram } from './read.js';

/** Libraries of the system that others pass on with good reason: parts of an umbrella framework. */
const ownOfSystem = /^\/(?:usr\/lib|System\/Library)\//;

/**
 * A library that stands in the place of another and passes that one on (`LC_REEXPORT_DYLIB`), so that the program notices
 * nothing. Libraries beside an application's own program are read; which libraries a running program has loaded is not.
 */
export const dylibProxy: Mechanism = {
  id: 'dylib-proxy',
  name: 'proxy library',
  knockKnock: 'Library Proxies',
  techniques: ['T1574.004'],
  places: [
    ...applicationEntries('Frameworks', ['dylib'], { watched: false }),
    ...applicationEntries('MacOS', ['dylib'], { watched: false }),
    { scope: 'system', path: '/usr/local/lib', what: 'entries', extensions: ['dylib'] },
    { scope: 'system', path: '/opt/homebrew/lib', what: 'entries', extensions: ['dylib'], watched: false },
  ],
  read: (file) => proxies(file),
  removal: (_item, { path }) => `Install the application again that ${path} belongs to.`,
};

function proxies(file: MechanismFile): PersistentItem[] {
  const library = file.content === undefined ? undefined : readMachO(file.content.bytes);
  const passedOn = (library?.reexports ?? []).filter((one) => !ownOfSystem.test(one)).slice(0, 32);
  if (passedOn.length === 0) return [];
  const runs = [
    runsOfProgram(file.path),
    ...passedOn.filter((one) => one.startsWith('/')).map((one) => runsOfProgram(one)),
  ];
  return [
    itemOf({ label: nameOf(file.path), runs, when: ['host-program'], findings: ['passes-on-library'] }),
  ];
}
