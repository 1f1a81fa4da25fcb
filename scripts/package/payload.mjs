import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { targetsOf } from './binary.mjs';
import { Failure } from './failure.mjs';

/** Where everything stands in a payload folder; the same on every system. */
export const layout = {
  manifest: 'manifest.json',
  bundle: 'launchwarden.app',
  info: 'launchwarden.app/Contents/Info.plist',
  node: 'launchwarden.app/Contents/MacOS/launchwarden',
  command: 'launchwarden.app/Contents/Resources/bin/launchwarden',
  app: 'launchwarden.app/Contents/Resources/app',
  script: 'launchwarden.app/Contents/Resources/app/bin/launchwarden.js',
  addon: 'launchwarden.app/Contents/Resources/app/native/build/Release/launchwarden.node',
  sqlite:
    'launchwarden.app/Contents/Resources/app/node_modules/better-sqlite3/build/Release/better_sqlite3.node',
};

/** Needed to compile, not to run. */
const buildOnly = ['node-addon-api', 'prebuild-install'];

/** Of a dependency: what it needs neither to run nor to be licensed, in its own folder and anywhere below. */
const leftOutAtTop = /^(?:node_modules|test|tests|docs|benchmarks|examples|deps|src|build|binding\.gyp)$/;
const leftOut = /^\.|\.(?:map|exe|zip|d\.[cm]?ts)$/;

/** The production dependencies as the lock file has them, without those that only compile. Each: place below the checkout, version. */
function dependencies(root) {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([place, one]) => place !== '' && !one.dev && !one.devOptional && !one.optional && !one.peer)
    .map(([place, { version }]) => ({ place, version }))
    .filter(({ place }) => !buildOnly.some((name) => place.endsWith(`node_modules/${name}`)));
}

function copyPackage(from, to) {
  cpSync(from, to, {
    recursive: true,
    filter: (file) => {
      const inside = path.relative(from, file);
      return inside === '' || !(leftOutAtTop.test(inside) || leftOut.test(path.basename(file)));
    },
  });
}

function copyDependencies(root, app) {
  for (const { place, version } of dependencies(root)) {
    const from = path.join(root, place);
    const found = installedVersion(from);
    if (found !== version)
      throw new Failure(
        'package/not-locked',
        `${place} is version ${found ?? 'none'}, and the lock file names ${version}`,
        'Run "npm ci".',
      );
    copyPackage(from, path.join(app, place));
  }
}

function installedVersion(folder) {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** The program itself: what package.json publishes, but for what is only compiled from. */
function copyProgram(root, app) {
  const { files } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const own = files.filter((one) => !/^(?:!|native\/|scripts\/)/.test(one));
  for (const name of ['package.json', 'README.md', 'LICENSE', ...own]) {
    cpSync(path.join(root, name), path.join(app, name), {
      recursive: true,
      // A code cache is of one Node.js, and differs from build to build.
      filter: (file) => !/\.(?:d\.ts|cache)$/.test(file),
    });
  }
}

/** Writes the payload into `folder`, which is made anew, and gives every file its mode and its time. */
export async function assemble({ root, folder, node, parts, target, seconds }) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const file of [node.executable, parts.sqlite, parts.addon]) requireTarget(file, target);
  rmSync(folder, { recursive: true, force: true });
  const at = (name) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  cpSync(node.executable, at(layout.node));
  if (node.licence !== undefined)
    cpSync(node.licence, at('launchwarden.app/Contents/Resources/LICENSE.node'));
  const info = readFileSync(path.join(root, 'launchd', 'app', 'Info.plist.in'), 'utf8');
  writeFileSync(at(layout.info), info.replaceAll('@VERSION@', version));
  cpSync(path.join(root, 'launchd', 'app', 'launchwarden'), at(layout.command));
  copyProgram(root, path.join(folder, layout.app));
  copyDependencies(root, path.join(folder, layout.app));
  cpSync(parts.sqlite, at(layout.sqlite));
  cpSync(parts.addon, at(layout.addon));
  settle(folder, seconds);
  await writeManifest(root, { folder, version, target, seconds });
}

function requireTarget(file, target) {
  const found = targetsOf(file);
  if (found.includes(target)) return;
  throw new Failure(
    'package/foreign-binary',
    `${path.basename(file)} is for ${found.length === 0 ? 'no system that is known' : found.join(', ')}, not for ${target}`,
    'Give --node and --compiled of that system and architecture.',
  );
}

const executables = [layout.node, layout.command, layout.script];

/** Every file and folder below, sorted by its path with `/`. Throws on anything else, a link above all. */
export function entriesOf(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const stat = lstatSync(path.join(folder, name));
      if (!stat.isFile() && !stat.isDirectory())
        throw new Failure('package/not-a-file', `${name} is neither a file nor a folder`);
      return { name: name.split(path.sep).join('/'), isFile: stat.isFile(), mode: stat.mode & 0o7777 };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function settle(folder, seconds) {
  for (const { name, isFile } of entriesOf(folder).reverse()) {
    chmodSync(path.join(folder, name), isFile && !executables.includes(name) ? 0o644 : 0o755);
    utimesSync(path.join(folder, name), seconds, seconds);
  }
  chmodSync(folder, 0o755);
}

/**
 * The manifest: every file but itself with size and SHA-256, as `launchwarden install` reads it (src/install/manifest.ts). It
 * lies beside the bundle, since a signature seals the bundle and changes what it signs; whoever signs writes it again.
 */
export async function writeManifest(root, { folder, version, target, seconds }) {
  const { hashFile, manifestText } = await import(
    pathToFileURL(path.join(root, 'dist', 'install', 'manifest.js')).href
  );
  const [platform, arch] = target.split('-');
  const files = entriesOf(folder)
    .filter(({ name, isFile }) => isFile && name !== layout.manifest)
    .map(({ name }) => {
      const { size, sha256, mode } = hashFile(path.join(folder, name));
      return { path: name, executable: (mode & 0o111) !== 0, size, sha256 };
    });
  const file = path.join(folder, layout.manifest);
  writeFileSync(file, manifestText({ version, platform, arch, files }));
  chmodSync(file, 0o644);
  utimesSync(file, seconds, seconds);
  utimesSync(folder, seconds, seconds);
}
