import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';
import { runsOfScript } from './script-lines.js';

/** Scripts that launchd runs while the system starts, and launchctl's own start file (to 10.9). Source: rc(8), launchd.conf(5). */
export const startupScript: Mechanism = {
  id: 'startup-script',
  name: 'start-up script',
  knockKnock: 'Startup Scripts',
  techniques: ['T1037.004'],
  byLine: true,
  places: [
    { scope: 'system', path: '/private/etc/rc.*', what: 'file' },
    { scope: 'system', path: '/private/etc/launchd.conf', what: 'file' },
    // What auditd runs when something is wrong, and two programs that daemons of macOS look for.
    { scope: 'system', path: '/private/etc/security/audit_warn', what: 'file' },
    { scope: 'system', path: '/Library/Preferences/Xsan/.xsanrc', what: 'file' },
    { scope: 'system', path: '/usr/local/bin/amstoold', what: 'file' },
    { scope: 'home', path: '.launchd.conf', what: 'file' },
  ],
  read: (file) =>
    /launchd\.conf$/i.test(file.path)
      ? firstItems(commandsOf(file))
      : [itemOf({ runs: [runsOfProgram(file.path), ...runsOfScript(file)], when: ['boot'], as: 'root' })],
  removal: ({ key }, { path }) =>
    key === '' ? `Delete ${path}.` : `Delete the line \`${key}\` from ${path}.`,
};

/** Each line is a command of launchctl: `bsexec 1 /path`, `setenv NAME value`, `load /path`. */
function* commandsOf(file: MechanismFile): Generator<PersistentItem> {
  for (const { text } of linesOf(file, { joins: true })) {
    const runs = runsOfShell(`launchctl ${text}`, file.path);
    const findings = /^setenv\s+DYLD_/i.test(text) ? ['dyld-environment'] : [];
    yield itemOf({
      key: text,
      label: text,
      runs: [runs],
      when: [file.home === undefined ? 'boot' : 'login'],
      as: file.home === undefined ? 'root' : undefined,
      findings,
    });
  }
}
