import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';
import {
  byPath,
  hashFile,
  idOf,
  isInside,
  linkOutside,
  listTree,
  type Manifest,
  type ManifestEntry,
  manifestName,
  maxManifestBytes,
  parseManifest,
} from './manifest.js';
import type { Program } from './ownership.js';
import { programFiles } from './program-files.js';

/** A version that can be placed: where each of its files is read from. */
export interface Source {
  /** What it was made from, for people. */
  readonly origin: string;
  readonly manifest: Manifest;
  /** Path in the version's folder, and the file on this machine; links have no file. */
  readonly files: ReadonlyMap<string, string>;
  readonly bytes: number;
  /** Folder name that it gets when it is free. */
  readonly id: string;
}

/** A file of the source, before it was read. `from` is undefined of a link, which `link` then is. */
export type SourceFile =
  | { readonly path: string; readonly from: string }
  | { readonly path: string; readonly link: string };

const bundle = 'launchwarden.app';
const inBundle = { node: `${bundle}/Contents/MacOS/launchwarden`, app: `${bundle}/Contents/Resources/app` };

function notAPayload(folder: string, reason: string): UserError {
  return new UserError('install/not-a-payload', `${folder} ${reason}`, {
    hint:
      'Name a folder or a tar archive (gzip or plain) that holds node and app/, or launchwarden.app, as "npm run package" ' +
      'makes it; or the folder of an installed npm package.',
  });
}

export function damaged(origin: string, reasons: readonly string[]): UserError {
  return new UserError('install/damaged-payload', `${origin} is not whole: ${reasons.join('; ')}`, {
    hint: 'Fetch or build it again. Nothing was changed.',
  });
}

/** Whether a folder is one whole version, with its Node.js. */
export function isPayload(folder: string): boolean {
  return isFile(path.join(folder, 'app', 'package.json')) || isFolder(path.join(folder, bundle));
}

/**
 * The version in `folder`: a payload (`node` and `app/`, or `launchwarden.app`), the bundle itself, or the folder of an npm
 * package, which gets the Node.js at `node`. Reads and hashes all of it; changes nothing. Throws `install/not-a-payload`,
 * `install/damaged-payload`, `install/link-in-payload`.
 */
export function openSource(folder: string, node: string): Source {
  const origin = folder;
  if (path.basename(folder) === bundle && isFolder(folder))
    return read(origin, [...bundleFiles(path.dirname(folder)), ...bundleLinks]);
  if (isFolder(path.join(folder, bundle))) {
    const told = toldManifest(folder);
    const whole = told === undefined ? bundleFiles(folder) : payloadFiles(folder);
    const links = bundleLinks.filter((link) => !whole.some((one) => one.path === link.path));
    return read(origin, [...whole, ...links], told);
  }
  if (isFile(path.join(folder, 'app', 'package.json'))) {
    if (!isFile(path.join(folder, 'node'))) throw notAPayload(folder, 'has app/ and no node beside it');
    return read(origin, payloadFiles(folder), toldManifest(folder));
  }
  if (isFile(path.join(folder, 'package.json'))) return read(origin, packageFiles(folder, node));
  throw notAPayload(folder, 'holds no version of launchwarden');
}

/** The program that runs us, with the Node.js that runs it. */
export function ownSource({ node, script }: Program): Source {
  const home = path.dirname(path.dirname(script));
  const payload = path.dirname(home);
  if (path.basename(home) === 'app' && isFile(path.join(payload, 'node'))) return openSource(payload, node);
  const outer = path.resolve(home, '../../..');
  if (home === path.join(path.dirname(outer), inBundle.app)) return openSource(outer, node);
  return openSource(home, node);
}

/** Files and folders outside the version that decide what it is: whoever can change them becomes root. */
export function sourceFiles({ files }: Source): readonly string[] {
  return [...files.values()];
}

const bundleLinks: readonly SourceFile[] = [
  { path: 'node', link: inBundle.node },
  { path: 'app', link: inBundle.app },
];

function bundleFiles(parent: string): SourceFile[] {
  return treeFiles(path.join(parent, bundle)).map((one) => ({ ...one, path: `${bundle}/${one.path}` }));
}

function payloadFiles(folder: string): SourceFile[] {
  return treeFiles(folder).filter(({ path: name }) => name !== manifestName);
}

function packageFiles(home: string, node: string): SourceFile[] {
  const name = packageOf(home).name;
  if (name !== 'launchwarden') throw notAPayload(home, `is the package ${String(name)}, not launchwarden`);
  return [
    { path: 'node', from: realpathSync(node) },
    ...programFiles(home).map(({ path: inside, from }) => ({ path: `app/${inside}`, from })),
  ];
}

function treeFiles(folder: string): SourceFile[] {
  return listTree(folder).map(({ path: name, link }) => {
    const from = path.join(folder, name);
    return link ? { path: name, link: readlinkSync(from) } : { path: name, from };
  });
}

function toldManifest(folder: string): Manifest | undefined {
  const file = path.join(folder, manifestName);
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  const text = facts.isFile() && facts.size <= maxManifestBytes ? readFileSync(file, 'utf8') : '';
  const manifest = parseManifest(text);
  if (manifest === undefined) throw damaged(folder, [`${manifestName} cannot be read`]);
  return manifest;
}

function packageOf(home: string): { readonly name?: unknown; readonly version?: unknown } {
  try {
    return (JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8')) ?? {}) as object;
  } catch (error) {
    throw damaged(home, [`package.json cannot be read: ${reasonOf(error)}`]);
  }
}

function read(origin: string, found: readonly SourceFile[], told?: Manifest): Source {
  const files = new Map<string, string>();
  const entries: ManifestEntry[] = [];
  let bytes = 0;
  const outside = linkOutside(new Map(found.flatMap((one) => ('link' in one ? [[one.path, one.link]] : []))));
  if (outside !== undefined)
    throw new UserError(
      'install/link-in-payload',
      `${origin} holds a link that leads out of it: ${outside}`,
      {
        hint: 'A version must stand by itself. Build the payload again, without links to other places.',
      },
    );
  for (const one of found) {
    if (!isInside(one.path)) throw damaged(origin, [`it holds ${JSON.stringify(one.path)}`]);
    if ('link' in one) {
      entries.push({ path: one.path, link: one.link });
      continue;
    }
    const { size, sha256, mode } = hashed(origin, one.from);
    entries.push({ path: one.path, executable: (mode & 0o111) !== 0, size, sha256 });
    files.set(one.path, one.from);
    bytes += size;
  }
  entries.sort(byPath);
  const { version } = packageOf(packageHome(files));
  const manifest: Manifest = {
    version: String(version),
    platform: told?.platform ?? process.platform,
    arch: told?.arch ?? process.arch,
    files: entries,
  };
  if (parseManifest(JSON.stringify({ schema: 'launchwarden.manifest/1', ...manifest })) === undefined)
    throw damaged(origin, ['its package.json names no version']);
  if (told !== undefined) requireSame(origin, told, manifest);
  return { origin, manifest, files, bytes, id: idOf(manifest) };
}

function packageHome(files: ReadonlyMap<string, string>): string {
  const file = files.get('app/package.json') ?? files.get(`${inBundle.app}/package.json`) ?? '';
  return path.dirname(file);
}

function hashed(origin: string, file: string): ReturnType<typeof hashFile> {
  try {
    return hashFile(file);
  } catch (error) {
    throw damaged(origin, [`${file} cannot be read: ${reasonOf(error)}`]);
  }
}

/** What the payload says of itself against what it holds. Links of ours may be missing from what it says. */
function requireSame(origin: string, told: Manifest, found: Manifest): void {
  const reasons: string[] = [];
  const rest = new Map(found.files.map((one) => [one.path, one]));
  for (const entry of told.files) {
    const one = rest.get(entry.path);
    rest.delete(entry.path);
    if (one === undefined) reasons.push(`${entry.path} is missing`);
    else if (JSON.stringify(one) !== JSON.stringify(ordered(entry)))
      reasons.push(`${entry.path} was changed`);
  }
  for (const [name, one] of rest) if (!('link' in one)) reasons.push(`${name} does not belong to it`);
  if (told.version !== found.version)
    reasons.push(`it says that it is ${told.version}, and is ${found.version}`);
  if (reasons.length > 0) throw damaged(origin, reasons.slice(0, 10));
}

function ordered(entry: ManifestEntry): ManifestEntry {
  if ('link' in entry) return { path: entry.path, link: entry.link };
  const { path: name, executable, size, sha256 } = entry;
  return { path: name, executable, size, sha256 };
}

function isFile(file: string): boolean {
  return facts(file)?.isFile() === true || (facts(file)?.isSymbolicLink() === true && endsAtFile(file));
}

function endsAtFile(file: string): boolean {
  try {
    return lstatSync(realpathSync(file)).isFile();
  } catch {
    return false;
  }
}

function isFolder(folder: string): boolean {
  return facts(folder)?.isDirectory() === true;
}

function facts(file: string) {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Names in a folder; empty when there is none. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
