import { bundleItem } from './bundle.js';
import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place } from './mechanism.js';
import { plistOf, runsOfProgram } from './read.js';
import { sqliteRows } from './sqlite-rows.js';

const plugIns = '/Library/Security/SecurityAgentPlugins';
const systemPlugIns = '/System/Library/CoreServices/SecurityAgentPlugins';
const rules = '/private/etc/authorization';
const database = '/private/var/db/auth.db';
/** What was written last stands in the log of the database. */
const log = `${database}-wal`;

/**
 * Code that takes part in deciding who may log in, and the rights that call it: in a file up to 10.8, since then in a database.
 * Source: security(1), authorizationdb; the tables of authd.
 */
export const authorizationPlugIn: Mechanism = {
  id: 'authorization-plug-in',
  name: 'authorization plug-in',
  knockKnock: 'Authorization Plugins',
  techniques: ['T1547.002'],
  places: [
    bundles(plugIns),
    bundles(systemPlugIns),
    { scope: 'system', path: rules, what: 'file' },
    { scope: 'system', path: database, what: 'file' },
    { scope: 'system', path: log, what: 'file' },
  ],
  read: (file) => {
    const path = file.path.toLowerCase();
    if (path === rules) return firstItems(rightsOf(file));
    if (path === database || path === log) return firstItems(mechanismsOf(file));
    return bundleItem(file, { when: ['authentication', 'login'], as: 'root' });
  },
  removal: ({ label }, { path }) =>
    path.toLowerCase().startsWith('/private/')
      ? `Take ${label ?? 'the plug-in'} out of the rights with \`security authorizationdb read RIGHT\` and \`write\`.`
      : `Take it out of every right first (\`security authorizationdb\`), or nobody can log in; then delete ${path}.`,
};

function bundles(path: string): Place {
  return { scope: 'system', path, what: 'bundles', extensions: ['bundle', 'plugin'] };
}

/** Rights whose `mechanisms` (`plug-in:mechanism,privileged`) name a plug-in that is not the system's own. */
function* rightsOf(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  for (const section of ['rights', 'rules']) {
    const rights = list?.value.get(section);
    for (const [name, right] of rights instanceof Map ? rights : []) {
      const mechanisms = right instanceof Map ? right.get('mechanisms') : undefined;
      const named = (Array.isArray(mechanisms) ? mechanisms : [])
        .slice(0, 64)
        .flatMap((one) => (typeof one === 'string' ? [one.split(':')[0] ?? ''] : []))
        .filter((one) => one !== '' && one !== 'builtin' && !ownPlugIns.has(one.toLowerCase()));
      if (named.length === 0) continue;
      const runs = [...new Set(named)].map((one) => runsOfProgram(`${plugIns}/${one.slice(0, 255)}.bundle`));
      yield itemOf({
        key: name,
        label: name,
        runs,
        when: ['authentication'],
        findings: list?.findings ?? [],
      });
    }
  }
}

/** Rows of the table of mechanisms: number, plug-in, mechanism, whether it runs as root. */
function* mechanismsOf({ content }: MechanismFile): Generator<PersistentItem> {
  for (const row of sqliteRows(content?.bytes ?? new Uint8Array())) {
    const [, plugIn, mechanism, privileged] = row;
    if (row.length !== 4 || typeof plugIn !== 'string' || typeof mechanism !== 'string') continue;
    if (typeof privileged !== 'number' || !/^[\w][\w .-]{0,127}$/.test(plugIn) || mechanism === '') continue;
    if (plugIn === 'builtin' || ownPlugIns.has(plugIn.toLowerCase())) continue;
    yield itemOf({
      key: `${plugIn}:${mechanism}`,
      label: `${plugIn}:${mechanism}`,
      runs: [runsOfProgram(`${plugIns}/${plugIn}.bundle`)],
      when: ['authentication'],
      as: privileged === 1 ? 'root' : undefined,
    });
  }
}

/** Plug-ins that come with macOS. */
const ownPlugIns: ReadonlySet<string> = new Set([
  ...[
    'loginwindow',
    'homedirmechanism',
    'mcxmechanism',
    'pkinitmechanism',
    'kerberosagent',
    'cryptotokenkit',
  ],
  ...[
    'loginkc',
    'psso',
    'pssoauthplugin',
    'platformsso',
    'familycontrols',
    'restartauthorization',
    'diskunlock',
  ],
  ...['localauthentication', 'smartcard', 'softwareupdate'],
]);
