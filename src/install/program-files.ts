import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** What is taken of the program's own package: what it runs and its licence. */
const ownParts = [
  'bin',
  'dist',
  'launchd',
  'docs',
  'prebuilds',
  'package.json',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
];
const addon = 'native/build/Release/launchwarden.node';

/** Needed for compiling alone. */
const buildOnly = new Set(['node-addon-api', 'prebuild-install']);
/** Of a package that was compiled: sources, and what the compiler left. */
const sourceParts = new Set(['deps', 'src', 'build']);
const needless = /\.(?:d\.[cm]?ts|map|tsbuildinfo)$/;

interface PackageFile {
  readonly path: string;
  readonly from: string;
}

/**
 * The files of a program that npm installed or that was built in its checkout: what it runs, and of its dependencies
 * those that it needs when it runs, wherever npm has put them. Paths are those in the folder `app`.
 */
export function programFiles(home: string): PackageFile[] {
  const own = ownParts.flatMap((part) => filesBelow(home, part));
  const compiled = isThere(path.join(home, addon)) ? [{ path: addon, from: path.join(home, addon) }] : [];
  return [...own.filter((one) => !needless.test(one.path)), ...compiled, ...dependencyFiles(home)];
}

function dependencyFiles(home: string): PackageFile[] {
  const found: PackageFile[] = [];
  const seen = new Set<string>();
  const pending = wanted(home, home, true);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { folder, place } = next;
    if (seen.has(place)) continue;
    seen.add(place);
    found.push(...packageFiles(folder, place));
    pending.push(...wanted(folder, home, false));
  }
  return found;
}

/** The packages that one needs, and those that it can use and that are there. */
function wanted(from: string, home: string, isOwn: boolean): { folder: string; place: string }[] {
  const { dependencies, optionalDependencies, peerDependencies } = readPackage(from);
  const names = Object.keys({
    ...dependencies,
    ...optionalDependencies,
    ...(isOwn ? peerDependencies : {}),
  });
  return names
    .filter((name) => !buildOnly.has(name))
    .flatMap((name) => {
      const folder = resolvePackage(name, from);
      return folder === undefined ? [] : [{ folder, place: placeOf(folder, home, name) }];
    });
}

type Names = Readonly<Record<string, string>>;

function readPackage(folder: string): {
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
} {
  return (JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) ?? {}) as object;
}

/** As Node.js finds it: in `node_modules` of this folder or of one above. */
function resolvePackage(name: string, from: string): string | undefined {
  for (let at = from; ; at = path.dirname(at)) {
    const folder = path.join(at, 'node_modules', name);
    if (isThere(path.join(folder, 'package.json'))) return folder;
    if (at === path.dirname(at)) return undefined;
  }
}

/** Where it stands below `app`: at its own place, or, when npm has put it above the program, among the program's own. */
function placeOf(folder: string, home: string, name: string): string {
  const relative = path.relative(home, folder);
  return relative.startsWith('..') ? `node_modules/${name}` : relative;
}

function packageFiles(folder: string, place: string): PackageFile[] {
  // npm links a package of a local folder.
  const real = realpathSync(folder);
  const compiled = isThere(path.join(real, 'binding.gyp'));
  const parts = readdirSync(real).filter(
    (name) => name !== 'node_modules' && !(compiled && sourceParts.has(name)),
  );
  const built = compiled ? filesBelow(real, 'build/Release').filter(isAddon) : [];
  return [...parts.flatMap((part) => filesBelow(real, part)), ...built]
    .filter((one) => !needless.test(one.path))
    .map((one) => ({ path: `${place}/${one.path}`, from: one.from }));
}

/** Node-gyp leaves objects and an extension for tests beside the addon. */
function isAddon({ path: name }: PackageFile): boolean {
  return /^build\/Release\/[^/]+\.node$/.test(name) && !name.endsWith('/test_extension.node');
}

function filesBelow(home: string, part: string): PackageFile[] {
  const from = path.join(home, part);
  const facts = lstatSync(from, { throwIfNoEntry: false });
  if (facts === undefined || facts.isSymbolicLink()) return [];
  if (!facts.isDirectory()) return [{ path: part, from }];
  return readdirSync(from).flatMap((name) => filesBelow(home, `${part}/${name}`));
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
