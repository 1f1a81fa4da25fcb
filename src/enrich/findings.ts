/**
 * What can stand in `launchwarden.findings`: facts about a file, each with its meaning in one sentence. They are hints
 * for a person and fields for a rule, never an alert of their own.
 */
export const findingMeanings: Readonly<Record<string, string>> = {
  // Of the file itself, found by the sensor.
  vanished: 'The file was gone before it could be read.',
  'time-bounded': "The volume's clock cannot be right: the time is the earliest possible one.",
  symlink: 'A symbolic link stands where launchd expects a file.',
  'parent-symlink': 'The folder is reached through a symbolic link.',
  'hard-link': 'The file has another name: it can be changed through that one.',
  fifo: 'A named pipe stands where launchd expects a file.',
  socket: 'A socket stands where launchd expects a file.',
  device: 'A device stands where launchd expects a file.',
  unreadable: 'The file could not be opened.',
  'content-withheld': 'Not read: who decides where this path leads may not read what is there.',
  oversized: 'Larger than a property list may be: only its beginning was kept.',
  // Of its place and owner.
  'hidden-name': 'The name begins with a dot.',
  'not-plist-name': 'The name does not end in .plist: launchd does not load it by itself.',
  'in-subfolder': 'It stands in a folder below the launch directory: launchd does not load it by itself.',
  'not-owned-by-root': 'A system-wide launch item that does not belong to root.',
  'writable-by-others':
    'The group or everybody may write it; launchd refuses such a file until that is changed.',
  // Of its content.
  'plist-empty': 'The file is empty.',
  'plist-unknown-format': 'Neither an XML nor a binary property list, nor one in the older text form.',
  'plist-unparsable': 'Not a valid property list: what could be read of it was kept.',
  'plist-too-complex':
    'A property list with more values, levels or bytes than are read: the rest is missing.',
  'plist-cycle': 'A property list that contains itself.',
  'plist-doctype': 'The document type has declarations of its own.',
  'plist-cut': 'The property list ends before its end.',
  'plist-odd-encoding': 'Characters in another encoding than the one declared, or in none.',
  'plist-odd-entity':
    'A character reference that readers of property lists understand differently or refuse.',
  'plist-odd-text': 'Text, a comment or an instruction where a property list has none.',
  'plist-odd-value': 'A number, date or data that is none: kept as text, or as far as it is one.',
  'plist-odd-version': 'A binary property list of another version than bplist00.',
  'plist-old-format': 'A property list in the text form of before XML, or in JSON.',
  'plist-duplicate-key': 'A key occurs twice: readers differ about which one counts.',
  'plist-leading-bytes': 'Something stands before the property list.',
  'plist-trailing-bytes': 'Something follows the property list.',
  'plist-unknown-element': 'An element that property lists do not have.',
  'not-a-dictionary': 'The property list is no dictionary.',
  'no-label': 'It has no Label.',
  'no-program': 'It names no program.',
  'apple-label': "The label claims to be Apple's, outside of the system's own folders.",
  'label-not-file-name': 'The label is not the name of the file.',
  'wrong-type': 'A key of launchd holds a value of another type than launchd takes.',
  'key-in-other-case': 'A key of launchd is written in another case.',
  // Of what it runs in the end, through whatever programs (`launchwarden.plist.runs`).
  'program-in-tmp': 'A program or script stands in a folder that everybody may write.',
  'hidden-program': 'A program or script, or a folder on the way to it, has a name that begins with a dot.',
  'relative-program':
    'The program is named without a folder of its own: the working folder decides what runs.',
  'wrapped-program': 'The program is started by another one (env, nohup, sudo, open, ...).',
  'interpreter-one-liner': 'The program is an interpreter that is given its script as an argument.',
  'network-download': 'The arguments fetch something from the network.',
  'encoded-command': 'The arguments decode something before it is run.',
  'remote-script': 'What is fetched from the network is run at once.',
  'dyld-environment': 'The environment makes the program load foreign libraries (DYLD_...).',
};
