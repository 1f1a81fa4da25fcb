import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors.js';
import { type FileView, OwnershipCheck } from '../base/ownership.js';

/** What the check needs to know of the machine. */
export interface ProgramView extends FileView {
  readonly platform: NodeJS.Platform;
  /** Shared objects that this Node.js has loaded, absolute paths. */
  sharedObjects(): readonly string[];
}

const hint =
  'launchd runs it as root, so whoever can change it becomes root. "launchwarden install" places it in a folder of ' +
  "root's own.";

const sourceHint =
  'Root will run a copy of it, so whoever can change it now becomes root. Take that right from others: "chmod -R go-w" and, ' +
  'when it belongs to somebody else, "sudo chown -R root:wheel".';

/** Parts of the program's folder that a running agent loads. */
const loadedParts = ['bin', 'dist', 'launchd', 'native', 'node_modules'];

/** What the job runs; absolute paths on this machine. */
export interface Program {
  readonly node: string;
  readonly script: string;
}

/** Folders that the system itself protects: what stands there belongs to Apple, or to the distribution. */
const systemLibraries = ['/usr/lib/', '/System/'];

/** The administrators' own folder (0775 root:admin): every administrator could put another program there. */
const applications = '/Applications';

/**
 * Checks the Node.js executable, the shared objects that it has loaded and everything that the program loads. Throws a
 * UserError `install/unsafe-path`.
 */
export function checkProgram(files: ProgramView, program: Program): void {
  for (const place of [program.node, program.script]) refuseApplications(files, place);
  const check = new OwnershipCheck(files, {
    owners: [0],
    stickyPasses: false,
    refuse: (place, reason, cause) =>
      new UserError('install/unsafe-path', `${place} ${reason}`, { hint, cause }),
  });
  check.path(program.node);
  check.path(program.script);
  for (const library of files.sharedObjects()) checkLibrary(check, library);
  const home = path.dirname(path.dirname(program.script));
  const present = new Set(readdirSync(home));
  check.path(path.join(home, 'package.json'));
  for (const part of loadedParts) if (present.has(part)) check.tree(path.join(home, part));
  for (const folder of hoistedFolders(home)) check.tree(folder);
}

/**
 * Checks what a version is copied from: nobody but root, we, and who called sudo may be able to change it. `node`: the
 * running Node.js becomes part of it, and what it has loaded and is not copied must be root's. Throws `install/unsafe-path`.
 */
export function checkSource(
  system: ProgramView & { readonly uid: number; readonly invoker?: number | undefined },
  files: readonly string[],
  node: string,
): void {
  const { uid, invoker } = system;
  const check = new OwnershipCheck(system, {
    owners: [...new Set([0, uid, ...(invoker === undefined ? [] : [invoker])])],
    stickyPasses: true,
    // Who is not root makes nobody root; many systems let a user's own group write.
    groupPasses: uid === 0 ? false : 'everything',
    refuse: (place, reason, cause) =>
      new UserError('install/unsafe-path', `${place} ${reason}`, { hint: sourceHint, cause }),
  });
  for (const file of files) check.path(file);
  const copied = new Set(files);
  if (!copied.has(node)) return;
  const libraries = new OwnershipCheck(system, {
    owners: [0],
    stickyPasses: false,
    refuse: (place, reason, cause) => new UserError('install/unsafe-path', `${place} ${reason}`, { cause }),
  });
  for (const library of system.sharedObjects()) if (!copied.has(library)) checkLibrary(libraries, library);
}

/** As checkProgram, for an agent that runs as root on a Mac itself: whoever changes its program becomes root. */
export function requireSafeProgram(
  system: ProgramView & { readonly uid: number; readonly platform: NodeJS.Platform },
  program: Program,
  root: string | undefined,
): void {
  if (system.platform === 'darwin' && system.uid === 0 && root === undefined) checkProgram(system, program);
}

/** Homebrew's Node.js loads libuv, OpenSSL and others from a folder that the user who installed Homebrew owns. */
function checkLibrary(check: OwnershipCheck, library: string): void {
  if (systemLibraries.some((folder) => library.startsWith(folder))) return;
  try {
    check.path(library);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      'install/unsafe-path',
      `Node.js has loaded a library that is not safe: ${error.message}`,
      {
        hint:
          'Whoever can change a library that Node.js loads becomes root. Install with a Node.js that brings its libraries ' +
          'along, such as the archive or package from nodejs.org, in a folder that belongs to root.',
        cause: error,
      },
    );
  }
}

function refuseApplications(files: ProgramView, place: string): void {
  if (files.platform !== 'darwin' || !`${place}/`.startsWith(`${applications}/`)) return;
  throw new UserError(
    'install/unsafe-path',
    `${place} is in ${applications}, where every administrator can write`,
    {
      hint,
    },
  );
}

/** `node_modules` folders above the program that hold packages which it needs and has not itself (npm -g, npx). */
function hoistedFolders(home: string): string[] {
  const text = readFileSync(path.join(home, 'package.json'), 'utf8');
  const names = Object.keys(
    (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {},
  );
  const folders = new Set<string>();
  for (const name of names) {
    for (let at = home; ; at = path.dirname(at)) {
      const modules = path.join(at, 'node_modules');
      if (holds(modules, name)) {
        if (at !== home) folders.add(modules);
        break;
      }
      if (at === path.dirname(at)) break;
    }
  }
  return [...folders];
}

function holds(modules: string, name: string): boolean {
  try {
    return readdirSync(path.join(modules, name)).includes('package.json');
  } catch {
    return false;
  }
}
