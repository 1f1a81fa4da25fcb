// Builds the unchanged macOS sources of the addon on this system, over a scripted kernel, scripted FSEvents and a scripted
// EndpointSecurity (native/test/darwin), and runs native/test/check_darwin.cc under the sanitizers:
// `npm run check:darwin-run`. Needs clang++ with its sanitizer libraries and the blocks runtime (Debian: clang,
// libclang-rt-14-dev, libblocksruntime-dev); what is missing is named, and what needs it skipped.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const native = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'native');
const compiler = process.env.CLANGXX ?? 'clang++';
const skip = (what) => console.log(`skipped: check:darwin-run: ${what}`);
if (process.platform !== 'linux') {
  skip('the scripted kernel is written for Linux');
  process.exit(0);
}
if (spawnSync(compiler, ['--version']).status !== 0) {
  skip(`${compiler} does not run: install clang, or set CLANGXX`);
  process.exit(0);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-darwin-run-'));

function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code, signal) =>
      resolve({ ok: code === 0, output: signal === null ? output : `${output}ended by ${signal}` }),
    );
  });
}

/** Whether a program with these flags can be built and run here. */
async function works(name, flags) {
  const source = path.join(folder, `${name}.cc`);
  writeFileSync(source, 'int main() { int (^one)() = ^{ return 0; }; return one(); }\n');
  const program = path.join(folder, `${name}-probe`);
  const built = await run(compiler, ['-fblocks', ...flags, '-o', program, source, '-lBlocksRuntime']);
  return built.ok && (await run(program, [])).ok;
}

const sources = (at, wanted = () => true) =>
  readdirSync(path.join(native, at))
    .filter((name) => name.endsWith('.cc') && wanted(name))
    .map((name) => path.join(native, at, name));
const files = [
  ...sources('test', (name) => name.startsWith('check_darwin')),
  ...['test/darwin', 'src/core', 'src/scan', 'src/fsevents', 'src/es'].flatMap((at) => sources(at)),
  // What begins with js_ needs a running Node.js of macOS; file_calls.cc asks its file systems.
  ...sources('src/darwin', (name) => !name.startsWith('js_') && name !== 'file_calls.cc'),
];

const sanitizers = {
  address: {
    flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    env: { ASAN_OPTIONS: 'detect_leaks=1' },
  },
  thread: { flags: ['-fsanitize=thread'], env: { TSAN_OPTIONS: 'halt_on_error=1' } },
};
// What is newer than an SDK is declared by the sources themselves: both ways are built.
const programs = [
  { sanitizer: 'thread', sdk: 270_000 },
  { sanitizer: 'address', sdk: 270_000 },
  { sanitizer: 'address', sdk: 140_000 },
];

const started = new Map();
/** Compiles a file once for all programs that can share the object. */
function compile(sanitizer, sdk, file) {
  const ofSdk = /EndpointSecurity\.h>|darwin\/es_layout\.h|endpoint_security\.h"/.test(
    readFileSync(file, 'utf8'),
  );
  const object = path.join(
    folder,
    [sanitizer, ...(ofSdk ? [sdk] : []), path.relative(native, file).replace(/\W/g, '-')].join('-'),
  );
  const args = [
    ...['-std=gnu++20', '-gline-tables-only', '-O1', '-Wall', '-Wextra', '-Werror'],
    ...['-Wno-missing-field-initializers', '-pthread', '-fblocks', `-D__MAC_OS_X_VERSION_MAX_ALLOWED=${sdk}`],
    ...sanitizers[sanitizer].flags,
    ...[path.join('test', 'darwin', 'include'), 'src', 'test'].map((at) => `-I${path.join(native, at)}`),
    ...['-c', '-o', object, file],
  ];
  if (!started.has(object)) started.set(object, run(compiler, args));
  return started.get(object).then((done) => ({ ...done, object }));
}

async function inTurn(tasks) {
  const results = [];
  const waiting = [...tasks.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  return results;
}

async function check({ sanitizer, sdk }) {
  const { flags, env } = sanitizers[sanitizer];
  const compiled = await inTurn(files.map((file) => () => compile(sanitizer, sdk, file)));
  const program = path.join(folder, `${sanitizer}-${sdk}`);
  const broken = compiled.find(({ ok }) => !ok);
  const objects = compiled.map(({ object }) => object);
  const built =
    broken ?? (await run(compiler, [...flags, '-pthread', '-o', program, ...objects, '-lBlocksRuntime']));
  const done = built.ok ? await run(program, [], env) : built;
  const name = `${flags[0]}, SDK ${sdk / 10_000}`;
  console.log(`${name}: ${done.ok ? done.output.trim() : `failed\n${done.output}`}`);
  return done.ok;
}

let failed = 0;
try {
  const usable = new Set();
  for (const [name, { flags }] of Object.entries(sanitizers)) {
    if (await works(name, flags)) usable.add(name);
    else
      skip(
        `${compiler} -fblocks ${flags[0]} builds nothing that runs: its library or the blocks runtime is missing`,
      );
  }
  for (const program of programs) if (usable.has(program.sanitizer) && !(await check(program))) failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
