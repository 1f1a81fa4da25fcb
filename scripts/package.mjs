// Makes the installer's payload: the app bundle with Node.js, the program and all that it needs, for one architecture.
//
//   npm run package                       for this system and architecture
//   npm run package -- --arch x64         for the other one; --platform darwin|linux
//     --node FILE       the Node.js to put in (bin/node of a whole archive), else that of packaging/node.json from the registry
//     --compiled DIR    takes the native parts from there: a checkout or an installed package, compiled for that Node.js
//     --out DIR         build/package
//     --no-archive      the folder alone, without its .tar.gz
//   node scripts/package.mjs --manifest DIR    writes the manifest of a payload again, after its bundle was signed
//
// The same sources give the same bytes: sorted, fixed modes, and one time for all, SOURCE_DATE_EPOCH or that of the commit.
// docs/deploy.md tells of the layout.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archive } from './package/archive.mjs';
import { endWithFailure, Failure } from './package/failure.mjs';
import { nativeParts, requireSystem } from './package/native-parts.mjs';
import { givenNode, registryNode } from './package/node-source.mjs';
import { assemble, layout, writeManifest } from './package/payload.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function readOptions() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({
      options: {
        platform: text,
        arch: text,
        node: text,
        compiled: text,
        out: text,
        manifest: text,
        'no-archive': { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new Failure(
      'package/usage',
      error.message,
      'See the head of scripts/package.mjs for what there is.',
    );
  }
}

/** Seconds since 1970. */
function sourceTime() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (/^\d{1,11}$/.test(given)) return Number(given);
    throw new Failure('package/usage', `SOURCE_DATE_EPOCH is no number of seconds: ${given}`);
  }
  const done = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  // Sources without their history: any fixed time will do.
  return done.status === 0 ? Number(done.stdout) : 315_532_800;
}

/** The built payload runs, where it can: program, database and addon. */
function tryOut(folder, target) {
  if (target !== `${process.platform}-${process.arch}`) return `not run here: it is for ${target}`;
  const run = (args) => {
    const done = spawnSync(path.join(folder, layout.node), args, { encoding: 'utf8' });
    if (done.status === 0) return done.stdout.trim();
    throw new Failure(
      'package/does-not-run',
      `the payload does not run: ${done.stderr || done.error?.message}`,
    );
  };
  run(['-e', 'new (require(process.argv[1]))(":memory:").close()', sqliteModule(folder)]);
  run(['-e', 'process.dlopen({ exports: {} }, process.argv[1])', path.join(folder, layout.addon)]);
  return run([path.join(folder, layout.script), 'version']);
}

const sqliteModule = (folder) => path.join(folder, layout.app, 'node_modules', 'better-sqlite3');

async function main() {
  const options = readOptions();
  const seconds = sourceTime();
  if (options.manifest !== undefined) {
    const file = path.join(options.manifest, layout.manifest);
    if (!existsSync(file)) throw new Failure('package/no-payload', `${options.manifest} holds no payload`);
    const { version, platform, arch } = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    await writeManifest(root, { folder: options.manifest, version, target: `${platform}-${arch}`, seconds });
    return;
  }
  if (!existsSync(path.join(root, 'dist', 'cli', 'main.js')))
    throw new Failure('package/not-built', 'dist/ is missing', 'Use "npm run package", which builds it.');
  const target = `${options.platform ?? process.platform}-${options.arch ?? process.arch}`;
  if (!/^(?:darwin|linux)-(?:arm64|x64)$/.test(target))
    throw new Failure(
      'package/unknown-target',
      `there is no payload for ${target}`,
      'Platforms: darwin, linux. Architectures: arm64, x64.',
    );
  const out = path.resolve(options.out ?? path.join(root, 'build', 'package'));
  // Below the checkout, where a compilation finds node-addon-api.
  const work = path.join(root, 'build', 'package-work');
  // Before anything is fetched.
  if (options.compiled === undefined) requireSystem(target);
  const node =
    options.node === undefined ? registryNode(root, target, work) : givenNode(options.node, target);
  const parts = nativeParts({ root, compiled: options.compiled, node, target, work });
  mkdirSync(out, { recursive: true });
  const name = `launchwarden-${JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version}-${target}`;
  const folder = path.join(out, name);
  await assemble({ root, folder, node, parts, target, seconds });
  console.log(`${folder}: Node.js ${node.version}, ${tryOut(folder, target)}`);
  if (options['no-archive']) return;
  const file = `${folder}.tar.gz`;
  await archive(root, { folder, file, seconds });
  console.log(file);
}

await endWithFailure(main);
