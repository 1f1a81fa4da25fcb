// `npm run acceptance [-- --rounds N] [-- --kills N] [-- --only NAME[,NAME]]`
//
// The long runs, by real files, real processes and the real agent: every attack must give exactly its alert. Minutes,
// not seconds; `npm test` runs the same scenarios in small. Exits 0 only when every line is met.
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../bench/row.js';
import { dropLists } from '../simulation/drop.js';
import { installKillRounds, twoPayloads } from '../simulation/installs.js';
import { killRounds } from '../simulation/kill.js';
import {
  AgentProcess,
  alertsAbout,
  cli,
  launchAgentPlist,
  listAlerts,
  SimulatedMac,
} from '../simulation/mac.js';
import { policyKillRounds } from '../simulation/policy-kill.js';
import { respondKillRounds } from '../simulation/respond-kill.js';
import {
  bundleAttack,
  bundleWays,
  launchAttack,
  launchctl,
  unlimitedRules,
  vanishingAttack,
} from '../simulation/scenarios.js';

function option(name: string, fallback: number): number {
  const position = process.argv.indexOf(name);
  return position === -1 ? fallback : Number(process.argv[position + 1]);
}

const rounds = option('--rounds', 100);
const kills = option('--kills', 200);
let failed = 0;

function report(name: string, good: boolean, detail: string): void {
  if (!good) failed++;
  console.log(`${good ? 'met   ' : 'FAILED'} ${name}: ${detail}`);
}

async function withAgent(
  run: (agent: AgentProcess, mac: SimulatedMac) => Promise<void>,
  config = '',
): Promise<void> {
  const mac = new SimulatedMac();
  const agent = await AgentProcess.start({ mac, config });
  try {
    await run(agent, mac);
  } finally {
    await agent.stop('SIGKILL');
    mac.remove();
  }
}

async function lifetimes(): Promise<void> {
  for (const lifetimeMs of [10, 20, 50]) {
    await withAgent(async (agent, mac) => {
      const attacks = [];
      for (let round = 0; round < rounds; round++) attacks.push(await launchAttack(agent, lifetimeMs));
      await agent.settled();
      const alerts = listAlerts(mac);
      const once = attacks.filter((attack) => alertsAbout(alerts, attack.path).length === 1);
      const several = attacks.filter((attack) => alertsAbout(alerts, attack.path).length > 1);
      const late = once.flatMap((attack) =>
        alertsAbout(alerts, attack.path).map(
          (alert) => (Date.parse(alert.created) * 1000 - attack.started) / 1000,
        ),
      );
      const wrong = alerts.filter((alert) => alert.severity !== 'low' || alert.risk_score !== 21);
      const good =
        once.length >= rounds * 0.99 &&
        several.length === 0 &&
        wrong.length === 0 &&
        Math.max(...late) <= 1000;
      report(
        `write and load, launchctl lives ${lifetimeMs} ms`,
        good,
        `${once.length} of ${rounds} with one low alert, ${several.length} with several; from start to commit p50 ${percentile(late, 50).toFixed(0)} ms, p99 ${percentile(late, 99).toFixed(0)} ms`,
      );
    });
  }
}

async function bundles(): Promise<void> {
  await withAgent(async (agent, mac) => {
    const paths: string[] = [];
    for (const way of Object.keys(bundleWays)) {
      const macPath = await bundleAttack(agent, way);
      paths.push(macPath);
      await agent.settled();
      const found = alertsAbout(listAlerts(mac), macPath);
      const good = found.length === 1 && found[0]?.severity === 'medium' && found[0].risk_score === 47;
      report(`.dsplug by ${way}`, good, `${found.length} alerts`);
    }
    const before = listAlerts(mac).length;
    const { rmSync } = await import('node:fs');
    for (const macPath of paths) rmSync(mac.host(macPath), { recursive: true });
    await agent.settled();
    report(
      '.dsplug removed',
      listAlerts(mac).length === before,
      `${listAlerts(mac).length - before} more alerts`,
    );
  });
}

async function sequences(): Promise<void> {
  await withAgent(async (agent, mac) => {
    const first = await launchAttack(agent, 20);
    await launchctl(agent, 20, 'load', '/Library/LaunchDaemons/unrelated.plist');
    await agent.settled();
    report(
      'an unrelated load afterwards',
      listAlerts(mac).length === 1,
      `${listAlerts(mac).length} alerts in all`,
    );

    const vanished = await vanishingAttack(agent, 20);
    await agent.settled();
    const alert = alertsAbout(listAlerts(mac), vanished.path)[0];
    const shown = alert === undefined ? '' : cli(mac, 'alerts', 'show', alert.id);
    report(
      'written, loaded and deleted at once',
      shown.includes(vanished.label) && shown.includes('/usr/bin/true'),
      alert === undefined ? 'no alert' : 'one alert, which must show the plist',
    );

    mac.write('/Users/bob/Library/LaunchAgents/com.example.late.plist', launchAgentPlist('com.example.late'));
    await pause(61_000);
    await launchctl(agent, 20, 'load', '/Users/bob/Library/LaunchAgents/com.example.late.plist');
    await agent.settled();
    report(
      'a load 61 s later',
      listAlerts(mac).length === 2,
      `${listAlerts(mac).length} alerts in all, 2 expected (${first.label})`,
    );
  });
}

async function present(): Promise<void> {
  const mac = new SimulatedMac();
  mac.write('/Users/alice/Library/LaunchAgents/com.example.old.plist', launchAgentPlist('com.example.old'));
  mac.write('/Library/DirectoryServices/PlugIns/Old.dsplug/Contents/Info.plist', 'x');
  const agent = await AgentProcess.start({ mac });
  try {
    await launchctl(agent, 20, 'load', '/Users/alice/Library/LaunchAgents/com.example.old.plist');
    await agent.settled();
    report(
      'items that existed before the start',
      listAlerts(mac).length === 0,
      `${listAlerts(mac).length} alerts`,
    );
  } finally {
    await agent.stop('SIGKILL');
    mac.remove();
  }
}

async function crashes(): Promise<void> {
  const mac = new SimulatedMac();
  try {
    const config = unlimitedRules(mac);
    const result = await killRounds(mac, () => AgentProcess.start({ mac, config }), kills);
    report(
      `${kills} times kill -9 during an attack`,
      result.problems.length === 0 && result.alerted === result.rounds && result.overlooked === 0,
      `${result.alerted} of ${result.rounds} attacks have exactly one alert; the load of ${result.inferred} ran while no agent looked and was inferred from launchd, that of ${result.overlooked} while one did`,
    );
    for (const problem of result.problems.slice(0, 20)) console.log(`       ${problem}`);
  } finally {
    mac.remove();
  }
}

async function responses(): Promise<void> {
  const mac = new SimulatedMac();
  try {
    const result = await respondKillRounds(mac, () => AgentProcess.start({ mac }), kills);
    report(
      `${kills} times kill -9 during a response`,
      result.problems.length === 0 && result.cutOff > kills / 10 && result.undoCutOff > kills / 40,
      `${result.cutOff} were cut off (${result.undoCutOff} while undoing) and finished by the next start; ${result.quarantined} ended in the quarantine, ${result.restored} at their place`,
    );
    for (const problem of result.problems.slice(0, 20)) console.log(`       ${problem}`);
  } finally {
    mac.remove();
  }
}

async function policies(): Promise<void> {
  const { newer, rounds: done, problems } = await policyKillRounds(kills);
  report(
    `${kills} times kill -9 while a policy is put in force`,
    problems.length === 0 && newer > kills / 10 && newer < kills,
    `one whole version after each, and an agent that started; in ${newer} of ${done} it was the newer one`,
  );
  for (const problem of problems.slice(0, 20)) console.log(`       ${problem}`);
}

async function installs(): Promise<void> {
  const mac = new SimulatedMac();
  try {
    const { cutOff, started, problems } = await installKillRounds(mac, await twoPayloads(mac), kills);
    report(
      `${kills} times kill -9 during install, upgrade and uninstall`,
      problems.length === 0 && cutOff > kills / 3,
      `${cutOff} were cut off; ${started} times there was a job afterwards, and its agent started; at the end nothing was left`,
    );
    for (const problem of problems.slice(0, 20)) console.log(`       ${problem}`);
  } finally {
    mac.remove();
  }
}

/** A user drops very many lists at once: none is missed, and what is severe among them has its own alert. */
async function drops(): Promise<void> {
  for (const lists of [10_000, 50_000]) {
    await withAgent(async (agent) => {
      const { seen, told, severe, peakBytes, writtenMs, judgedMs, ...all } = await dropLists(
        agent,
        lists,
        1_800_000,
      );
      const seconds = (ms: number | undefined) =>
        ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
      report(
        `${lists} lists dropped at once`,
        seen >= all.lists && told >= all.lists,
        `${seen} of ${all.lists} seen, ${told} alerted or counted; written in ${seconds(writtenMs)}, judged after ${seconds(judgedMs)}; at most ${peakBytes === undefined ? 'an unknown number of' : (peakBytes / 2 ** 20).toFixed(0)} MiB`,
      );
      report(
        `what is severe among ${lists} lists`,
        severe.every(({ alerts }) => alerts > 0),
        severe.map(({ path, ms }) => `${path} after ${seconds(ms)}`).join(', '),
      );
    });
  }
}

const suites = {
  lifetimes,
  bundles,
  present,
  sequences,
  crashes,
  responses,
  policies,
  installs,
  drops,
};
const position = process.argv.indexOf('--only');
const wanted = position === -1 ? Object.keys(suites) : (process.argv[position + 1] ?? '').split(',');
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no part is named ${unknown.join(', ')}; there are: ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}
for (const [name, run] of Object.entries(suites)) if (wanted.includes(name)) await run();
console.log(failed === 0 ? 'all met' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
