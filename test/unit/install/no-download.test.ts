import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly hasInstallScript?: boolean }>
  >;
}
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;

test('what better-sqlite3 runs at its installation is ours, and asks nobody', () => {
  const own = Object.entries(lock.packages).filter(([place]) => place.endsWith('/prebuild-install'));
  expect(own).toEqual([
    ['node_modules/prebuild-install', expect.objectContaining({ resolved: 'file:scripts/prebuild-install' })],
  ]);
  // As a link npm would put it in place only after the script.
  expect(readFileSync('.npmrc', 'utf8')).toMatch(/^install-links=true$/m);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/prebuild-install/bin.js'], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('no other package that is installed on every system runs a script at its installation', () => {
  const scripted = Object.entries(lock.packages)
    .filter(([place, { hasInstallScript }]) => place !== '' && hasInstallScript === true)
    .map(([place]) => place);
  expect(scripted.filter((place) => place !== 'node_modules/fsevents')).toEqual([
    'node_modules/better-sqlite3',
  ]);
});
