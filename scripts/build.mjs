// Builds what npm cannot fetch: better-sqlite3's binding, our own addon, and dist/ from src/.
//
//   node scripts/build.mjs             all three
//   node scripts/build.mjs --native    the binding and the addon (npm runs it at installation)
//   node scripts/build.mjs --ts        dist/ only (npm runs it before it packs)
//
// Each also makes the code cache of what starts quickly (scripts/quick.mjs).
//
// better-sqlite3's own install script is switched off in package.json ("allowScripts"): it asks a download site for
// a binary before it compiles, and a set-up step must not wait for a network that may not be there. npm 10 runs it all
// the same, and finds scripts/prebuild-install, which does nothing ("overrides"; install-links in .npmrc puts it in
// place before the script runs).
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleQuick, cacheQuick } from './quick.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(path.join(root, 'package.json'));
const onlyTs = process.argv.includes('--ts');
const onlyNative = process.argv.includes('--native');

/**
 * The headers of this Node.js when they are beside it: in every official archive, and in the package that the registry's
 * `node` package brings for each system. Otherwise node-gyp fetches them.
 */
function headerArguments() {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const places = [prefix, path.join(path.dirname(prefix), `node-${process.platform}-${process.arch}`)];
  const found = places.find((one) => existsSync(path.join(one, 'include', 'node', 'node_api.h')));
  return found === undefined ? [] : [`--nodedir=${found}`];
}

/** node-gyp of this checkout; in an installed package, where it is none of the dependencies, the one that npm brings. */
function nodeGypScript() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    const npm = process.env.npm_execpath;
    const beside =
      npm && path.join(path.dirname(npm), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    return [process.env.npm_config_node_gyp, beside].find((one) => one && existsSync(one));
  }
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  return {
    ok: done.status === 0,
    output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`,
  };
}

/** With all processors: better-sqlite3 is one file that takes most of a minute, our addon many small ones. */
async function nodeGyp(directory) {
  const gyp = nodeGypScript();
  if (gyp === undefined) return { ok: false, output: 'node-gyp was not found: run this by npm' };
  const args = [gyp, 'rebuild', '--release', '--jobs', 'max', '-C', directory, ...headerArguments()];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ ok: false, output: `${output}${error.message}` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

async function buildSqlite() {
  const directory = path.dirname(require.resolve('better-sqlite3/package.json'));
  const loads = run(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').close()"]);
  if (loads.ok) return true;
  console.log('launchwarden: compiling better-sqlite3 (about a minute)');
  const built = await nodeGyp(directory);
  if (built.ok) return true;
  console.error(built.output);
  console.error('launchwarden: better-sqlite3 did not compile. It needs a C++ compiler, make and python3.');
  return false;
}

async function buildAddon() {
  if (!existsSync(path.join(root, 'native', 'binding.gyp'))) return;
  console.log('launchwarden: compiling the native addon');
  const built = await nodeGyp(path.join(root, 'native'));
  if (built.ok) return;
  // The agent works without it (process-scan falls back to ps-list) and says so; a set-up that fails here helps nobody.
  console.error(built.output.split('\n').slice(-25).join('\n'));
  console.error(
    'launchwarden: the native addon did not compile; process starts will be polled with ps-list.',
  );
}

/** Beside dist/ first, then by two renames: a program that runs from dist/ never finds it half empty. */
async function buildTypeScript() {
  const dist = path.join(root, 'dist');
  const next = path.join(root, `dist.next-${process.pid}`);
  const old = path.join(root, `dist.old-${process.pid}`);
  try {
    const tsc = run(process.execPath, [
      require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc'),
      ...['-p', 'tsconfig.build.json', '--outDir', next],
    ]);
    if (!tsc.ok) {
      console.error(tsc.output);
      process.exitCode = 1;
      return;
    }
    for (const folder of [path.join('rules', 'builtin'), path.join('rules', 'exceptions', 'packs')]) {
      const from = path.join(root, 'src', folder);
      mkdirSync(path.join(next, folder), { recursive: true });
      for (const name of existsSync(from) ? readdirSync(from) : [])
        cpSync(path.join(from, name), path.join(next, folder, name));
    }
    await bundleQuick(next);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(next, dist);
  } finally {
    for (const one of [next, old]) rmSync(one, { recursive: true, force: true });
  }
}

if (!onlyTs) {
  const [hasSqlite] = await Promise.all([buildSqlite(), buildAddon()]);
  if (!hasSqlite) process.exit(1);
}
if (!onlyNative) await buildTypeScript();
const failed = await cacheQuick(path.join(root, 'dist'));
if (failed !== undefined)
  console.error(`launchwarden: no code cache was made, commands start more slowly: ${failed}`);
