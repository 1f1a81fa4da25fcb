import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { targetsOf } from './binary.mjs';
import { Failure } from './failure.mjs';

const sqlitePart = path.join('build', 'Release', 'better_sqlite3.node');
const addonPart = path.join('native', 'build', 'Release', 'launchwarden.node');

/** The folder of an installed package as seen from `home`: in its own node_modules, or in one above. */
function installedPackage(home, name) {
  for (let at = home; ; at = path.dirname(at)) {
    const place = path.join(at, 'node_modules', name);
    if (existsSync(path.join(place, 'package.json'))) return place;
    if (at === path.dirname(at)) return undefined;
  }
}

function partsOf(home) {
  const sqlite = installedPackage(home, 'better-sqlite3');
  return {
    sqlite: sqlite === undefined ? undefined : path.join(sqlite, sqlitePart),
    addon: path.join(home, addonPart),
  };
}

function present(file, target) {
  return file !== undefined && existsSync(file) && targetsOf(file).includes(target);
}

/** Whether a Node.js takes an addon: of another ABI it does not. */
function loads(executable, file) {
  return spawnSync(executable, ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', file]).status === 0;
}

/** Native parts are compiled on the system that they are for; a Mac's compiler makes those of both architectures. */
export function requireSystem(target) {
  const [platform, arch] = target.split('-');
  if (platform === process.platform && (platform === 'darwin' || arch === process.arch)) return;
  throw new Failure(
    platform === 'darwin' ? 'package/needs-a-mac' : 'package/needs-that-system',
    `a payload for ${target} needs native parts that are compiled on that system, and this is ${process.platform}-${process.arch}`,
    `Run "npm ci && npm run package -- --arch ${arch}" ${platform === 'darwin' ? 'on a Mac with the Command Line Tools' : 'there'}, or give ` +
      '--compiled FOLDER: a checkout or an installed package from there, compiled for the same Node.js.',
  );
}

/**
 * better-sqlite3's binding and our addon for the payload's Node.js: those of `compiled` (a checkout or an installed package),
 * those of this checkout when that Node.js takes them, else compiled here, from the same sources, in a folder below `work`.
 */
export function nativeParts({ root, compiled, node, target, work }) {
  if (compiled !== undefined) return givenParts(compiled, { node, target });
  requireSystem(target);
  const arch = target.split('-')[1];
  const here = partsOf(root);
  const usable = (file) =>
    present(file, target) && (arch === process.arch ? loads(node.executable, file) : false);
  return {
    sqlite: usable(here.sqlite)
      ? here.sqlite
      : compile(installedPackage(root, 'better-sqlite3'), sqlitePart, { root, node, target, work }),
    addon: usable(here.addon)
      ? here.addon
      : compile(path.join(root, 'native'), path.join('build', 'Release', 'launchwarden.node'), {
          root,
          node,
          target,
          work,
        }),
  };
}

function givenParts(compiled, { node, target }) {
  const parts = partsOf(path.resolve(compiled));
  for (const [name, file] of Object.entries(parts)) {
    if (file === undefined || !existsSync(file))
      throw new Failure(
        'package/no-native-part',
        `${compiled} holds no compiled ${name === 'sqlite' ? 'better-sqlite3' : 'addon'}`,
        'Run "node scripts/build.mjs --native" there, with the Node.js of the payload.',
      );
    const isHere = target === `${process.platform}-${process.arch}`;
    if (present(file, target) && isHere && !loads(node.executable, file))
      throw new Failure(
        'package/wrong-abi',
        `${file} was not compiled for Node.js ${node.version}`,
        'Compile it with that one, or leave --compiled out.',
      );
  }
  return parts;
}

/** `-12.11.1` of a package; empty for a folder of ours. */
function versionOf(folder) {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? `-${JSON.parse(readFileSync(file, 'utf8')).version}` : '';
}

function compile(from, part, { root, node, target, work }) {
  if (node.headers === undefined)
    throw new Failure(
      'package/no-headers',
      `there are no headers beside ${node.executable}, and ${path.basename(part)} must be compiled for it`,
      'Give --node the bin/node of a whole archive of Node.js, or leave it out: the package of the registry brings its headers.',
    );
  const require = createRequire(path.join(root, 'package.json'));
  const arch = target.split('-')[1];
  const place = path.join(work, `${path.basename(from)}${versionOf(from)}-${node.abi}-${target}`);
  const made = path.join(place, part);
  // A version of a package is the same for ever; our own sources are not.
  if (versionOf(from) !== '' && present(made, target)) return made;
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  cpSync(from, place, { recursive: true, filter: (file) => path.basename(file) !== 'build' });
  console.error(`compiling ${path.basename(part)} for Node.js ${node.version}, ${target}`);
  const runs = target === `${process.platform}-${process.arch}` ? node.executable : process.execPath;
  const done = spawnSync(
    runs,
    [
      require.resolve('node-gyp/bin/node-gyp.js'),
      ...['rebuild', '--release', '-C', place, `--arch=${arch}`, `--nodedir=${node.headers}`],
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (done.status === 0 && existsSync(made)) return made;
  rmSync(place, { recursive: true, force: true });
  throw new Failure(
    'package/no-compile',
    `${path.basename(part)} did not compile:\n${`${done.stdout ?? ''}${done.stderr ?? ''}`.split('\n').slice(-25).join('\n')}`,
    'It needs a C++ compiler, make and python3.',
  );
}
