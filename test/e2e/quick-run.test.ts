import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  AgentProcess,
  alertsAbout,
  listAlerts,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { launchAttack } from '../simulation/scenarios.js';

// The agent as launchd starts it: from one file with a code cache. Here nothing else of its code is there.
const skipped = standInLaunchctl() === undefined || !existsSync('dist/quick/run.js');
if (skipped) process.stderr.write('skipped: test/e2e/quick-run.test.ts needs a C compiler and a build\n');
const home = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-quick-run-')));
const cacheName = `run.${process.version}-${process.platform}-${process.arch}.cache`;
const cache = path.join(home, 'dist/quick', cacheName);
let mac: SimulatedMac | undefined;
let agent: AgentProcess | undefined;

beforeAll(() => {
  if (skipped) return;
  const parts = ['dist/quick', 'dist/rules/builtin', 'dist/rules/exceptions/packs'];
  for (const part of ['bin', 'package.json', ...parts])
    cpSync(path.join(repository, part), path.join(home, part), { recursive: true });
  for (const part of ['node_modules', 'native'])
    symlinkSync(path.join(repository, part), path.join(home, part));
});
afterEach(async () => {
  await agent?.stop('SIGKILL');
  mac?.remove();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function start(config = ''): Promise<{ mac: SimulatedMac; agent: AgentProcess }> {
  mac = new SimulatedMac();
  agent = await AgentProcess.start({ mac, config, program: path.join(home, 'bin/launchwarden.js') });
  return { mac, agent };
}

async function attackIsAlerted(on: { mac: SimulatedMac; agent: AgentProcess }): Promise<void> {
  const attack = await launchAttack(on.agent, 100);
  await on.agent.settled();
  expect(alertsAbout(listAlerts(on.mac), attack.path)).toHaveLength(1);
}

describe.skipIf(skipped)('the agent from one file', () => {
  test('alerts an attack, loads its workers, reads its configuration again and ends as it should', async () => {
    const rule = path.join(home, 'a.yar');
    writeFileSync(rule, 'rule nothing { condition: false }\n');
    const on = await start(`[scan]\nyara = [${JSON.stringify(rule)}]\n`);
    await attackIsAlerted(on);
    await waitFor('the rules of YARA', async () => {
      const { scan } = (await on.agent.status()) as unknown as { scan: Record<string, unknown> };
      return scan['yara'] === 1 && scan['trouble'] === null ? true : undefined;
    });
    on.agent.child.kill('SIGHUP');
    await waitFor('the reload', () => (on.agent.log.includes('configuration read again') ? true : undefined));
    expect(await on.agent.stop()).toBe(0);
    expect(on.agent.log).toContain('"msg":"stopped"');
  });

  test.for([
    ['no cache', undefined],
    ['a damaged one', 'zeros'],
    ['one that is damaged behind what V8 looks at', 'inside'],
    ['one that was cut short', 'short'],
    ['one of another program', 'other'],
  ] as const)('alerts an attack with %s', async ([, what]) => {
    const kept = readFileSync(cache);
    const other = readdirSync(path.join(home, 'dist/quick')).find((name) =>
      /^alerts-list.*cache$/.test(name),
    );
    try {
      if (what === undefined) rmSync(cache);
      else if (what === 'zeros') writeFileSync(cache, Buffer.alloc(kept.length));
      else if (what === 'inside') writeFileSync(cache, Buffer.from(kept).fill(0xa5, 200, kept.length >> 1));
      else if (what === 'short') writeFileSync(cache, kept.subarray(0, kept.length >> 1));
      else cpSync(path.join(home, 'dist/quick', other as string), cache);
      await attackIsAlerted(await start());
    } finally {
      writeFileSync(cache, kept);
    }
  });
});
