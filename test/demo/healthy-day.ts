// `npm run demo -- --healthy-day`: what happens on a healthy Mac, played with real files and processes, amid the events of a
// whole day, which eslogger tells. Exits 0 only when no alert has a priority above low and a person sees at most ten lines.
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { fakeEslogger } from '../helpers/eslogger-lines.js';
import { apple, playEveryday, World } from '../simulation/everyday/index.js';
import { jobList, type Situation, situations, writeSigningTools } from '../simulation/healthy.js';
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
    readonly process?: { readonly command_line?: string; readonly pid?: number };
  };
}

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
async function quiet(
  mac: SimulatedMac,
  agent: AgentProcess,
  counts: (alert: Seen) => boolean = () => true,
): Promise<void> {
  await agent.settled();
  let last = '';
  let since = performance.now();
  await waitFor(
    'the alerts to settle',
    async () => {
      const relevant = alertsOf(mac).filter(counts);
      const now = JSON.stringify(relevant.map(({ id, status }) => [id, status]));
      if (now !== last) since = performance.now();
      last = now;
      // That no more comes can only be shown by waiting.
      await new Promise((resolve) => setTimeout(resolve, 200));
      return performance.now() - since > 1_000 ? true : undefined;
    },
    60_000,
  );
}

/** Lines of eslogger that the agent has read. */
async function linesRead(agent: AgentProcess): Promise<number> {
  const { sensors } = (await agent.status()) as unknown as {
    sensors: { kind: string; counters: Record<string, number> }[];
  };
  return sensors.find(({ kind }) => kind === 'eslogger')?.counters['lines'] ?? 0;
}

/** Lines that wait at most to be read by the agent, and how many are written at once. */
const mostWaiting = 6_000;
const atOnce = 500;

/** Everyday events on their way to the agent, no faster than it reads them. */
class Everyday {
  readonly world: World;
  readonly #agent: AgentProcess;
  readonly #feed: string | undefined;
  readonly #lines: string[] = [];
  #written = 0;

  constructor(
    mac: SimulatedMac,
    agent: AgentProcess,
    { feed, seed }: { feed: string | undefined; seed: number },
  ) {
    this.#agent = agent;
    this.#feed = feed;
    this.world = new World(mac, seed, (line) => this.#lines.push(line));
  }

  /** Plays until there are so many events in all. */
  async upTo(most: number): Promise<void> {
    await playEveryday(this.world, most, async () => {
      if (this.#lines.length >= atOnce) await this.#flush(mostWaiting);
    });
    await this.#flush(mostWaiting);
  }

  /** Resolves when the agent has read them all. */
  readAll(): Promise<void> {
    return this.#flush(0);
  }

  /** A situation runs launchctl: the agent is to know at once. */
  launchctl(args: readonly string[]): void {
    this.world.toldOutside(apple('/bin/launchctl'), args);
    this.#write();
  }

  #write(): void {
    if (this.#feed !== undefined) appendFileSync(this.#feed, this.#lines.map((line) => `${line}\n`).join(''));
    this.#written += this.#lines.length;
    this.#lines.length = 0;
  }

  async #flush(left: number): Promise<void> {
    this.#write();
    await waitFor(
      'the agent to read what eslogger tells',
      async () => (this.#written - (await linesRead(this.#agent)) <= left ? true : undefined),
      120_000,
    );
  }
}

export interface HealthyDay {
  /** Numbers of situations, from 1; all of them when it is left out. */
  readonly only?: readonly number[] | undefined;
  /** With the exceptions of vendors. */
  readonly packs: boolean;
  /** How many everyday events are generated beside the situations, and by which seed. */
  readonly events: number;
  readonly seed: number;
  /** Whether each situation is judged by itself, which takes its time; otherwise all together. */
  readonly each: boolean;
  /** Gets what is printed, line by line. */
  readonly say: (text: string) => void;
}

const subjectOf = ({ doc }: Pick<Seen, 'doc'>) => doc.file?.path ?? doc.process?.command_line ?? '?';

/** Plays one situation after the other, and prints what the agent makes of each. `expected`: gets the ids of what is new. */
async function playEach(
  chosen: readonly Situation[],
  {
    mac,
    agent,
    world,
    amid,
    expected,
    say,
  }: {
    readonly mac: SimulatedMac;
    readonly agent: AgentProcess;
    readonly world: World;
    readonly amid: (index: number, play: Situation['play']) => Promise<unknown>;
    readonly expected: Set<string>;
    readonly say: HealthyDay['say'];
  },
): Promise<void> {
  say('| situation | alerts | closed by the agent | highest priority | about |');
  say('| --- | ---: | ---: | --- | --- |');
  const before = new Set<string>();
  const isOurs = ({ doc }: Seen) => !world.made(doc);
  for (const [index, { name, isNew, play }] of chosen.entries()) {
    await amid(index, play);
    await quiet(mac, agent, isOurs);
    const fresh = alertsOf(mac).filter((one) => isOurs(one) && !before.has(one.id));
    for (const { id } of fresh) before.add(id);
    if (isNew) for (const { id } of fresh) expected.add(id);
    const highest = fresh.reduce((most, { priority }) => Math.max(most, priority.score), 0);
    const open = fresh.filter(({ status }) => status === 'open');
    const about = new Set(open.map((one) => `${one.rule_name}: ${subjectOf(one)}`));
    say(
      `| ${name} | ${fresh.length} | ${fresh.length - open.length} | ${fresh.length === 0 ? '' : highest} | ${[...about].join('; ')} |`,
    );
  }
}

/** What the agent has kept and judged. */
async function judged(agent: AgentProcess): Promise<{ readonly kept: number; readonly seen: number }> {
  const { pipeline, detect } = (await agent.status()) as unknown as {
    pipeline: { journaled: number };
    detect: { events: number };
  };
  return { kept: pipeline.journaled, seen: detect.events };
}

/** Plays the day. Returns what is wrong, a line each. */
export async function healthyDay(day: HealthyDay): Promise<string[]> {
  const { only, packs, events, seed, each, say } = day;
  const chosen = situations.filter((_, index) => only === undefined || only.includes(index + 1));
  const mac = new SimulatedMac();
  mac.write(
    '/Library/LaunchAgents/com.example.present.plist',
    jobList({ label: 'com.example.present', args: ['/usr/bin/true'] }),
  );
  for (const { prepare } of chosen) prepare?.(mac);
  writeSigningTools(mac);
  const config = packs ? '[exceptions]\npacks = ["mdm", "updaters"]\n' : '';
  // Without everyday events the scan sees the real processes; with them eslogger tells of those too.
  const feed = events === 0 ? undefined : fakeEslogger(path.dirname(mac.write('/usr/bin/x', ''))).feed;
  const agent = await AgentProcess.start({
    mac,
    config,
    arguments: ['--sensors', feed === undefined ? 'scan' : 'eslogger'],
  });
  const wrong: string[] = [];
  const everyday = new Everyday(mac, agent, { feed, seed });
  const { world } = everyday;
  if (feed !== undefined) mac.onLaunchctl = (args) => everyday.launchctl(args);
  try {
    // What is there before is known once the agent has read it.
    await waitFor('the items that were there before', () =>
      /items that were there before are known/.test(agent.log) ? true : undefined,
    );
    const expected = new Set<string>();
    /** A situation amid its share of the day. */
    const amid = (index: number, play: Situation['play']) =>
      Promise.all([play(mac), everyday.upTo((events * (index + 1)) / chosen.length)]);
    if (each) await playEach(chosen, { mac, agent, world, amid, expected, say });
    else for (const [index, { play }] of chosen.entries()) await amid(index, play);
    await everyday.readAll();
    await quiet(mac, agent);
    const all = alertsOf(mac);
    const loud = all.filter(({ priority }) => priority.level !== 'low');
    for (const { rule_name, priority, ...alert } of loud)
      wrong.push(`priority ${priority.level} (${priority.score}): ${rule_name}, ${subjectOf(alert)}`);
    const told = linesOf(mac);
    say('');
    say(cli(mac, 'alerts', 'list'));
    if (process.env['LAUNCHWARDEN_DEMO_LOG'] !== undefined)
      say(cli(mac, 'alerts', 'list', '--json', '--status', 'all'));
    const kinds = [...world.counts].map(([name, count]) => `${count} ${name}`).join(', ');
    const { kept, seen } = await judged(agent);
    say(
      `${world.events} everyday events (seed ${seed}): ${kinds}; ${world.real.size} files were really written`,
    );
    say(
      `the agent has read ${await linesRead(agent)} lines of eslogger, kept ${kept} events and judged ${seen}`,
    );
    say(
      `${chosen.length} situations, ${all.length} alerts, ${all.filter((one) => world.made(one.doc)).length} of them about everyday events, ${told.length} lines for a person, ${loud.length} above low`,
    );
    if (world.events < events) wrong.push(`only ${world.events} everyday events`);
    if (told.length > mostStories)
      wrong.push(`a person sees ${told.length} lines; at most ${mostStories} are wanted`);
    if (each) {
      const vendors = told.filter(({ alert_ids }) => !alert_ids.some((id) => expected.has(id)));
      say(
        `${vendors.length} of the lines are about vendors' items, the others about what nobody vouches for`,
      );
      if (packs)
        for (const { path } of vendors) wrong.push(`a vendor's item, in spite of the packs: ${path}`);
    }
    if (only === undefined && situations.length < 25) wrong.push(`only ${situations.length} situations`);
    return wrong;
  } finally {
    await agent.stop('SIGKILL');
    if (process.env['LAUNCHWARDEN_DEMO_LOG'] !== undefined) say(agent.log);
    mac.remove();
  }
}
