import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Driver, lockOf } from '../helpers/lock.js';
import { tellWhenFailed } from '../helpers/tell-failure.js';
import {
  AgentProcess,
  alertsAbout,
  allAlerts,
  control,
  listAlerts,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { launchAttack } from '../simulation/scenarios.js';

const compiler = standInLaunchctl() !== undefined;
const native = existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!compiler || !native)
  process.stderr.write('skipped: test/e2e/store.test.ts needs a C compiler and the native addon\n');

interface Delivered {
  readonly event?: { readonly kind?: string; readonly id?: string };
  readonly file?: { readonly path?: string };
}

describe.skipIf(!compiler || !native)('an agent whose databases cannot be used', () => {
  let mac: SimulatedMac;
  let out: string;
  let agent: AgentProcess;

  beforeEach((context) => {
    tellWhenFailed(context, () => agent);
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
  /** Ids of the delivered alerts about a file, whichever rules gave them. */
  const deliveredAbout = (macPath: string): string[] => {
    const lines = received().split('\n').slice(0, -1);
    const documents = lines.map((line) => JSON.parse(line) as Delivered);
    const about = documents.filter(({ event, file }) => event?.kind === 'alert' && file?.path === macPath);
    return [...new Set(about.map(({ event }) => event?.id ?? ''))];
  };
  const store = async () =>
    ((await control(mac.dataDir, 'status')) as { store: { state: string; held_alerts: number } }).store;

  test('a lock that somebody holds stops neither detection nor delivery, and is no sleep', async () => {
    await startAgent();
    const unlock = lockOf(mac.dataDir, 'launchwarden.db');
    const attack = await launchAttack(agent, 500);
    await waitFor('an alert to be delivered', () => deliveredAbout(attack.path)[0]);
    const held = await store();
    expect(held.state).toBe('busy');
    expect(held.held_alerts).toBeGreaterThanOrEqual(1);
    expect(alertsAbout(allAlerts(mac), attack.path)).toEqual([]);
    await agent.settled();
    unlock();
    await waitFor('the store to be well', async () => {
      const { state, held_alerts: left } = await store();
      return (state === 'ok' && left === 0) || undefined;
    });
    const stored = alertsAbout(allAlerts(mac), attack.path).map(({ id }) => id);
    expect(stored).toEqual(expect.arrayContaining(deliveredAbout(attack.path)));
    // Those of the source rules are among them.
    expect(alertsAbout(listAlerts(mac), attack.path)).not.toEqual([]);
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
