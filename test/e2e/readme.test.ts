import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../simulation/mac.js';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasCompiler())('"Try it by hand" of README, as it stands', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lw-readme-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const section = /## Try it by hand\n([\s\S]*?)\n## /.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
  const [agent = '', attack = ''] = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) =>
    (text ?? '')
      .replaceAll('/tmp/mac-data', path.join(folder, 'data'))
      .replaceAll('/tmp/mac', path.join(folder, 'mac'))
      .replaceAll('/tmp/x', path.join(folder, 'x'))
      .replaceAll('npx launchwarden', `'${process.execPath}' bin/launchwarden.js`),
  );
  let log = '';
  const child = spawn(
    'sh',
    ['-ec', agent.replace(/^('.*launchwarden\.js' run|'.*' bin\/launchwarden\.js run)/m, 'exec $1')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  stops.unshift(() => child.kill('SIGKILL'));
  await waitFor('the agent to be ready', () => (log.includes('"ready"') ? true : undefined));
  const lines = attack.trimEnd().split('\n');
  const show = lines.pop() ?? '';
  const list = lines.at(-1) ?? '';
  execFileSync('sh', ['-ec', lines.join('\n')], { encoding: 'utf8' });
  const id = await waitFor('the alert', () => {
    const listed = execFileSync('sh', ['-ec', list], { encoding: 'utf8' });
    return listed
      .split('\n')
      .find((line) => line.includes('com.example.evil.plist'))
      ?.split(' ')[0];
  });
  const shown = execFileSync('sh', ['-ec', show.replace(/\bID$/, id)], { encoding: 'utf8' });
  expect(shown).toContain('com.example.evil');
  child.kill('SIGTERM');
  await ended;
});
