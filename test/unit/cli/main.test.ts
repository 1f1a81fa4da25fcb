import { execFile, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { storedAlerts } from './alert-fixture.js';

// The program as its user starts it, from dist/ (npm test builds that first).
const program = 'bin/launchwarden.js';

describe('bin/launchwarden.js', () => {
  beforeEach(({ skip }) => {
    if (existsSync('dist/cli/main.js')) return;
    process.stdout.write('skipped: dist/ is not built\n');
    skip();
  });

  test('ends with the exit code of the command', async () => {
    const done = await promisify(execFile)(process.execPath, [program, '--version']);
    expect(done.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const wrong = spawnSync(process.execPath, [program, 'alrets'], { encoding: 'utf8' });
    expect({ status: wrong.status, stdout: wrong.stdout }).toEqual({ status: 2, stdout: '' });
    expect(wrong.stderr).toContain('Did you mean "alerts"?');
  });

  test('says nothing when its reader goes away', async () => {
    const child = spawn(process.execPath, [program, 'rules', 'list', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, said }).toEqual({ code: 0, said: '' });
  });

  test('a full disk behind its output is told in one line; behind standard error it changes nothing', ({
    skip,
  }) => {
    if (!existsSync('/dev/full')) {
      process.stdout.write('skipped: there is no /dev/full here\n');
      skip();
    }
    const full = openSync('/dev/full', 'w');
    try {
      const run = (argv: string[], stdio: StdioOptions) =>
        spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8', stdio });
      const listed = run(['rules', 'list'], ['ignore', full, 'pipe']);
      expect(listed.status).toBe(2);
      expect(listed.stderr).toMatch(/^launchwarden: cannot write the output: ENOSPC.* \[cli\/output\]\n$/);
      expect(run(['alrets'], ['ignore', 'pipe', full]).status).toBe(2);
      expect(run(['rules', 'list'], ['ignore', 'pipe', full]).status).toBe(0);
    } finally {
      closeSync(full);
    }
  });

  test('alerts watch ends with 0 on SIGINT', async () => {
    const dataDir = storedAlerts();
    const child = spawn(process.execPath, [
      program,
      'alerts',
      'watch',
      '--since',
      '2026-01-01',
      '--data-dir',
      dataDir,
    ]);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
