import { UserError } from '../base/errors.js';
import { nearest } from '../base/own-file.js';
import { type FileView, OwnershipCheck } from '../base/ownership.js';
import { destinationName } from '../forward/options.js';
import type { Settings } from './settings.js';

/** Something that the agent believes, or runs, as it finds it. */
interface Trusted {
  readonly what: string;
  readonly place: string;
  /** With everything below it. */
  readonly tree?: boolean;
}

function trusted(
  { configFile, rules, exceptions, scan, destinations, dataDir }: Settings,
  files: FileView,
): Trusted[] {
  return [
    // What is not made yet is made there.
    { what: 'the data folder', place: nearest(dataDir, files) },
    ...(configFile === undefined ? [] : [{ what: 'the configuration file', place: configFile }]),
    ...rules.folders.flatMap((place) => tree(`the rules of ${place}`, place, files)),
    ...exceptions.folders.flatMap((place) => tree('the folder of exceptions', place, files)),
    ...scan.hashes.map((place) => ({ what: 'the hash list', place: nearest(place, files) })),
    ...scan.yara.flatMap((place) => tree(`the YARA rules of ${place}`, place, files)),
    ...destinations.flatMap((one) =>
      one.type === 'module'
        ? [{ what: `the module of destination "${destinationName(one)}"`, place: nearest(one.path, files) }]
        : [],
    ),
  ];
}

/** The folder with all that stands in it, or where it would be made. */
function tree(what: string, folder: string, files: FileView): Trusted[] {
  const place = nearest(folder, files);
  return [{ what, place, tree: place === folder }];
}

const hint =
  "Move it to a folder of root's own, such as /Library/Application Support/launchwarden or /etc/launchwarden, and let " +
  'root alone own and write to it there ("sudo chown -R root", "sudo chmod -R go-w").';

/**
 * Refuses a configuration, rules, modules and a data folder that anybody but root could change or replace: who writes
 * them decides what root's agent does, sees and runs. The log file and what a destination reads and writes is checked
 * where it is opened (base/own-file.ts, forward/). Throws a UserError `config/unsafe-path`.
 */
export function checkTrust(settings: Settings, files: FileView): void {
  const [first] = trustProblems(settings, files);
  if (first !== undefined) throw first;
}

/** Everything that `checkTrust` would refuse, one place after the other. */
export function trustProblems(settings: Settings, files: FileView): UserError[] {
  return trusted(settings, files).flatMap(({ what, place, tree: whole }) => {
    const check = new OwnershipCheck(files, {
      owners: [0],
      stickyPasses: false,
      refuse: (where, reason, cause) =>
        new UserError('config/unsafe-path', `${where} ${reason}; ${what} must be root's alone`, {
          hint,
          cause,
        }),
    });
    try {
      if (whole === true) check.tree(place);
      else check.path(place);
      return [];
    } catch (error) {
      if (error instanceof UserError) return [error];
      throw error;
    }
  });
}

/** As checkTrust, for an agent that runs as root (`uid`, effective) on the machine itself; others risk their own alone. */
export function requireTrust(settings: Settings, system: FileView & { readonly uid: number }): void {
  if (system.uid === 0 && settings.root === undefined) checkTrust(settings, system);
}
