import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { openStore } from '../../src/store/index.js';
import { noAddon } from '../helpers/respond-place.js';
import { treeText } from '../simulation/installs.js';
import { StandInLaunchd } from '../simulation/launchd.js';
import { program, SimulatedMac, standInLaunchctl, waitFor } from '../simulation/mac.js';

// Ctrl-C in the middle: what changes a Mac finishes it or takes it back, and says so.

const ready = noAddon === undefined && standInLaunchctl() !== undefined;
if (!ready)
  process.stderr.write('skipped: test/e2e/interrupt.test.ts needs a C compiler and the native addon\n');

let mac: SimulatedMac;

beforeEach(() => {
  if (ready) mac = new SimulatedMac();
});
afterEach(() => {
  if (ready) mac.remove();
});

/** A command of its own process, and what it has printed until now. */
function start(...argv: readonly string[]) {
  const child = spawn(process.execPath, [program, ...argv, '--root', mac.root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said.text += chunk));
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const says = (text: string) =>
    waitFor(`"${text}"`, () => {
      if (said.text.includes(text)) return true;
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${said.text}`);
      return undefined;
    });
  return { child, said, says, ended };
}

const waits = 'interrupted: what has begun is finished or taken back first';

describe.skipIf(!ready)('interrupted', () => {
  test('a response is finished, and ends with 130', async () => {
    const [begun, go] = [path.join(mac.base, 'begun'), path.join(mac.base, 'go')];
    // Each restart waits for us.
    writeFileSync(
      mac.launchctl,
      `#!/bin/sh
case "$1" in
  print) printf '%s = {\\n\\tpath = (unknown)\\n\\tstate = waiting\\n}\\n' "$2" ;;
  *) touch '${begun}'; while [ ! -e '${go}' ]; do sleep 0.02; done ;;
esac
`,
    );
    chmodSync(mac.launchctl, 0o755);
    const data = ['--data-dir', mac.dataDir];
    openStore({ dataDir: mac.dataDir, clock: systemClock }).close();
    const { child, said, says, ended } = start('respond', 'restart-directory-service', ...data);
    await waitFor('launchctl', () => {
      if (child.exitCode !== null) throw new Error(said.text);
      return existsSync(begun) ? true : undefined;
    });
    child.kill('SIGINT');
    await says(waits);
    writeFileSync(go, '');
    expect(await ended).toBe(130);
    expect(said.text).toMatch(/^done +com\.apple\.opendirectoryd was started anew$/m);
    const list = start('respond', 'list', '--json', ...data);
    await list.ended;
    expect(JSON.parse(list.said.text)).toMatchObject({ state: 'done' });
  });

  test('an installation is taken back, and ends with 130', async () => {
    for (const folder of ['Library/Application Support', 'private/etc/newsyslog.d', 'usr/bin'])
      mkdirSync(path.join(mac.root, folder), { recursive: true });
    copyFileSync(mac.launchctl, mac.host('/usr/bin/launchctl'));
    rmSync(mac.launchctl);
    const launchd = await StandInLaunchd.start(mac.root);
    onTestFinished(() => launchd.stop());
    // What an agent that had started has written stays: its log and its data, and beside them what a removal must know.
    const [data, logs] = ['/Library/Application Support/launchwarden', '/Library/Logs'];
    const itsOwn = new RegExp(
      `^(?:${data}(?:/(?:data.*|install\\.json))?|${logs}(?:/launchwarden.*)?) .*\n`,
      'gm',
    );
    const tree = () => `${treeText(mac.root)}\n`;
    const before = tree();
    const { child, said, says, ended } = start('install');
    await says('kickstart');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(said.text).toContain(waits);
    expect(said.text).toContain('it was interrupted; the installation was taken back [install/interrupted]');
    expect(tree().replaceAll(itsOwn, '')).toBe(before);
    const isLeft = [logs, `${data}/data`].some((place) => existsSync(mac.host(place)));
    expect(existsSync(mac.host(`${data}/install.json`))).toBe(isLeft);
    const removal = start('uninstall', '--purge');
    expect(await removal.ended, removal.said.text).toBe(0);
    expect(tree()).toBe(before);
  });
});
