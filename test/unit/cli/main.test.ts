import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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
