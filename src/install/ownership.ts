import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors.js';
import { type FileView, OwnershipCheck } from '../base/ownership.js';

const hint =
  'launchd runs it as root, so whoever can change it becomes root. Copy Node.js and the program to a folder of ' +
  'root\'s own, such as /usr/local/launchwarden ("sudo chown -R root:wheel", "sudo chmod -R go-w"), and install from there.';

/** Parts of the program's folder that a running agent loads. */
const loadedParts = ['bin', 'dist', 'launchd', 'native', 'node_modules'];

/** Checks the Node.js executable and everything that the program loads. Throws a UserError `install/unsafe-path`. */
export function checkProgram(
  files: FileView,
  program: { readonly node: string; readonly script: string },
): void {
  const check = new OwnershipCheck(files, {
    owners: [0],
    stickyPasses: false,
    refuse: (place, reason, cause) =>
      new UserError('install/unsafe-path', `${place} ${reason}`, { hint, cause }),
  });
  check.path(program.node);
  check.path(program.script);
  const home = path.dirname(path.dirname(program.script));
  const present = new Set(readdirSync(home));
  check.path(path.join(home, 'package.json'));
  for (const part of loadedParts) if (present.has(part)) check.tree(path.join(home, part));
  for (const folder of hoistedFolders(home)) check.tree(folder);
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
