import { nameOf } from './bundle.js';
import { firstItems, ownersItem } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { plistOf, runsOfProgram, runsOfShell, stringAt } from './read.js';

const autoLaunch = 'Library/Application Support/iTerm2/Scripts/AutoLaunch';

/** Commands that a terminal runs in each new window, and scripts that it runs when it starts. */
export const terminalStartup: Mechanism = {
  id: 'terminal-startup',
  name: 'terminal start-up command',
  techniques: ['T1546'],
  confidential: true,
  places: [
    { scope: 'home', path: 'Library/Preferences/com.apple.Terminal.plist', what: 'file' },
    { scope: 'home', path: 'Library/Preferences/com.googlecode.iterm2.plist', what: 'file' },
    { scope: 'home', path: autoLaunch, what: 'entries' },
    { scope: 'home', path: 'Library/Application Support/iTerm2/DynamicProfiles', what: 'entries' },
  ],
  read: (file) => firstItems(itemsIn(file)),
  removal: ({ label }, { path }) =>
    /\.plist$/i.test(path)
      ? `Take the command out of the profile ${label ?? ''} in the settings of the terminal.`
      : `Delete ${path}.`,
};

function* itemsIn(file: MechanismFile): Generator<PersistentItem> {
  const path = file.path.toLowerCase();
  if (path.endsWith('/com.apple.terminal.plist')) yield* terminal(file);
  else if (path.endsWith('/com.googlecode.iterm2.plist')) yield* iterm(file);
  else
    yield ownersItem({ label: nameOf(file.path), runs: [runsOfProgram(file.path)], when: ['host-program'] });
}

function* terminal(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  if (list === undefined) return;
  const shell = stringAt(list.value, 'Shell');
  if (shell !== undefined && !usualShell.test(shell)) yield command('Shell', shell, list.findings);
  const profiles = list.value.get('Window Settings');
  for (const [name, profile] of profiles instanceof Map ? profiles : []) {
    if (!(profile instanceof Map)) continue;
    const text = stringAt(profile, 'CommandString');
    if (text !== undefined && text.trim() !== '') yield command(name, text, list.findings);
  }
}

function* iterm(file: MechanismFile): Generator<PersistentItem> {
  const list = plistOf(file);
  const profiles = list?.value.get('New Bookmarks');
  for (const profile of Array.isArray(profiles) ? profiles.slice(0, 500) : []) {
    if (!(profile instanceof Map)) continue;
    const name = stringAt(profile, 'Name') ?? '';
    const custom = stringAt(profile, 'Custom Command');
    const texts = [
      custom === undefined || /^no$/i.test(custom) ? undefined : stringAt(profile, 'Command'),
      stringAt(profile, 'Initial Text'),
    ];
    for (const text of texts)
      if (text !== undefined && text.trim() !== '') yield command(name, text, list?.findings ?? []);
  }
}

function command(profile: string, text: string, findings: readonly string[]): PersistentItem {
  return ownersItem({
    key: `${profile}: ${text}`,
    label: profile,
    runs: [runsOfShell(text)],
    when: ['shell', 'host-program'],
    findings,
  });
}

const usualShell =
  /^(?:\/bin\/(?:zsh|bash|sh|tcsh|ksh|dash)|\/(?:usr\/local|opt\/homebrew)\/bin\/(?:zsh|bash|fish))?$/;
