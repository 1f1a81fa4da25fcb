import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeEslogger } from '../helpers/eslogger-lines.js';
import {
  AgentProcess,
  launchAgentPlist,
  program,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';

// What its administrator asks a running agent: doctor, status, top, reload; first with everything in order, then with one
// thing broken at a time, and mended again.

const compiler = standInLaunchctl() !== undefined;
if (!compiler)
  process.stderr.write('skipped: test/e2e/operate.test.ts needs a C compiler for its launchctl\n');

interface Ran {
  readonly code: number;
  readonly text: string;
}

interface Answer {
  readonly name: string;
  readonly mark: string;
  readonly found: string;
}

describe.skipIf(!compiler)('an agent that is operated', () => {
  let mac: SimulatedMac;
  let agent: AgentProcess;
  let receiver: Server;
  let answers = 200;
  let esloggerFolder: string;

  const configFile = () => path.join(mac.base, 'config.toml');
  const base = () => `[[destination]]
name = "siem"
type = "file"
path = ${JSON.stringify(path.join(mac.base, 'siem.ndjson'))}

[[destination]]
name = "web"
type = "webhook"
url = "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/"
simulated = true
`;

  const run = (...argv: readonly string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const places = ['--data-dir', mac.dataDir, '--config', configFile()];
      execFile(
        process.execPath,
        [program, ...argv, ...places],
        { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` }),
      );
    });
  const reload = (more: string) => {
    writeFileSync(configFile(), `${base()}${more}`);
    return run('reload');
  };
  /** The answers of doctor, by question. */
  const doctor = async () => {
    const { code, text } = await run('doctor', '--json', '--root', mac.root);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    return { code, of: (name: string) => lines.find((one) => one.name === name), lines };
  };
  /** Waits for what `status` prints first, and returns all of it with its exit code. */
  const verdict = (pattern: RegExp) =>
    waitFor(`the verdict ${pattern}`, async () => {
      const ran = await run('status');
      return pattern.test(ran.text) ? ran : undefined;
    });

  beforeAll(async () => {
    mac = new SimulatedMac();
    esloggerFolder = path.dirname(mac.write('/usr/bin/x', ''));
    fakeEslogger(esloggerFolder);
    // One that answers: nothing is loaded.
    writeFileSync(
      mac.launchctl,
      `#!/bin/sh
case "$2" in
  */*) echo "Could not find service" >&2; exit 113 ;;
  *) printf '%s = {\\n\\tservices = {\\n\\t}\\n}\\n' "$2" ;;
esac
`,
    );
    chmodSync(mac.launchctl, 0o755);
    receiver = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(answers).end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    agent = await AgentProcess.start({ mac, config: base() });
  });

  afterAll(async () => {
    await agent?.stop('SIGKILL');
    receiver?.close();
    mac?.remove();
  });

  test('is healthy, and each command says so', async () => {
    expect(await verdict(/^HEALTHY\n/)).toMatchObject({ code: 0 });
    await waitFor('both destinations to take something', async () =>
      (await doctor()).of('destinations')?.mark === 'ok' ? true : undefined,
    );
    const asked = await doctor();
    expect(asked.lines.filter(({ mark }) => mark === 'failed' || mark === 'unknown')).toEqual([]);
    expect(asked.code).toBe(0);
    expect(asked.of('agent')?.found).toMatch(/runs since .* and is healthy$/);
    expect(asked.of('tier')?.found).toMatch(/^eslogger: .*\(the agent\)$/);
    expect(asked.of('sensors')?.mark).toBe('ok');
    expect(await run('reload')).toEqual({
      code: 0,
      text: expect.stringMatching(/^processes are seen by: eslogger\nexceptions in force: \d+\n$/),
    });
  });

  test('top names the folder in which much happens', async () => {
    for (let n = 0; n < 20; n++)
      mac.write(`/Library/LaunchDaemons/com.example.job${n}.plist`, launchAgentPlist(`com.example.job${n}`));
    const { text } = await waitFor('top to have seen them', async () => {
      const ran = await run('top');
      return /\b20 +\/Library\/LaunchDaemons/.test(ran.text) ? ran : undefined;
    });
    expect(text).toMatch(/^\d+ events in .* s; the agent uses/);
    expect(text).toMatch(/\d+ +Launch daemon/i);
  });

  test('takes up canary, budget, responses and retention; what needs a restart is named', async () => {
    const more = `
[canary]
every = "12h"

[budget]
cpu = "90%"
worker_memory = "1 GiB"

[retention]
evidence = "32 MiB"

[[respond.automatic]]
rule = "No such rule"
action = "notify"

[sensors]
disabled = ["launchd-state"]
`;
    const { code, text } = await reload(more);
    expect(code).toBe(0);
    expect(text).toMatch(
      /^taken up: budget\.cpu, budget\.worker_memory, canary\.every, respond\.automatic\b.*, retention\.evidence$/m,
    );
    expect(text).toContain('needs a restart of the agent: sensors.disabled\n');
    expect(await agent.status()).toMatchObject({
      verdict: 'healthy',
      canary: { every_ms: 43_200_000 },
      budget: { cpu: 0.9, worker_memory_bytes: 1024 ** 3 },
      respond: { automatic: 1 },
      config: { refused: null, restart: ['sensors.disabled'] },
    });
    expect(agent.log).toContain('an automatic response names a rule that does not run here');
    const back = await reload('');
    expect(back.text).toContain('taken up: budget.cpu');
    expect(back.text).not.toContain('restart');
    expect(await agent.status()).toMatchObject({
      canary: { every_ms: null },
      budget: { cpu: null, worker_memory_bytes: null },
      respond: { automatic: 0 },
    });
  });

  test('a configuration that is broken is refused with its place, and the one before stays', async () => {
    const refused = await reload('[retention]\nevents = "much"\n');
    expect(refused.code).toBe(1);
    expect(refused.text).toMatch(/configuration refused, the one before stays: .*config\.toml/);
    const { code, text } = await verdict(/^DEGRADED/);
    expect(code).toBe(1);
    expect(text).toMatch(/the configuration on the disk is refused: .*config\.toml/);
    const asked = await doctor();
    expect(asked.code).toBe(1);
    expect(asked.of('configuration')?.mark).toBe('failed');
    expect(asked.of('agent')).toMatchObject({ mark: 'warning', found: expect.stringContaining('DEGRADED') });
    expect((await reload('')).code).toBe(0);
    expect(await verdict(/^HEALTHY\n/)).toMatchObject({ code: 0 });
  });

  test('a destination that refuses is named, while the other one goes on', async () => {
    answers = 401;
    mac.write('/Library/LaunchDaemons/com.example.web.plist', launchAgentPlist('com.example.web'));
    const { code, text } = await verdict(/^DEGRADED: destination web is /);
    expect(code).toBe(1);
    expect(text).toContain('401');
    const asked = await doctor();
    expect(asked.code).toBe(1);
    expect(asked.of('destinations')).toMatchObject({
      mark: 'failed',
      found: expect.stringMatching(/^web: /),
    });
    await waitFor('the alert at the other one', () => {
      const file = path.join(mac.base, 'siem.ndjson');
      return existsSync(file) && readFileSync(file, 'utf8').includes('com.example.web') ? true : undefined;
    });
    answers = 200;
    expect((await run('forward', 'resume', 'web')).code).toBe(0);
    expect(await verdict(/^HEALTHY\n/)).toMatchObject({ code: 0 });
  });

  test('a sensor that is killed and cannot come back is said; reload has it back at once', async () => {
    const fail = path.join(esloggerFolder, 'error');
    writeFileSync(fail, 'ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED\n');
    const runs = readFileSync(path.join(esloggerFolder, 'runs'), 'utf8').trim().split('\n');
    process.kill(Number(runs.at(-1)), 'SIGKILL');
    const { code, text } = await verdict(/^DEGRADED: .*tier eslogger was lost/);
    expect(code).toBe(1);
    expect(text).toMatch(/tier +scan\n/);
    const asked = await doctor();
    expect(asked.of('agent')).toMatchObject({ mark: 'warning' });
    expect(asked.of('tier')?.found).toMatch(/^scan: /);
    expect(asked.of('gaps')?.mark).not.toBe('ok');
    expect((await run('reload')).text).toMatch(/^processes are seen by: scan\nnot by eslogger: /);
    rmSync(fail);
    expect((await run('reload')).text).toMatch(/^processes are seen by: eslogger\n/);
    expect(await verdict(/^HEALTHY\n/)).toMatchObject({ code: 0 });
  });

  test('with no agent each of them says that none runs', async () => {
    expect(await agent.stop()).toBe(0);
    for (const command of ['status', 'top', 'reload']) {
      const { code, text } = await run(command);
      expect([command, code]).toEqual([command, 3]);
      expect(text).toContain('[control/not-running]');
    }
    const asked = await doctor();
    expect(asked.code).toBe(1);
    expect(asked.of('agent')).toMatchObject({ mark: 'failed', found: `no agent runs on ${mac.dataDir}` });
  });
});
