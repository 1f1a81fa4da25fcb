// A thousand programs a second for some seconds, as the eslogger tier tells of them: what the whole agent costs above a
// process that only makes events of the same lines, what memory it needs, and whether every program is in its store.
//
// That process is the bare sensor (bare-sensor.ts): eslogger's output read, cut into lines, parsed and made into events
// by the agent's own reader. Less than that sees nothing, so that what is above it is the price of what is done with an
// event: completing it, judging it by every rule, keeping it. Both read the same lines at the same time.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AgentProcess, cli, SimulatedMac, waitFor } from '../simulation/mac.js';
import { costsKnown, cpuSeconds } from './cost.js';
import { type Flood, floodEslogger } from './flood-lines.js';
import type { Row } from './row.js';

const perSecond = 1_000;
const seconds = 20;
const total = perSecond * seconds;

interface Counters {
  readonly lines: number;
  readonly kernel_dropped: number;
  readonly oversized: number;
}

async function bareCounters(bare: ChildProcess): Promise<Counters> {
  bare.send('counters');
  return (await once(bare, 'message'))[0] as Counters;
}

async function agentCounters(agent: AgentProcess): Promise<Counters> {
  const { sensors } = (await agent.status()) as unknown as {
    sensors: readonly { kind: string; counters: Counters }[];
  };
  const sensor = sensors.find(({ kind }) => kind === 'eslogger');
  if (sensor === undefined) throw new Error('the agent does not run the eslogger tier');
  return sensor.counters;
}

/** Until a process has nothing to do any more: a start leaves work behind. */
async function quiet(pid: number): Promise<void> {
  let before = cpuSeconds(pid);
  await waitFor('a process to come to rest', async () => {
    // Costs of a stretch of time.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const used = cpuSeconds(pid) - before;
    before += used;
    return used < 0.05 ? true : undefined;
  });
}

function mostResidentMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}

/** How many programs are neither in the store nor counted as lost, by a sensor, the budget or the store. */
async function unsaid(agent: AgentProcess): Promise<number> {
  const query = 'process where event.action == "exec" and process.parent.pid == 600';
  const found = cli(agent.mac, 'hunt', '--query', query, '--json').trim().split('\n').length;
  const { kernel_dropped: dropped, oversized } = await agentCounters(agent);
  const { budget, store } = (await agent.status()) as unknown as {
    budget: { left_out: { events: number } };
    store: { lost_events: number };
  };
  return total - found - dropped - oversized - budget.left_out.events - store.lost_events;
}

async function measure(
  agent: AgentProcess,
  bare: ChildProcess,
  { flood, of }: { flood: Flood; of: string },
): Promise<Row[]> {
  const pids = [agent.child.pid ?? 0, bare.pid ?? 0] as const;
  for (const pid of pids) await quiet(pid);
  const costs = () => pids.map(cpuSeconds) as [number, number];
  const before = costs();
  const begun = performance.now();
  flood.begin();
  await waitFor('the flood to end', () => flood.ended() === 2 || undefined, seconds * 3_000);
  await waitFor(
    'the bare sensor to read all',
    async () => (await bareCounters(bare)).lines === flood.lines || undefined,
  );
  await waitFor(
    'the agent to read all',
    async () => (await agentCounters(agent)).lines === flood.lines || undefined,
  );
  await agent.settled();
  const share = 100_000 / (performance.now() - begun);
  const after = costs();
  const [own, least] = [(after[0] - before[0]) * share, (after[1] - before[1]) * share];
  const [memory, leastMemory] = pids.map(mostResidentMegabytes) as [number, number];
  const what = `agent at ${perSecond} ${of} a second`;
  const against = 'a process that only makes events of the same lines';
  return [
    { name: `${what}, processor time`, value: own, unit: '% of a core', against, ratio: own / least },
    { name: `${what}, above the bare sensor`, value: own - least, unit: '% of a core' },
    {
      name: `${what}, most resident memory`,
      value: memory,
      unit: 'MB',
      against,
      ratio: memory / leastMemory,
    },
    {
      name: `of ${total} ${of}, neither stored nor told as lost`,
      value: await unsaid(agent),
      unit: 'programs',
    },
  ];
}

export async function rows(): Promise<Row[]> {
  if (!costsKnown) {
    console.error('skipped: costs under load are read from /proc, which this system does not have');
    return [];
  }
  return [...(await ofFlood('exec messages', false)), ...(await ofFlood('exec messages and exits', true))];
}

async function ofFlood(of: string, withExits: boolean): Promise<Row[]> {
  const mac = new SimulatedMac();
  try {
    const flood = floodEslogger(mac.host('/usr/bin'), { perSecond, seconds, withExits });
    const agent = await AgentProcess.start({ mac });
    const bare = fork(fileURLToPath(new URL('bare-sensor.js', import.meta.url)), [flood.program]);
    try {
      return await measure(agent, bare, { flood, of });
    } finally {
      bare.disconnect();
      await agent.stop();
    }
  } finally {
    mac.remove();
  }
}
