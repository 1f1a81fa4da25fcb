import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { xmlPlist } from '../helpers/plist-writer.js';
import { FleetServer } from '../simulation/fleet.js';
import {
  AgentProcess,
  allAlerts,
  control,
  launchAgentPlist,
  repository,
  SimulatedMac,
  standInLaunchctl,
  waitFor,
} from '../simulation/mac.js';
import { policyKillRounds } from '../simulation/policy-kill.js';

const ready =
  standInLaunchctl() !== undefined &&
  existsSync(path.join(repository, 'native', 'build', 'Release', 'launchwarden.node'));
if (!ready)
  process.stderr.write('skipped: test/e2e/policy.test.ts needs a C compiler and the native addon\n');

const ruleId = '3c0de4f6-6c43-4f0c-9a5e-5a8f4d8a1b01';
const rule = (name: string) => `[metadata]
creation_date = "2026/11/22"
updated_date = "2026/11/22"

[rule]
author = ["Fleet"]
description = "A launch agent whose name the fleet watches for."
language = "eql"
license = "Apache-2.0"
name = "${name}"
risk_score = 73
rule_id = "${ruleId}"
severity = "high"
type = "eql"
query = '''
file where file.path : "/Users/*/Library/LaunchAgents/com.fleet.*.plist" and event.type != "deletion"
'''
`;

interface Status {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly rule_digests: Readonly<Record<string, string>>;
  readonly policy: { readonly version: number | null; readonly failure: string | null };
}

interface Reloaded {
  readonly config: {
    readonly changed: string[];
    readonly restart: string[];
    readonly refused: string | null;
  };
}

describe.skipIf(!ready)('the agent of a fleet', () => {
  let mac: SimulatedMac;
  let fleet: FleetServer;
  let agent: AgentProcess;
  let base: string;

  const file = () => path.join(mac.base, 'config.toml');
  const out = (name: string) => path.join(mac.base, name);
  const status = async () => (await agent.status()) as unknown as Status;
  const reload = async () => (await control(mac.dataDir, 'reload')) as Reloaded;
  const destination = (name: string) =>
    `[[destination]]\nname = "${name}"\ntype = "file"\npath = ${JSON.stringify(out(`${name}.ndjson`))}\n`;
  const lines = (name: string) =>
    existsSync(out(`${name}.ndjson`)) ? readFileSync(out(`${name}.ndjson`), 'utf8') : '';
  const told = (action: string) =>
    waitFor(`${action} at the destination`, () =>
      lines('siem').includes(`"action":"${action}"`) ? true : undefined,
    );
  const inForce = (version: number) =>
    waitFor(`version ${version} of the policy`, async () =>
      (await status()).policy.version === version ? true : undefined,
    );

  beforeAll(async () => {
    mac = new SimulatedMac();
    fleet = await FleetServer.start(mac.base);
    base = `${fleet.config}${destination('siem')}`;
    agent = await AgentProcess.start({ mac, config: base });
  });

  afterAll(async () => {
    await agent.stop('SIGKILL');
    fleet.stop();
    mac.remove();
  });

  test('a policy brings a rule that detects at once, and settings above the file', async () => {
    fleet.publish(2, {
      'rules/fleet.toml': rule('Fleet rule'),
      'config.toml': '[retention]\nclosed_alerts = "30d"\n',
    });
    await reload();
    await inForce(2);
    await told('policy-applied');
    mac.write('/Users/alice/Library/LaunchAgents/com.fleet.a.plist', launchAgentPlist('com.fleet.a'));
    const alert = await waitFor('the alert of the rule', () =>
      allAlerts(mac).find((one) => one.rule_id === ruleId),
    );
    expect(alert.severity).toBe('high');
  });

  test.each([
    ['is older', () => fleet.publish(1, {}), 'policy/stale'],
    [
      'comes from a captive portal',
      () => fleet.answerBy((r) => r.writeHead(200).end('<html><body>Log in')),
      'policy/web-page',
    ],
    [
      'is sent elsewhere',
      () => fleet.answerBy((r) => r.writeHead(302, { location: 'http://x.example/' }).end()),
      'policy/redirect',
    ],
    [
      'holds a rule that does not compile',
      () => fleet.publish(9, { 'rules/a.toml': rule('x').replace('file where', 'file were') }),
      'policy/bad-rule',
    ],
    [
      'hides whatever anybody makes',
      () =>
        fleet.publish(9, {
          'exceptions/a.toml': `name = "a"\n[[exception]]\nid = "wide"\nreason = "r"\nauthor = "a"\nexpires = 2036-01-01\nitem = 'file.path: *'\n`,
        }),
      'policy/blinds',
    ],
  ])('what %s is refused, told, and the version before stays', async (_, serve, code) => {
    serve();
    await reload();
    await waitFor(`${code} in the status`, async () =>
      (await status()).policy.failure === code ? true : undefined,
    );
    const { verdict, reasons, policy } = await status();
    expect([verdict, policy.version]).toEqual(['degraded', 2]);
    expect(reasons.join('\n')).toContain(code);
    await waitFor(`${code} at the destination`, () => (lines('siem').includes(code) ? true : undefined));
  });

  test('a newer version replaces the rule; the configuration is read again by SIGHUP', async () => {
    fleet.publish(10, { 'rules/fleet.toml': rule('Fleet rule, renamed') });
    writeFileSync(file(), `${base}${destination('second')}[log]\nlevel = "debug"\n`);
    agent.child.kill('SIGHUP');
    await waitFor('the second destination', () => (lines('second').includes('heartbeat') ? true : undefined));
    await reload();
    await inForce(10);
    mac.write('/Users/bob/Library/LaunchAgents/com.fleet.b.plist', launchAgentPlist('com.fleet.b'));
    const alert = await waitFor('the alert of the renamed rule', () =>
      allAlerts(mac).find((one) => one.rule_name === 'Fleet rule, renamed'),
    );
    await waitFor('the alert at both', () =>
      [lines('siem'), lines('second')].every((text) => text.includes(alert.id)) ? true : undefined,
    );
  });

  test('a configuration with an error is refused and said, the one before stays until it is mended', async () => {
    writeFileSync(file(), `${base}[log]\nlevle = "debug"\n`);
    const { config } = await reload();
    expect(config.refused).toContain('config/unknown-key');
    expect((await status()).reasons.join('\n')).toMatch(/refused: .*config\.toml:\d+:\d+: unknown key/);
    await told('config-refused');
    writeFileSync(file(), `${base}[sensors]\ntier = "scan"\n`);
    const mended = await reload();
    expect(mended.config).toMatchObject({ refused: null, restart: ['sensors.tier'] });
    expect(mended.config.changed).toContain('destination[1].path');
    expect((await status()).reasons.join('\n')).not.toContain('refused');
  });

  test('a configuration that switches every rule off makes the agent blind, and that is told', async () => {
    const rules = Object.keys((await status()).rule_digests);
    writeFileSync(file(), `${base}[rules]\ndisabled = ${JSON.stringify(rules)}\n`);
    await reload();
    const blind = await status();
    expect([blind.verdict, blind.reasons[0]]).toEqual(['blind', 'no rule detects anything: none is on']);
    await waitFor('the word at the destination', () =>
      lines('siem').includes('no rule detects anything') ? true : undefined,
    );
    writeFileSync(file(), base);
    await reload();
    expect((await status()).reasons.join('\n')).not.toContain('no rule');
  });

  test('a policy that takes a rule away is told as rules that are gone', async () => {
    fleet.publish(11, { 'config.toml': '[detect]\nclose_updates = true\n' });
    await reload();
    await inForce(11);
    await waitFor('the gap at the destination', () =>
      lines('siem').includes('rules-gone') ? true : undefined,
    );
  });

  test('managed preferences stand above both, and a bad one is said', async () => {
    mac.write(
      '/Library/Managed Preferences/com.launchwarden.agent.plist',
      xmlPlist({ log: { level: 'warn' }, detect: { colour: 'red' } }),
    );
    const { config } = await reload();
    expect(config).toMatchObject({ refused: null, changed: ['log.level'] });
    expect((await status()).reasons.join('\n')).toContain('detect.colour');
  });
});

test.skipIf(!ready)(
  'killed while it applies a policy there is one whole version, and an agent that starts',
  async () => {
    const report = await policyKillRounds(2);
    expect(report.problems).toEqual([]);
  },
  180_000,
);
