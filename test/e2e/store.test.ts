import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/store/database.js';
import {
  AgentProcess,
  alertsAbout,
  control,
  listAlerts,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { launchAttack } from '../simulation/scenarios.js';

const Driver = createRequire(import.meta.url)('better-sqlite3') as new (file: string) => Connection;
const compiler = standInLaunchctl() !== undefined;
const native = existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!compiler || !native)
  process.stderr.write('skipped: test/e2e/store.test.ts needs a C compiler and the native addon\n');

describe.skipIf(!compiler || !native)('an agent whose databases cannot be used', () => {
  let mac: SimulatedMac;
  let out: string;
  let agent: AgentProcess;

  beforeEach(() => {
    mac = new SimulatedMac();
    out = path.join(mac.base, 'out.ndjson');
  });

  afterEach(async () => {
    await agent.stop('SIGKILL');
    mac.remove();
  });

  const startAgent = async () => {
    const config = `[[destination]]\nname = "out"\ntype = "file"\npath = "${out}"\nsimulated = true\n`;
    agent = await AgentProcess.start({ mac, config });
  };
  const received = () => (existsSync(out) ? readFileSync(out, 'utf8') : '');
  const store = async () =>
    ((await control(mac.dataDir, 'status')) as { store: { state: string; held_alerts: number } }).store;

  test('a lock that somebody holds stops neither detection nor delivery, and is no sleep', async () => {
    await startAgent();
    const other = new Driver(path.join(mac.dataDir, 'launchwarden.db'));
    other.exec('BEGIN EXCLUSIVE');
    // Long enough for a busy machine to see the process.
    const attack = await launchAttack(agent, 500);
    await waitFor('the alert to be delivered', () => received().includes(attack.path) || undefined);
    const held = await store();
    expect(held.state).toBe('busy');
    expect(held.held_alerts).toBeGreaterThanOrEqual(1);
    expect(alertsAbout(listAlerts(mac), attack.path)).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    await waitFor('the alert to be stored', () => alertsAbout(listAlerts(mac), attack.path)[0]);
    expect(await store()).toMatchObject({ state: 'ok', held_alerts: 0 });
    expect(received()).not.toContain('"sleep"');
  });

  test('a database that is damaged while it is used, and one that was at the start, cost no alert', async () => {
    mkdirSync(mac.dataDir, { mode: 0o700 });
    writeFileSync(path.join(mac.dataDir, 'events.db'), 'no database. '.repeat(900));
    await startAgent();
    const first = await launchAttack(agent, 20);
    await waitFor('the first alert', () => alertsAbout(listAlerts(mac), first.path)[0]);
    const other = new Driver(path.join(mac.dataDir, 'launchwarden.db'));
    other.exec('DROP TABLE evidence');
    other.close();
    const second = await launchAttack(agent, 20);
    await waitFor('the second alert', () => alertsAbout(listAlerts(mac), second.path)[0]);
    expect(alertsAbout(listAlerts(mac), first.path)).toHaveLength(1);
    await waitFor('both to be told', () => {
      const told = received().match(/(events|launchwarden)\.db is damaged/g) ?? [];
      return new Set(told).size === 2 || undefined;
    });
    expect(await store()).toMatchObject({ state: 'ok' });
  });
});
