// Builds the unchanged macOS sources of the addon on this system, over a scripted kernel and scripted FSEvents
// (native/test/darwin), and runs native/test/check_darwin.cc under the sanitizers: `npm run check:darwin-run`. Needs
// clang++ with its sanitizer libraries; without it, says so and passes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const native = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'native');
const compiler = process.env.CLANGXX ?? 'clang++';
if (process.platform !== 'linux') {
  console.log('skipped: check:darwin-run: the scripted kernel is written for Linux');
  process.exit(0);
}
if (spawnSync(compiler, ['--version']).status !== 0) {
  console.log(`skipped: check:darwin-run: ${compiler} does not run: install clang, or set CLANGXX`);
  process.exit(0);
}

const sources = (
  folder,
  names = readdirSync(path.join(native, folder)).filter((name) => name.endsWith('.cc')),
) => names.map((name) => path.join(native, folder, name));
const files = [
  path.join(native, 'test', 'check_darwin.cc'),
  ...sources('test/darwin'),
  ...sources('src/darwin', ['fs_api.cc', 'pause.cc', 'process_reader.cc']),
  ...['src/core', 'src/scan', 'src/fsevents'].flatMap((folder) => sources(folder)),
];

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-darwin-run-'));
const run = (command, args, env = {}) =>
  spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 300_000 });
let failed = 0;
try {
  for (const [name, flags, env] of [
    [
      'address, undefined',
      ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
      { ASAN_OPTIONS: 'detect_leaks=1' },
    ],
    ['thread', ['-fsanitize=thread'], { TSAN_OPTIONS: 'halt_on_error=1' }],
  ]) {
    const program = path.join(folder, name.replace(/\W/g, ''));
    const built = run(compiler, [
      ...[
        '-std=gnu++20',
        '-g',
        '-O1',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-Wno-missing-field-initializers',
        '-pthread',
      ],
      ...flags,
      `-I${path.join(native, 'test', 'darwin', 'include')}`,
      `-I${path.join(native, 'src')}`,
      `-I${path.join(native, 'test')}`,
      ...['-o', program],
      ...files,
    ]);
    const done = built.status === 0 ? run(program, [], env) : built;
    if (done.status !== 0) failed++;
    console.log(
      `${name}: ${done.status === 0 ? done.stdout.trim() : `failed\n${done.stdout}${done.stderr}`}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
