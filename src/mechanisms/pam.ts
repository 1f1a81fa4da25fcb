import type { WhatRuns } from '../base/what-runs/index.js';
import { nameOf } from './bundle.js';
import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { linesOf, runsOfProgram, runsOfShell } from './read.js';

/** Modules that come with macOS. Source: pam(3), pam_*(8) of macOS. */
const own: ReadonlySet<string> = new Set(
  [
    ...['opendirectory', 'krb5', 'ntlm', 'mount', 'self', 'permit', 'deny', 'rootok', 'nologin', 'launchd'],
    ...[
      'uwtmp',
      'group',
      'env',
      'sacl',
      'smartcard',
      'tid',
      'aks',
      'localauthentication',
      'unix',
      'passwdqc',
    ],
  ].map((name) => `pam_${name}.so`),
);

/** How a program checks who somebody is: a line a module. Source: pam.conf(5). */
export const pam: Mechanism = {
  id: 'pam',
  name: 'PAM configuration',
  techniques: ['T1556.003'],
  byLine: true,
  places: [
    { scope: 'system', path: '/private/etc/pam.d', what: 'entries' },
    { scope: 'system', path: '/usr/local/lib/pam', what: 'entries' },
    { scope: 'system', path: '/opt/homebrew/lib/pam', what: 'entries' },
  ],
  read: (file) =>
    file.path.startsWith('/private/etc/')
      ? [serviceOf(file)]
      : [
          itemOf({
            label: nameOf(file.path),
            runs: [runsOfProgram(file.path)],
            when: ['authentication'],
            as: 'root',
          }),
        ],
  removal: (_item, { path }) =>
    `Put ${path} back to what macOS brings; keep a root shell open until a new login works.`,
};

function serviceOf(file: MechanismFile): PersistentItem {
  const runs: WhatRuns[] = [];
  const findings = new Set<string>();
  let above = true;
  for (const { text } of linesOf(file, { joins: true })) {
    const words = text.split(/\s+/, 64);
    const [facility = '', control = '', module = ''] = words;
    // `[success=1 default=ignore]` may hold blanks; the module is the first word that looks like one.
    const name = control.startsWith('[')
      ? (words.find((one) => /\.so(?:\.\d+)?$/.test(one)) ?? module)
      : module;
    // Another service's lines, which are read with its own file.
    if (/^(?:include|substack)$/i.test(control)) continue;
    const bare = nameOf(name)
      .replace(/\.\d+$/, '')
      .toLowerCase();
    if (bare === '') continue;
    const check = facility.replace(/^-/, '').toLowerCase() === 'auth';
    // A check that always passes lets everybody in when it is enough, or when nothing else has been asked.
    if (check && bare === 'pam_permit.so' && (/^(?:sufficient|binding|\[)/.test(control) || above))
      findings.add('lets-everybody-in');
    if (check) above = false;
    if (bare === 'pam_exec.so') {
      const command = words
        .slice(words.indexOf(name) + 1)
        .filter(
          (one) =>
            !/^(?:quiet|debug|seteuid|expose_authtok|stdout|return_prog_exit_status|type=|log=)/.test(one),
        );
      runs.push(runsOfShell(command.join(' ')));
      findings.add('foreign-module');
    } else if (!own.has(bare) || (name.includes('/') && !/^\/usr\/lib\/pam\//.test(name))) {
      runs.push(runsOfProgram(name.startsWith('/') ? name : `/usr/local/lib/pam/${name}`));
      findings.add('foreign-module');
    }
    if (runs.length >= 64) break;
  }
  return itemOf({
    label: nameOf(file.path),
    runs,
    when: ['authentication'],
    as: 'root',
    findings: [...findings],
  });
}
