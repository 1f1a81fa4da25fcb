// Builds what `npm ci` cannot fetch: better-sqlite3's binding, our own addon, and dist/ from src/.
//
//   node scripts/build.mjs            all three
//   node scripts/build.mjs --ts      dist/ only
//
// better-sqlite3's own install script is switched off in package.json ("allowScripts"): it asks a download site for
// a binary before it compiles, and a set-up step must not wait for a network that may not be there.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(path.join(root, 'package.json'));
const onlyTs = process.argv.includes('--ts');

/** Node's own headers when they were installed beside it (they are in every official archive). */
function headerArguments() {
  const prefix = path.dirname(path.dirname(process.execPath));
  return existsSync(path.join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  return {
    ok: done.status === 0,
    output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`,
  };
}

function nodeGyp(directory) {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  return run(process.execPath, [gyp, 'rebuild', '--release', '-C', directory, ...headerArguments()]);
}

function buildSqlite() {
  const directory = path.dirname(require.resolve('better-sqlite3/package.json'));
  const loads = run(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').close()"]);
  if (loads.ok) return;
  console.log('launchwarden: compiling better-sqlite3 (about a minute)');
  const built = nodeGyp(directory);
  if (!built.ok) {
    console.error(built.output);
    console.error('launchwarden: better-sqlite3 did not compile. It needs a C++ compiler, make and python3.');
    process.exit(1);
  }
}

function buildAddon() {
  if (!existsSync(path.join(root, 'native', 'binding.gyp'))) return;
  console.log('launchwarden: compiling the native addon');
  const built = nodeGyp(path.join(root, 'native'));
  if (built.ok) return;
  // The agent works without it (process-scan falls back to ps-list) and says so; a set-up that fails here helps nobody.
  console.error(built.output.split('\n').slice(-25).join('\n'));
  console.error(
    'launchwarden: the native addon did not compile; process starts will be polled with ps-list.',
  );
}

function buildTypeScript() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  const tsc = run(process.execPath, [
    require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc'),
    '-p',
    'tsconfig.build.json',
  ]);
  if (!tsc.ok) {
    console.error(tsc.output);
    process.exit(1);
  }
  const rules = path.join(root, 'src', 'rules', 'builtin');
  const target = path.join(root, 'dist', 'rules', 'builtin');
  mkdirSync(target, { recursive: true });
  for (const name of existsSync(rules) ? readdirSync(rules) : [])
    cpSync(path.join(rules, name), path.join(target, name));
}

if (!onlyTs) {
  buildSqlite();
  buildAddon();
}
buildTypeScript();
