import { flat } from '../base/flat.js';
import type { PlistValue } from '../base/plist/index.js';
import { firstItems, itemOf } from './item.js';
import { booleanOf } from './launch-keys.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf } from './read.js';
import { variableFinding, writableFolders } from './search-path.js';
import { textsAt } from './values.js';

const folder = '/private/var/db/com.apple.xpc.launchd';

/** Services of macOS that let people in from other machines. */
const remote: ReadonlySet<string> = new Set([
  ...['com.openssh.sshd', 'com.apple.screensharing', 'com.apple.RemoteDesktop.agent', 'com.apple.AEServer'],
  ...['com.apple.ftpd', 'com.apple.telnetd', 'com.apple.rlogind', 'com.apple.rshd', 'com.apple.tftpd', 'ssh'],
  ...['com.apple.smbd', 'com.apple.AppleFileServer', 'com.apple.eppc', 'com.apple.VoiceOver.remote'],
]);
/** Those that run what others leave for them. */
const runners: ReadonlySet<string> = new Set(['com.apple.atrun', 'com.apple.emond', 'org.apache.httpd']);

/** What launchd was told beside the lists: services switched on, the search path of a session. Source: launchctl(1), `enable`, `config`. */
export const launchdSetting: Mechanism = {
  id: 'launchd-setting',
  name: 'setting of launchd',
  techniques: ['T1543.004', 'T1574.007'],
  places: [
    { scope: 'system', path: `${folder}/disabled*.plist`, what: 'file' },
    { scope: 'system', path: `${folder}/config`, what: 'entries', extensions: ['plist'] },
  ],
  read: (file) => firstItems(/\/config\/[^/]+$/i.test(file.path) ? settingsIn(file) : servicesIn(file)),
  removal: ({ key, label }, { path }) =>
    /\/config\//i.test(path)
      ? `Delete ${key.split('=')[0]} from ${path}, then restart the Mac.`
      : `Switch it off with \`launchctl disable ${domainOf(path)}/${label ?? 'LABEL'}\`, and boot it out.`,
};

function domainOf(path: string): string {
  const uid = /disabled\.(\d+)\.plist$/i.exec(path)?.[1];
  return uid === undefined ? 'system' : `user/${uid}`;
}

/** The table says of each label whether it is disabled. */
function* servicesIn(file: MechanismFile): Generator<PersistentItem> {
  const { value, findings } = plistOf(file) ?? { value: new Map<string, PlistValue>(), findings: [] };
  for (const [label, disabled] of value) {
    if (booleanOf(disabled) !== false) continue;
    const finding = remote.has(label) ? 'remote-access-on' : runners.has(label) ? 'service-switched-on' : '';
    if (finding === '') continue;
    const when = ['boot'] as const;
    yield itemOf({ key: label, label, when, as: 'root', enabled: true, findings: [...findings, finding] });
  }
}

/** `PathEnvironmentVariable`, and whatever else names variables. */
function* settingsIn(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const when = /\/user\.plist$/i.test(file.path) ? (['login'] as const) : (['boot'] as const);
  for (const [key, value] of [...list.value].slice(0, 256)) {
    if (value instanceof Map) {
      for (const [name, one] of [...value].slice(0, 256))
        if (typeof one === 'string' && (name === 'PATH' || variableFinding(name, one) !== undefined))
          yield setting(name, one, { when, findings: list.findings });
    } else if (/path/i.test(key)) {
      const text = textsAt(list.value, key)?.join(':');
      if (text !== undefined) yield setting(key, text, { when, findings: list.findings });
    }
  }
}

function setting(
  name: string,
  value: string,
  more: Pick<PersistentItem, 'when' | 'findings'>,
): PersistentItem {
  const own = /path/i.test(name) && writableFolders(value).length > 0 ? 'writable-search-path' : undefined;
  const finding = own ?? variableFinding(name, value);
  return itemOf({
    key: `${name}=${value}`,
    label: flat(`${name}=${value}`.slice(0, 1_024)),
    when: more.when,
    findings: [...more.findings, 'sets-environment', ...(finding === undefined ? [] : [finding])],
  });
}
