import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { observedRootKey, openStore } from '../../../src/store/index.js';
import { cli, tempFolder } from '../../helpers/run-cli.js';
import { detection, fileEvent, plistPath, processEvent, storedAlerts } from './alert-fixture.js';

/** A data folder with one alert of a simulated Mac. */
function simulated(root: string | undefined): string {
  const file = fileEvent('f1');
  const about = { ...file, doc: { ...file.doc, labels: { launchwarden_simulated: true } } };
  const dataDir = storedAlerts([
    detection({ events: [about, processEvent()], candidates: [{ event: about, named: true, link: 'path' }] }),
  ]);
  const store = openStore({ dataDir, clock: systemClock });
  if (root !== undefined) store.meta.set(observedRootKey, root);
  store.close();
  return dataDir;
}

const idIn = (dataDir: string) => {
  const store = openStore({ dataDir, clock: systemClock, readOnly: true });
  const [alert] = store.alerts.list({ limit: 1 });
  store.close();
  return alert?.id ?? '';
};

test('a response acts where the agent looked, without being told', async () => {
  const root = realpathSync(tempFolder());
  mkdirSync(path.join(root, path.dirname(plistPath)), { recursive: true });
  writeFileSync(path.join(root, plistPath), 'x');
  const dataDir = simulated(root);
  const { stdout } = await cli(['respond', 'quarantine', idIn(dataDir), '--dry-run', '--data-dir', dataDir]);
  expect(stdout).toContain(createHash('sha256').update('x').digest('hex'));
});

test('a tree that is gone is said, and never taken for this machine', async () => {
  const root = realpathSync(tempFolder());
  const dataDir = simulated(root);
  rmSync(root, { recursive: true });
  const { code, stderr } = await cli(['respond', 'quarantine', idIn(dataDir), '--data-dir', dataDir]);
  expect(stderr).toContain('[cli/root-gone]');
  expect(code).toBe(2);
});

test('an alert of a tree that is not known is not looked for on this machine', async () => {
  const dataDir = simulated(undefined);
  const { code, stderr } = await cli([
    'respond',
    'quarantine',
    idIn(dataDir),
    '--dry-run',
    '--data-dir',
    dataDir,
  ]);
  expect(stderr).toContain('[respond/simulated]');
  expect(code).toBe(2);
});
