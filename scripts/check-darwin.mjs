// Type-checks the macOS half of the addon on any system, against the headers of a real macOS SDK:
//
//   MACOS_SDK=/path/to/MacOSX.sdk npm run check:darwin
//
// The SDK is Apple's and stays where it is: nothing of it is copied. Without MACOS_SDK there is nothing to check, which
// is said. What this proves: names, types and guards of newer calls. What it does not: that anything works on a Mac.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(path.join(root, 'package.json'));
const sdk = process.env.MACOS_SDK;
if (sdk === undefined || sdk === '') {
  console.log('skipped: check:darwin: MACOS_SDK is not set to the folder of a macOS SDK');
  process.exit(0);
}
const headers = path.join(sdk, 'usr', 'include', 'EndpointSecurity', 'EndpointSecurity.h');
if (!existsSync(headers)) {
  console.error(`MACOS_SDK: ${headers} does not exist`);
  process.exit(2);
}
const compiler = process.env.CLANGXX ?? 'clang++';
if (spawnSync(compiler, ['--version']).status !== 0) {
  console.error(`${compiler} does not run: install clang, or set CLANGXX`);
  process.exit(2);
}

const nodeHeaders = [
  path.join(path.dirname(path.dirname(process.execPath)), 'include', 'node'),
  process.env.NODE_HEADERS ?? '',
].find((folder) => existsSync(path.join(folder, 'node_api.h')));
if (nodeHeaders === undefined) {
  console.error(
    "Node.js's own headers were not found beside it: set NODE_HEADERS to the folder of node_api.h",
  );
  process.exit(2);
}

/** What binding.gyp compiles on a Mac: everything but the other platforms' folders. */
const native = path.join(root, 'native', 'src');
const others = new Set(['linux', 'stub', 'double']);
const sources = readdirSync(native, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.cc') && !others.has(file.split(path.sep)[0]))
  .sort();

let failed = 0;
for (const target of ['arm64-apple-macos13', 'x86_64-apple-macos13']) {
  for (const source of sources) {
    const checked = spawnSync(
      compiler,
      [
        `--target=${target}`,
        '-std=gnu++20',
        '-fsyntax-only',
        '-fblocks',
        '-fexceptions',
        '-Wall',
        '-Wextra',
        '-Wno-unused-parameter',
        '-Werror',
        '-Werror=unguarded-availability-new',
        '-isysroot',
        sdk,
        '-stdlib=libc++',
        '-DNAPI_VERSION=9',
        '-DNODE_ADDON_API_CPP_EXCEPTIONS',
        `-I${native}`,
        '-isystem',
        nodeHeaders,
        '-isystem',
        path.dirname(require.resolve('node-addon-api/napi.h')),
        path.join(native, source),
      ],
      { encoding: 'utf8' },
    );
    if (checked.status === 0) continue;
    failed++;
    console.error(`${source} for ${target}:\n${checked.stderr}`);
  }
}
console.log(`${sources.length} files, arm64 and x86_64: ${failed === 0 ? 'passed' : `${failed} failed`}`);
process.exit(failed === 0 ? 0 : 1);
