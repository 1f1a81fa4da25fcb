// Packs the package as npm would publish it, installs it globally into a temporary folder with an empty cache, builds the
// installer's payload with the same Node.js, and plays the demo's attack on both, without this checkout's program:
//
//   npm run check:package                      with the Node.js that runs this
//   npm run check:package -- --newest          also with the newest one that the registry has for this system
//   npm run check:package -- --node FOLDER     also with that of FOLDER/bin/node (its headers in FOLDER/include)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-package-')));
const { values } = parseArgs({
  options: { newest: { type: 'boolean' }, node: { type: 'string', multiple: true } },
});

/** npm's own script, so that it can be run by any Node.js. */
function npmScript() {
  const { npm_execpath: told } = process.env;
  if (told !== undefined) return told;
  const beside = path.join(
    path.dirname(process.execPath),
    '..',
    'lib',
    'node_modules',
    'npm',
    'bin',
    'npm-cli.js',
  );
  if (existsSync(beside)) return beside;
  throw new Error('npm was not found: use "npm run check:package"');
}

function run(node, args, { env = {}, cwd = root } = {}) {
  // What npm tells its scripts about this checkout must not reach the installation of another package.
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|config_global|config_prefix)/.test(name),
  );
  const done = spawnSync(node, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...Object.fromEntries(clean), ...env },
  });
  if (done.status === 0) return done.stdout;
  throw new Error(
    `${[node, ...args].join(' ')} failed:\n${done.stdout}${done.stderr}${done.error?.message ?? ''}`,
  );
}

const npm = (node, args, how) => run(node, [npmScript(), ...args], how);

function pack() {
  const [packed] = JSON.parse(
    npm(process.execPath, ['pack', '--json', '--pack-destination', folder]).replace(/^[^[]*/, ''),
  );
  const built = packed.files
    .map((file) => file.path)
    .filter((file) => /(^|\/)build\/|\.node$|^test\//.test(file));
  if (built.length > 0) throw new Error(`the package holds what was built here: ${built.join(', ')}`);
  console.log(`packed: ${packed.files.length} files, ${packed.size} bytes`);
  return path.join(folder, packed.filename);
}

/** A Node.js from the registry, in a folder of its own. */
function newest() {
  const place = path.join(folder, 'newest');
  mkdirSync(place);
  const name = `node-${process.platform}-${process.arch}`;
  npm(process.execPath, ['install', '--prefix', place, '--no-save', '--ignore-scripts', `${name}@latest`]);
  return path.join(place, 'node_modules', name);
}

function check(home, tarball) {
  const node = path.join(home, 'bin', 'node');
  const version = run(node, ['--version']).trim();
  const prefix = path.join(folder, version);
  const cache = path.join(folder, `cache-${version}`);
  const headers = existsSync(path.join(home, 'include', 'node', 'node_api.h'))
    ? { npm_config_nodedir: home }
    : {};
  // Some versions of npm run no script of a package without being told so.
  npm(node, ['install', '--global', '--prefix', prefix, '--cache', cache, '--foreground-scripts', tarball], {
    cwd: folder,
    env: { ...headers, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` },
  });
  const installed = path.join(prefix, 'lib', 'node_modules', 'launchwarden');
  const output = attack(node, path.join(installed, 'bin', 'launchwarden.js'));
  const { addon } = JSON.parse(run(node, ['--input-type=module', '-e', scannerOf(prefix)], { cwd: folder }));
  if (addon !== 'loaded') throw new Error(`${version}: the native scanner is ${addon}\n${output}`);
  console.log(`${version}: installed, its native scanner loads, the demo's attack is caught`);
  checkPayload(node, { version, installed });
}

/** The demo, by this Node.js on this program. */
function attack(node, program) {
  return run(node, [path.join(root, 'build', 'demo', 'main.js')], {
    cwd: folder,
    env: { LAUNCHWARDEN_PROGRAM: program },
  });
}

/** Of the payload the archive is unpacked elsewhere: what it holds must suffice, its own Node.js included. */
function checkPayload(node, { version, installed }) {
  const out = path.join(folder, `payload-${version}`);
  run(process.execPath, [
    path.join(root, 'scripts', 'package.mjs'),
    ...['--node', node, '--compiled', installed, '--out', out],
  ]);
  const archive = readdirSync(out).find((name) => name.endsWith('.tar.gz'));
  const place = path.join(folder, `unpacked-${version}`);
  mkdirSync(place);
  const unpacked = spawnSync('tar', ['-xzf', path.join(out, archive), '-C', place], { encoding: 'utf8' });
  if (unpacked.status !== 0) throw new Error(`tar failed: ${unpacked.stderr}`);
  rmSync(out, { recursive: true });
  const contents = path.join(place, archive.replace(/\.tar\.gz$/, ''), 'launchwarden.app', 'Contents');
  const own = path.join(contents, 'MacOS', 'launchwarden');
  attack(own, path.join(contents, 'Resources', 'app', 'bin', 'launchwarden.js'));
  console.log(`${run(own, ['--version']).trim()}: the payload is built, the demo's attack is caught by it`);
  rmSync(place, { recursive: true });
}

/** Asks the installed package itself. */
function scannerOf(prefix) {
  const file = path.join(
    prefix,
    'lib',
    'node_modules',
    'launchwarden',
    'dist',
    'sensors',
    'addon',
    'index.js',
  );
  return `import { loadAddon } from ${JSON.stringify(pathToFileURL(file).href)};
    console.log(JSON.stringify({ addon: loadAddon().state }));`;
}

try {
  run(process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.tools.json',
  ]);
  const tarball = pack();
  const homes = [
    path.dirname(path.dirname(realpathSync(process.execPath))),
    ...(values.node ?? []).map((one) => path.resolve(one)),
  ];
  if (values.newest) homes.push(newest());
  for (const home of homes) check(home, tarball);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
