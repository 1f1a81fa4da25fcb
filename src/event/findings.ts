/** One finding: what it says, and how much it adds to the priority of an alert (`priority.ts`), 0 to 100. */
export interface FindingMeaning {
  readonly weight: number;
  /** One sentence, for people. */
  readonly says: string;
}

/**
 * What can stand in `launchwarden.findings`: facts about a file. They are hints for a person, fields for a rule and parts of
 * an alert's priority, never an alert of their own. A weight of 10 is a habit of careless vendors, 20 is rare in honest
 * software, 30 and more is what malware does.
 */
export const findings: Readonly<Record<string, FindingMeaning>> = {
  // Of the file itself, found by the sensor.
  vanished: { weight: 5, says: 'The file was gone before it could be read.' },
  'time-bounded': {
    weight: 0,
    says: "The volume's clock cannot be right: the time is the earliest possible one.",
  },
  'changed-while-away': {
    weight: 5,
    says: 'It changed while the agent did not run: nobody saw who did it.',
  },
  symlink: { weight: 15, says: 'A symbolic link stands where launchd expects a file.' },
  'parent-symlink': { weight: 15, says: 'The folder is reached through a symbolic link.' },
  'hard-link': { weight: 15, says: 'The file has another name: it can be changed through that one.' },
  fifo: { weight: 20, says: 'A named pipe stands where launchd expects a file.' },
  socket: { weight: 20, says: 'A socket stands where launchd expects a file.' },
  device: { weight: 20, says: 'A device stands where launchd expects a file.' },
  unreadable: { weight: 10, says: 'The file could not be opened.' },
  'content-withheld': {
    weight: 15,
    says: 'Not read: who decides where this path leads may not read what is there.',
  },
  oversized: {
    weight: 30,
    says: 'Larger than what is read of such a file: what stands between its beginning and its end was not seen.',
  },
  'line-cut': {
    weight: 30,
    says: 'A line, or the number of lines, is larger than what is read of such a file.',
  },
  'not-the-loaded-item': {
    weight: -10,
    says: 'launchctl was told to load something else than the files that changed before: the rule joins them all the same.',
  },
  'time-set-back': { weight: 30, says: 'Its content changed, and its time was set back to the old one.' },
  'made-loadable': {
    weight: 25,
    says: 'Only its owner or mode changed: launchd refused it before, and takes it now.',
  },
  'mount-point': { weight: 25, says: 'A volume is mounted over the folder.' },
  'daemon-program-not-root': { weight: 25, says: 'A daemon runs as root what somebody else may write.' },
  'owner-or-mode-changed': {
    weight: 5,
    says: 'Its owner or mode changed; so far as is known, it holds what it held.',
  },
  'folder-replaced': { weight: 10, says: 'Another folder stands where one was.' },
  // Of its place and owner.
  'hidden-name': { weight: 20, says: 'The name begins with a dot.' },
  'not-plist-name': {
    weight: 0,
    says: 'The name does not end in .plist: launchd does not load it by itself.',
  },
  'in-subfolder': {
    weight: 0,
    says: 'It stands in a folder below the launch directory: launchd does not load it by itself.',
  },
  'not-owned-by-root': { weight: 10, says: 'A system-wide launch item that does not belong to root.' },
  'writable-by-others': {
    weight: 10,
    says: 'The group or everybody may write it; launchd refuses such a file until that is changed.',
  },
  // Of its content.
  'plist-empty': { weight: 0, says: 'The file is empty.' },
  'plist-unknown-format': {
    weight: 10,
    says: 'Neither an XML nor a binary property list, nor one in the older text form.',
  },
  'plist-unparsable': { weight: 10, says: 'Not a valid property list: what could be read of it was kept.' },
  'plist-too-complex': {
    weight: 15,
    says: 'A property list with more values, levels or bytes than are read: the rest is missing.',
  },
  'plist-cycle': { weight: 20, says: 'A property list that contains itself.' },
  'plist-doctype': { weight: 20, says: 'The document type has declarations of its own.' },
  'plist-cut': { weight: 5, says: 'The property list ends before its end.' },
  'plist-odd-encoding': {
    weight: 10,
    says: 'Characters in another encoding than the one declared, or in none.',
  },
  'plist-odd-entity': {
    weight: 15,
    says: 'A character reference that readers of property lists understand differently or refuse.',
  },
  'plist-odd-text': { weight: 10, says: 'Text, a comment or an instruction where a property list has none.' },
  'plist-odd-value': {
    weight: 5,
    says: 'A number, date or data that is none: kept as text, or as far as it is one.',
  },
  'plist-odd-version': { weight: 15, says: 'A binary property list of another version than bplist00.' },
  'plist-old-format': { weight: 10, says: 'A property list in the text form of before XML, or in JSON.' },
  'plist-duplicate-key': { weight: 20, says: 'A key occurs twice: readers differ about which one counts.' },
  'plist-leading-bytes': { weight: 15, says: 'Something stands before the property list.' },
  'plist-trailing-bytes': { weight: 10, says: 'Something follows the property list.' },
  'plist-unknown-element': { weight: 10, says: 'An element that property lists do not have.' },
  'not-a-dictionary': { weight: 5, says: 'The property list is no dictionary.' },
  'no-label': { weight: 10, says: 'It has no Label.' },
  'no-program': { weight: 0, says: 'It names no program.' },
  'apple-label': { weight: 30, says: "The label claims to be Apple's, outside of the system's own folders." },
  'canary-label': {
    weight: 40,
    says: "The label is reserved for the canary of launchwarden, and this is not the canary's own item.",
  },
  'label-not-file-name': { weight: 5, says: 'The label is not the name of the file.' },
  'wrong-type': { weight: 10, says: 'A key of launchd holds a value of another type than launchd takes.' },
  'key-in-other-case': { weight: 15, says: 'A key of launchd is written in another case.' },
  // Of what it runs in the end, through whatever programs (`launchwarden.plist.runs`).
  'program-in-tmp': { weight: 30, says: 'A program or script stands in a folder that everybody may write.' },
  'hidden-program': {
    weight: 20,
    says: 'A program or script, or a folder on the way to it, has a name that begins with a dot.',
  },
  'relative-program': {
    weight: 15,
    says: 'The program is named without a folder of its own: the working folder decides what runs.',
  },
  'wrapped-program': {
    weight: 5,
    says: 'The program is started by another one (env, nohup, sudo, open, ...).',
  },
  'interpreter-one-liner': {
    weight: 10,
    says: 'The program is an interpreter that is given its script as an argument.',
  },
  'script-cut': { weight: 25, says: 'A script is longer than what is read of one: its middle was not seen.' },
  'network-download': { weight: 15, says: 'The arguments fetch something from the network.' },
  'encoded-command': { weight: 25, says: 'The arguments decode something before it is run.' },
  'remote-script': { weight: 35, says: 'What is fetched from the network is run at once.' },
  'remote-shell': {
    weight: 40,
    says: 'It gives a shell, or another program, to whoever is at the other end of a connection.',
  },
  'pattern-program': {
    weight: 20,
    says: 'The program or script is named by a pattern (*, ?): the shell looks for what fits.',
  },
  'environment-runs-code': {
    weight: 30,
    says: 'A variable of the environment makes programs run other code first (BASH_ENV, NODE_OPTIONS, ...).',
  },
  'environment-adds-code': {
    weight: 15,
    says: 'A variable of the environment says where programs find libraries or helpers (PYTHONPATH, PERL5LIB, ...).',
  },
  'dyld-environment': {
    weight: 30,
    says: 'The environment makes the program load foreign libraries (DYLD_...).',
  },
  // Of other persistent items, by what their mechanism reads (`launchwarden.persistence.*`).
  'too-many-items': { weight: 20, says: 'The file has more entries than are read.' },
  'hidden-item': { weight: 15, says: 'It starts without showing itself.' },
  'unknown-program': { weight: 5, says: 'What it runs is named in a form that is not read.' },
  'sees-every-page': { weight: 5, says: 'The extension may see or change every page, or more than pages.' },
  'forced-extension': { weight: 15, says: 'The browser installs the extension without asking its user.' },
  'not-from-store': { weight: 15, says: "The extension does not come from the browser's own store." },
  'passes-on-library': { weight: 15, says: 'The library passes another one on as its own.' },
  'foreign-module': { weight: 25, says: 'A module that macOS does not bring takes part in authentication.' },
  'lets-everybody-in': { weight: 40, says: 'A check that always passes stands where a password is checked.' },
  'no-password': { weight: 25, says: 'It gives a right without asking for a password.' },
  'reads-other-file': { weight: 5, says: 'It makes another file count, which is not read here.' },
  'forced-command': { weight: 10, says: 'Whoever logs in runs this command.' },
  'sets-environment': { weight: 15, says: 'It sets variables for the session, which can load libraries.' },
  'trusts-authority': { weight: 20, says: 'Everybody with a certificate of this authority may log in.' },
  'keys-elsewhere': { weight: 15, says: 'Keys that may log in come from another file or a program.' },
  'root-login': { weight: 15, says: 'Root may log in with a password.' },
  'no-pam': { weight: 10, says: 'Logins are not checked by PAM.' },
  'weakening-profile': {
    weight: 10,
    says: 'A profile trusts a certificate, routes traffic, or grants rights to programs.',
  },
  'apple-name-elsewhere': {
    weight: 30,
    says: "It has the name of one of Apple's applications and stands elsewhere.",
  },
  'runs-on-folder-open': { weight: 10, says: 'It runs as soon as its folder is opened.' },
  'hidden-account': { weight: 25, says: 'An account that the login window does not show.' },
  'root-by-another-name': { weight: 40, says: 'An account with the user id of root.' },
  'root-enabled': { weight: 20, says: 'Root has a password and may log in.' },
  'service-account-logs-in': { weight: 25, says: 'An account of a service has a password and a shell.' },
  'odd-member': { weight: 20, says: 'Wheel has a member besides root.' },
  'hidden-member': {
    weight: 30,
    says: 'Somebody has the rights of a group whose list of members does not name them.',
  },
  'other-password': { weight: 10, says: 'It asks for another password than that of who wants the right.' },
  'program-of-setting': {
    weight: 25,
    says: 'A setting names a program or library that root runs or loads, and that macOS does not bring.',
  },
  'writable-search-path': {
    weight: 20,
    says: 'Programs are looked for in a folder that a user may write.',
  },
  'trusts-hosts': { weight: 20, says: 'Who comes from a trusted machine logs in without a key or password.' },
  'remote-access-on': {
    weight: 15,
    says: 'A service that lets people in from other machines is switched on.',
  },
  'service-switched-on': {
    weight: 10,
    says: 'A service that macOS leaves off is switched on: it runs what others leave for it.',
  },
  'rotates-no-log': {
    weight: 25,
    says: 'The rotation of logs names a file that is no log: it is replaced, or given to somebody, as root.',
  },
  'stands-for-command': {
    weight: 20,
    says: 'An alias or a function stands for a command that is given a password: sudo, su, passwd.',
  },
  'compiled-script': {
    weight: 10,
    says: 'A script that was compiled stands in the place of one that can be read, and counts while it is newer.',
  },
  // Of what a scan by hash lists and YARA rules says (`[scan]`).
  'known-bad-hash': { weight: 70, says: 'A hash list names the file, or what it runs.' },
  'yara-match': { weight: 50, says: 'A YARA rule matches the file, or what it runs.' },
  'hidden-characters': {
    weight: 25,
    says: 'Its label or the name of its file has control or invisible characters: it is not what it looks like.',
  },
  'look-alike-label': {
    weight: 30,
    says: "The label looks like one of Apple's or of an installed vendor's, and is not.",
  },
};

/** Of a word that is not in the table: the event came from a newer program, or from elsewhere. */
const unknownWeight = 5;

export function findingWeight(finding: string): number {
  return Object.hasOwn(findings, finding) ? (findings[finding] as FindingMeaning).weight : unknownWeight;
}

/** The sentence of a finding; undefined for a word that is not in the table. */
export function findingMeaning(finding: string): string | undefined {
  return Object.hasOwn(findings, finding) ? findings[finding]?.says : undefined;
}
