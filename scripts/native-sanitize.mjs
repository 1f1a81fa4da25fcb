// Compiles the addon's core, scanner and EndpointSecurity client with native/test/check.cc and runs them under the
// sanitizers: `npm run check:native`. Needs a C++ compiler with its sanitizer libraries; without one, says so and passes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const native = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'native');
if (process.platform === 'darwin') {
  console.log('skipped: check:native: the double that it needs is not part of a build for macOS');
  process.exit(0);
}

const sources = [
  'test/check.cc',
  'test/check_client.cc',
  'src/core/arguments.cc',
  'src/core/channel.cc',
  'src/core/record.cc',
  'src/double/es_double.cc',
  'src/es/client.cc',
  'src/es/pack.cc',
  'src/scan/hint_trust.cc',
  'src/scan/scanner.cc',
  'src/stub/es_api.cc',
  ...['pause.cc', 'process_reader.cc'].map(
    (file) => `src/${process.platform === 'linux' ? 'linux' : 'stub'}/${file}`,
  ),
].map((file) => path.join(native, file));

const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-sanitize-'));
const run = (command, args, env = {}) =>
  spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } });

function compilerWith(flags) {
  const probe = path.join(folder, 'probe.cc');
  writeFileSync(probe, 'int main() { return 0; }\n');
  return [process.env.CXX ?? '', 'g++', 'clang++'].find((compiler) => {
    if (compiler === '') return false;
    const out = path.join(folder, 'probe');
    return run(compiler, [...flags, '-o', out, probe]).status === 0 && run(out, []).status === 0;
  });
}

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
    const compiler = compilerWith(flags);
    if (compiler === undefined) {
      console.log(`skipped: check:native: no compiler with -fsanitize=${name}`);
      continue;
    }
    const program = path.join(folder, name.replace(/\W/g, ''));
    const built = run(compiler, [
      '-std=gnu++20',
      '-g',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-pthread',
      ...flags,
      `-I${path.join(native, 'src')}`,
      '-o',
      program,
      ...sources,
    ]);
    const done = built.status === 0 ? run(program, [], env) : built;
    if (done.status !== 0) failed++;
    console.log(
      `${name} (${compiler}): ${done.status === 0 ? done.stdout.trim() : `failed\n${done.stdout}${done.stderr}`}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
