import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { repository, standInLaunchctl } from '../simulation/mac.js';

const compiler = standInLaunchctl() !== undefined;
if (!compiler) process.stderr.write('skipped: the demo needs a C compiler for its launchctl\n');

beforeAll(() => {
  const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.tools.json'], {
    cwd: repository,
    encoding: 'utf8',
  });
  expect(built.stdout).toBe('');
});

const demo = (...argv: string[]) =>
  spawnSync(process.execPath, [path.join(repository, 'build/demo/main.js'), ...argv], {
    encoding: 'utf8',
    timeout: 60_000,
  });

test.skipIf(!compiler)('the demo finds exactly the expected alerts', () => {
  const done = demo();
  expect(done.stdout).toContain('exactly the two expected alerts');
  expect(done.status).toBe(0);
});

test.skipIf(!compiler).each(['file-watch', 'process-scan', 'rules', 'forward'])(
  'without %s it fails',
  (stage) => {
    expect(demo('--without', stage).status).toBe(1);
  },
  60_000,
);
