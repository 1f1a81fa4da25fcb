// `npm run demo -- --healthy-day`: what happens on a healthy Mac, played with real files and processes. Exits 0 only when no
// alert has a priority above low and a person sees at most ten lines.
import { jobList, situations, writeSigningTools } from '../simulation/healthy.js';
import { AgentProcess, allAlerts, cli, SimulatedMac, waitFor } from '../simulation/mac.js';

/** Lines that a person sees at most. */
const mostStories = 10;

interface Seen {
  readonly id: string;
  readonly status: string;
  readonly priority: { readonly level: string; readonly score: number };
  readonly rule_name: string;
  readonly item: string | null;
  readonly doc: {
    readonly file?: { readonly path?: string };
    readonly process?: { readonly command_line?: string };
  };
}

const say = (text = '') => console.log(text);

function alertsOf(mac: SimulatedMac): Seen[] {
  return allAlerts(mac) as unknown as Seen[];
}

interface Line {
  readonly item: string | null;
  readonly path: string | null;
  readonly alert_ids: readonly string[];
}

function linesOf(mac: SimulatedMac): Line[] {
  const lines = cli(mac, 'alerts', 'list', '--json', '--stories', '--limit', '100000').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

/** Alerts that may still be closed by the agent are waited for: until nothing has changed for a second. */
async function quiet(mac: SimulatedMac, agent: AgentProcess): Promise<void> {
  await agent.settled();
  let last = '';
  let since = performance.now();
  await waitFor(
    'the alerts to settle',
    async () => {
      const now = JSON.stringify(alertsOf(mac).map(({ id, status }) => [id, status]));
      if (now !== last) since = performance.now();
      last = now;
      // That no more comes can only be shown by waiting.
      await new Promise((resolve) => setTimeout(resolve, 200));
      return performance.now() - since > 1_000 ? true : undefined;
    },
    60_000,
  );
}

/** `only`: numbers of situations, from 1; all of them when it is left out. `packs`: with the exceptions of vendors. */
export async function healthyDay({
  only,
  packs,
}: {
  readonly only?: readonly number[] | undefined;
  readonly packs: boolean;
}): Promise<string[]> {
  const chosen = situations.filter((_, index) => only === undefined || only.includes(index + 1));
  const mac = new SimulatedMac();
  mac.write(
    '/Library/LaunchAgents/com.example.present.plist',
    jobList({ label: 'com.example.present', args: ['/usr/bin/true'] }),
  );
  for (const { prepare } of chosen) prepare?.(mac);
  writeSigningTools(mac);
  const config = packs ? '[exceptions]\npacks = ["mdm", "updaters"]\n' : '';
  const agent = await AgentProcess.start({ mac, config });
  const wrong: string[] = [];
  try {
    // What is there before is known once the agent has read it.
    await waitFor('the items that were there before', () =>
      /items that were there before are known/.test(agent.log) ? true : undefined,
    );
    say('| situation | alerts | closed by the agent | highest priority | about |');
    say('| --- | ---: | ---: | --- | --- |');
    let before = new Set<string>();
    const expected = new Set<string>();
    for (const { name, isNew, play } of chosen) {
      await play(mac);
      await quiet(mac, agent);
      const all = alertsOf(mac);
      const fresh = all.filter(({ id }) => !before.has(id));
      before = new Set(all.map(({ id }) => id));
      if (isNew) for (const { id } of fresh) expected.add(id);
      const highest = fresh.reduce((most, { priority }) => Math.max(most, priority.score), 0);
      const open = fresh.filter(({ status }) => status === 'open');
      const closed = fresh.length - open.length;
      const about = open.map(
        ({ rule_name, doc }) => `${rule_name}: ${doc.file?.path ?? doc.process?.command_line ?? '?'}`,
      );
      say(
        `| ${name} | ${fresh.length} | ${closed} | ${fresh.length === 0 ? '' : highest} | ${[...new Set(about)].join('; ')} |`,
      );
    }
    const loud = alertsOf(mac).filter(({ priority }) => priority.level !== 'low');
    for (const { rule_name, doc, priority } of loud)
      wrong.push(`priority ${priority.level} (${priority.score}): ${rule_name}, ${doc.file?.path ?? ''}`);
    const lines = linesOf(mac);
    say();
    say(cli(mac, 'alerts', 'list'));
    if (process.env['LAUNCHWARDEN_DEMO_LOG'] !== undefined) say(cli(mac, 'alerts', 'list', '--json'));
    say(
      `${chosen.length} situations, ${alertsOf(mac).length} alerts, ${lines.length} lines for a person, ${loud.length} above low`,
    );
    if (lines.length > mostStories)
      wrong.push(`a person sees ${lines.length} lines; at most ${mostStories} are wanted`);
    const vendors = lines.filter(({ alert_ids }) => !alert_ids.some((id) => expected.has(id)));
    say(`${vendors.length} of the lines are about vendors' items, the others about what nobody vouches for`);
    if (packs) for (const { path } of vendors) wrong.push(`a vendor's item, in spite of the packs: ${path}`);
    if (only === undefined && situations.length < 25) wrong.push(`only ${situations.length} situations`);
    return wrong;
  } finally {
    await agent.stop('SIGKILL');
    if (process.env['LAUNCHWARDEN_DEMO_LOG'] !== undefined) say(agent.log);
    mac.remove();
  }
}
