/**
 * What can stand in `launchwarden.findings`: facts about a file, each with its meaning in one sentence. They are hints
 * for a person and fields for a rule, never an alert of their own.
 */
export const findingMeanings: Readonly<Record<string, string>> = {
  // Of the file itself, found by the sensor.
  vanished: 'The file was gone before it could be read.',
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
  'plist-unknown-format': 'Neither an XML nor a binary property list.',
  'plist-unparsable': 'Not a valid property list.',
  'plist-too-complex': 'A property list with more values, levels or bytes than are read.',
  'plist-cycle': 'A property list that contains itself.',
  'plist-doctype': 'The document type declares entities of its own.',
  'not-a-dictionary': 'The property list is no dictionary.',
  'no-label': 'It has no Label.',
  'no-program': 'It names no program.',
  'apple-label': "The label claims to be Apple's, outside of the system's own folders.",
  'label-not-file-name': 'The label is not the name of the file.',
  'program-in-tmp': 'The program stands in a folder that everybody may write.',
  'hidden-program': 'The program, or a folder on the way to it, has a name that begins with a dot.',
  'interpreter-one-liner': 'The program is an interpreter that is given its script as an argument.',
  'network-download': 'The arguments fetch something from the network.',
  'encoded-command': 'The arguments decode something before it is run.',
  'dyld-environment': 'The environment makes the program load foreign libraries (DYLD_...).',
};
