import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';

/** @typedef {{ executable: string, headers: string | undefined, version: string, abi: string, licence: string | undefined }} NodeSource */

/** The version of Node.js and its ABI as its headers have them; undefined when they are not there. */
function fromHeaders(headers) {
  if (headers === undefined) return undefined;
  const text = readFileSync(path.join(headers, 'include', 'node', 'node_version.h'), 'utf8');
  const value = (name) => new RegExp(`#define ${name} (\\d+)`).exec(text)?.[1];
  const parts = ['NODE_MAJOR_VERSION', 'NODE_MINOR_VERSION', 'NODE_PATCH_VERSION'].map(value);
  return { version: parts.join('.'), abi: value('NODE_MODULE_VERSION') };
}

/** The folder whose `include/node` holds the headers of a Node.js: above it, or in the registry's package beside. */
function headersOf(executable, target) {
  const prefix = path.dirname(path.dirname(executable));
  const places = [prefix, path.join(path.dirname(prefix), `node-${target}`)];
  return places.find((one) => existsSync(path.join(one, 'include', 'node', 'node_version.h')));
}

const question = `process.report.excludeNetwork = true;
console.log(JSON.stringify({
  version: process.versions.node,
  abi: process.versions.modules,
  libraries: process.report.getReport().sharedObjects,
}));`;

/** What a Node.js that runs here says of itself; undefined of one that does not. */
function asked(executable) {
  const done = spawnSync(executable, ['-e', question], { encoding: 'utf8' });
  if (done.status !== 0) return undefined;
  try {
    return JSON.parse(done.stdout);
  } catch {
    return undefined;
  }
}

/** Libraries of the system itself, as far as their place tells. */
const systemLibrary = /^(?:\/usr\/lib\/|\/lib(?:64)?\/|\/System\/|linux-vdso)/;

function isSame(file, executable) {
  try {
    return realpathSync(file) === executable;
  } catch {
    return false;
  }
}

/** Homebrew's Node.js is of several parts: one of them alone runs nowhere else. */
function requireSelfContained(executable, libraries) {
  // macOS lists the program itself among them.
  const foreign = libraries.filter((one) => !systemLibrary.test(one) && !isSame(one, executable));
  if (foreign.length === 0) return;
  throw new Failure(
    'package/not-self-contained',
    `${executable} needs libraries that the payload would not have: ${foreign.slice(0, 3).join(', ')}`,
    'Give --node the bin/node of an archive of nodejs.org, or leave it out.',
  );
}

/** A Node.js that is on this machine. */
export function givenNode(file, target) {
  if (!existsSync(file))
    throw new Failure('package/no-node', `there is no ${file}`, 'Give --node an executable.');
  const executable = realpathSync(file);
  const headers = headersOf(executable, target);
  const said = asked(executable);
  if (said !== undefined) requireSelfContained(executable, said.libraries);
  const known = said ?? fromHeaders(headers);
  if (known === undefined)
    throw new Failure(
      'package/unknown-node',
      `the version of ${executable} is unknown: it does not run here, and there is no include/node beside it`,
      'Unpack the whole archive of Node.js and give --node its bin/node.',
    );
  const licence = path.join(path.dirname(path.dirname(executable)), 'LICENSE');
  const { version, abi } = known;
  return { executable, headers, licence: existsSync(licence) ? licence : undefined, version, abi };
}

/**
 * The Node.js of packaging/node.json from the npm registry, unpacked into a folder below `work`. What arrives must have the
 * hash that is pinned there; none of its scripts runs.
 */
export function registryNode(root, target, work) {
  const { version, packages } = JSON.parse(readFileSync(path.join(root, 'packaging', 'node.json'), 'utf8'));
  const pinned = packages[target];
  if (pinned === undefined)
    throw new Failure(
      'package/unknown-target',
      `no Node.js is pinned for ${target} in packaging/node.json`,
      `Known: ${Object.keys(packages).join(', ')}. Or give --node FILE.`,
    );
  const place = path.join(work, `node-${version}-${target}`);
  if (!existsSync(place)) unpack(download(root, { ...pinned, version }, work), place);
  return givenNode(path.join(place, 'bin', 'node'), target);
}

function download(root, { name, version, integrity }, work) {
  mkdirSync(work, { recursive: true });
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const done = spawnSync(
    command,
    [...first, 'pack', `${name}@${version}`, '--silent', '--ignore-scripts', '--pack-destination', work],
    { cwd: root, encoding: 'utf8' },
  );
  if (done.status !== 0)
    throw new Failure(
      'package/no-download',
      `npm could not fetch ${name}@${version}: ${(done.stderr || done.error?.message || '').trim()}`,
      'Is the registry reachable? Or give --node FILE.',
    );
  const file = path.join(work, `${name}-${version}.tgz`);
  const hash = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (hash === integrity) return file;
  rmSync(file);
  throw new Failure(
    'package/wrong-hash',
    `${name}@${version} is not the one that is pinned: ${hash}`,
    'Do not use it. When the pin in packaging/node.json is wrong, compare it with "npm view NAME@VERSION dist.integrity".',
  );
}

function unpack(archive, place) {
  const next = `${place}.next`;
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next);
  const done = spawnSync('tar', ['-xzf', archive, '-C', next, '--strip-components=1'], { encoding: 'utf8' });
  if (done.status !== 0) throw new Failure('package/no-unpack', `tar failed on ${archive}: ${done.stderr}`);
  renameSync(next, place);
  rmSync(archive);
}
