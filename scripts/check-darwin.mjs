// Compiles and links the macOS half of the addon on any system, against a real macOS SDK, for arm64 and x86_64, with the
// flags that node-gyp gives on a Mac:
//
//   MACOS_SDK=/path/to/MacOSX.sdk npm run check:darwin
//
// The SDK is Apple's and stays where it is: nothing of it is copied. What is missing (the SDK, or of it the libraries,
// clang, lld, Node.js's headers) is named, and what depends on it skipped. Nothing is looked up at run time: an undefined
// symbol fails the link, and of Node-API only what its headers declare is there. What this proves: names, types, guards of
// newer calls, sizes of structures (native/src/darwin/es_layout.h), and that every call exists. What it does not: that
// anything works on a Mac.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const native = path.join(root, 'native');
const require = createRequire(path.join(root, 'package.json'));
/** Clang before 17 does not define what newer SDKs read the deployment target from: without it they take it for none. */
const leastVersion = '__ENVIRONMENT_OS_VERSION_MIN_REQUIRED__';
const triples = { arm64: 'arm64-apple-macos', x64: 'x86_64-apple-macos' };

const sdk = process.env.MACOS_SDK ?? '';
const compiler = process.env.CLANGXX ?? 'clang++';
const runs = (command) => spawnSync(command, ['--version']).status === 0;
const skip = (what) => {
  console.log(`skipped: check:darwin: ${what}`);
  process.exit(0);
};
if (sdk === '') skip('MACOS_SDK is not set to the folder of a macOS SDK: nothing is compiled or linked');
const header = path.join(sdk, 'usr', 'include', 'EndpointSecurity', 'EndpointSecurity.h');
if (!existsSync(header)) {
  console.error(`MACOS_SDK: ${header} does not exist`);
  process.exit(2);
}
if (!runs(compiler)) skip(`${compiler} does not run: install clang, or set CLANGXX`);
const nodePrefix = [path.dirname(path.dirname(process.execPath)), process.env.NODE_PREFIX ?? ''].find(
  (prefix) => existsSync(path.join(prefix, 'include', 'node', 'node_api.h')),
);
if (nodePrefix === undefined)
  skip("Node.js's own headers are not beside it: set NODE_PREFIX to the folder that has include/node");

/** What the link needs beside the compiler, as far as it is missing. */
const linker = [process.env.LLD ?? '', 'ld64.lld', 'ld64.lld-14', 'ld64.lld-19'].find(
  (one) => one !== '' && runs(one),
);
const stub = (name) => path.join(sdk, 'usr', 'lib', `${name}.tbd`);
const framework = (name) =>
  path.join(sdk, 'System', 'Library', 'Frameworks', `${name}.framework`, `${name}.tbd`);
const missing = [
  ...(linker === undefined ? ['lld (ld64.lld; or set LLD)'] : []),
  ...[
    ...['libSystem', 'libc++', 'libbsm', 'libEndpointSecurity'].map(stub),
    ...['CoreServices', 'CoreFoundation'].map(framework),
  ].filter((file) => !existsSync(file)),
];

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-darwin-'));

/** The values of a variable that gyp wrote into a makefile. */
function valuesOf(makefile, name) {
  const [, lines = ''] = makefile.match(new RegExp(`^${name} :=((?:.*\\\\\\n)*.*)`, 'm')) ?? [];
  return lines
    .replaceAll('\\\n', ' ')
    .split(/\s+/)
    .filter((value) => value !== '')
    .map((value) => value.replace(/^'(.*)'$/, '$1').replaceAll('$(srcdir)', native));
}

/** What node-gyp would have make do on a Mac. */
function flagsFor(arch) {
  const nodeGyp = path.dirname(require.resolve('node-gyp/package.json'));
  const out = path.join(folder, `gyp-${arch}`);
  mkdirSync(out);
  const config = path.join(out, 'config.gypi');
  // As node-gyp's create-config-gypi.js has it.
  const more = { target_arch: arch, host_arch: arch, standalone_static_library: 1, nodedir: nodePrefix };
  const variables = { ...process.config.variables, ...more };
  writeFileSync(
    config,
    JSON.stringify({ ...process.config, variables }, (_, value) =>
      typeof value === 'boolean' ? String(value) : value,
    ),
  );
  const done = spawnSync(
    process.env.PYTHON ?? 'python3',
    [
      ...[path.join(root, 'scripts', 'gyp-for-mac.py'), path.join(nodeGyp, 'gyp', 'pylib')],
      ...['binding.gyp', '-f', 'make', '-I', config, '-I', path.join(nodeGyp, 'addon.gypi')],
      ...['-I', path.join(nodePrefix, 'include', 'node', 'common.gypi')],
      ...['-Dlibrary=shared_library', '-Dvisibility=default', `-Dnode_root_dir=${nodePrefix}`],
      ...[`-Dnode_gyp_dir=${nodeGyp}`, '-Dnode_lib_file=', `-Dmodule_root_dir=${native}`],
      ...['-Dnode_engine=v8', '--depth=.', '--no-parallel', '--generator-output', out, '-Goutput_dir=.'],
    ],
    { cwd: native, encoding: 'utf8' },
  );
  const file = path.join(out, 'launchwarden.target.mk');
  if (done.status !== 0 || !existsSync(file)) throw new Error(`gyp failed:\n${done.stdout}${done.stderr}`);
  const makefile = readFileSync(file, 'utf8');
  const of = (name) => valuesOf(makefile, name);
  const link = of('LDFLAGS_Release');
  const lookup = link.indexOf('dynamic_lookup');
  return {
    sources: of('OBJS').map((object) => object.replace(/^.*\$\(TARGET\)\//, '').replace(/\.o$/, '.cc')),
    compile: ['DEFS_Release', 'INCS_Release', 'CFLAGS_Release', 'CFLAGS_CC_Release'].flatMap(of),
    // What is undefined on a Mac until the addon is loaded must be found here.
    link: link
      .filter((_, at) => (at !== lookup && at !== lookup - 1) || lookup < 0)
      .filter((value) => !value.startsWith('-L$')),
    libraries: of('LIBS'),
  };
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

function definesOf(arch) {
  const known = spawnSync(compiler, [`--target=${triples[arch]}13.0`, '-dM', '-E', '-x', 'c', '-'], {
    input: '',
  });
  const text = String(known.stdout);
  const version = /__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__ (\d+)/.exec(text)?.[1];
  return text.includes(leastVersion) || version === undefined ? [] : [`-D${leastVersion}=${version}`];
}

async function compileAll(arch, { sources, compile }) {
  const waiting = [...sources];
  const failures = [];
  const objects = sources.map((source) => path.join(folder, `${arch}-${source.replaceAll('/', '-')}.o`));
  const work = async () => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const object = objects[sources.indexOf(source)];
      const done = await run(compiler, [
        `--target=${triples[arch]}`,
        ...['-isysroot', sdk, ...definesOf(arch), ...compile],
        ...[
          '-Wextra',
          '-Wno-unused-parameter',
          '-Werror',
          '-Werror=unguarded-availability-new',
          '-c',
          '-o',
          object,
        ],
        path.join(native, source),
      ]);
      if (!done.ok) failures.push(`${source} for ${arch}:\n${done.output}`);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  return { objects, failures };
}

/** A library that has what the objects use of Node-API, as far as Node.js's headers declare it. */
function nodeApiStub(objects) {
  const headers = ['js_native_api.h', 'node_api.h'].map((name) =>
    readFileSync(path.join(nodePrefix, 'include', 'node', name), 'utf8'),
  );
  const declared = new Set(
    [...headers.join('\n').matchAll(/\b(napi_[a-z0-9_]+|node_api_[a-z0-9_]+)\(/g)].map(([, name]) => name),
  );
  const used = new Set(
    objects.flatMap((object) =>
      [...readFileSync(object, 'latin1').matchAll(/\0_((?:napi|node_api)_[a-z0-9_]+)(?=\0)/g)].map(
        ([, name]) => name,
      ),
    ),
  );
  const names = [...used].filter((name) => declared.has(name)).sort();
  const file = path.join(folder, 'node-api.tbd');
  writeFileSync(
    file,
    `--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/node-api'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ ${names.map((name) => `_${name}`).join(', ')} ]
...
`,
  );
  return { file, count: names.length };
}

const failures = [];
const said = [];
try {
  for (const arch of Object.keys(triples)) {
    const flags = flagsFor(arch);
    const onDisk = readdirSync(path.join(native, 'src', 'darwin')).filter((file) => file.endsWith('.cc'));
    const forgotten = onDisk.filter((file) => !flags.sources.includes(`src/darwin/${file}`));
    if (forgotten.length > 0) failures.push(`binding.gyp does not name ${forgotten.join(', ')}`);
    const compiled = await compileAll(arch, flags);
    failures.push(...compiled.failures);
    said.push(`${arch}: ${flags.sources.length} files compiled`);
    if (compiled.failures.length > 0 || missing.length > 0) continue;
    const nodeApi = nodeApiStub(compiled.objects);
    const linked = await run(compiler, [
      ...[
        `--target=${triples[arch]}`,
        `--ld-path=${linker}`,
        '-mlinker-version=705',
        '-isysroot',
        sdk,
        '-bundle',
      ],
      ...[...flags.link, '-o', path.join(folder, `${arch}.node`), ...compiled.objects],
      ...[...flags.libraries, nodeApi.file],
    ]);
    if (!linked.ok) failures.push(`link for ${arch}:\n${linked.output}`);
    else said.push(`${arch}: linked, ${nodeApi.count} calls of Node-API`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (missing.length > 0) console.log(`skipped: check:darwin: not linked, missing: ${missing.join(', ')}`);
for (const failure of failures) console.error(failure);
console.log(`${said.join('; ')}: ${failures.length === 0 ? 'passed' : `${failures.length} failed`}`);
process.exit(failures.length === 0 ? 0 : 1);
