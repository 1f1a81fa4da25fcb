import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { control, repository, waitFor } from '../simulation/mac.js';

let base: string | undefined;
let agent: ChildProcess | undefined;

afterEach(async () => {
  if (agent !== undefined) {
    const ended = new Promise((resolve) => agent?.once('close', resolve));
    agent.kill('SIGKILL');
    await ended;
  }
  if (base !== undefined) rmSync(base, { recursive: true, force: true });
});

/** The program as it is where nobody has built the addon. */
function withoutAddon(folder: string): string {
  mkdirSync(folder);
  for (const part of ['bin', 'dist', 'package.json', 'launchd'])
    cpSync(path.join(repository, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(repository, 'node_modules'), path.join(folder, 'node_modules'));
  return path.join(folder, 'bin', 'launchwarden.js');
}

test('the tier "auto" without the addon is not healthy, and says what it misses and costs', {
  timeout: 120_000,
}, async () => {
  base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-no-addon-')));
  const [root, dataDir, config] = ['root', 'data', 'config.toml'].map((name) => path.join(base ?? '', name));
  if (root === undefined || dataDir === undefined || config === undefined) throw new Error('no folders');
  mkdirSync(path.join(root, 'Library', 'LaunchAgents'), { recursive: true });
  writeFileSync(config, '');
  const program = withoutAddon(path.join(base, 'program'));
  const common = ['--config', config, '--root', root, '--data-dir', dataDir];
  agent = spawn(process.execPath, [program, 'run', ...common], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  agent.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await waitFor('the agent', () => control(dataDir, 'status').catch(() => undefined), 60_000);
  const { status, stdout } = spawnSync(process.execPath, [program, 'status', ...common], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const [verdict = ''] = stdout.split('\n');
  expect(verdict).toMatch(/^DEGRADED: /);
  expect(verdict).toMatch(
    /process-scan: no native scanner: ps-list every 1000 ms: misses nearly every program/,
  );
  expect(verdict).toContain('% of a core');
  expect(stdout).toContain('the native addon is not built for this machine');
  expect(log).toContain('no native scanner: process starts are polled with ps-list');
});
