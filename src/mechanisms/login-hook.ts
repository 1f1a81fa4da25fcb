import { firstItems, itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfShell, stringAt } from './read.js';

const hooks = ['LoginHook', 'LogoutHook'] as const;

/** Scripts that loginwindow runs as root when a user logs in or out. Source: the preference domain com.apple.loginwindow. */
export const loginHook: Mechanism = {
  id: 'login-hook',
  name: 'login or logout hook',
  knockKnock: 'Login/Logout Hooks',
  techniques: ['T1037.002'],
  confidential: true,
  places: [
    { scope: 'system', path: '/Library/Preferences/com.apple.loginwindow.plist', what: 'file' },
    { scope: 'system', path: '/Library/Managed Preferences/com.apple.loginwindow.plist', what: 'file' },
    { scope: 'home', path: 'Library/Preferences/com.apple.loginwindow.plist', what: 'file' },
  ],
  read: (file) => firstItems(hooksOf(file)),
  removal: ({ key }, { path }) =>
    `Delete it with \`defaults delete ${path.replace(/\.plist$/i, '')} ${key}\`.`,
};

function* hooksOf(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  for (const hook of hooks) {
    const command = stringAt(list.value, hook);
    if (command === undefined || command === '') continue;
    yield itemOf({
      key: hook,
      label: hook,
      runs: [runsOfShell(command, file.path)],
      when: [hook === 'LoginHook' ? 'login' : 'logout'],
      // A user's own preferences count for root's session alone on some systems; what runs is root's in all of them.
      as: 'root',
      findings: list.findings,
    });
  }
}
