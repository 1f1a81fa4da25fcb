import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { fakeEslogger } from '../helpers/eslogger-lines.js';
import {
  AgentProcess,
  allAlerts,
  type ListedAlert,
  program,
  SimulatedMac,
  waitFor,
} from '../simulation/mac.js';
import { Attacker } from './attacker.js';
import type { Evasion, Evidence, Outcome, TierName, Verdict } from './evasion.js';

export interface CampaignOptions {
  readonly tier: TierName;
  readonly evasions: readonly Evasion[];
  /** Lines of the agent's configuration file. */
  readonly config?: string;
  /** Called after each attack; the agent has judged it when this is given. */
  readonly onPlayed?: (outcome: Outcome) => void;
  /** How long is waited for alerts that are expected and not there yet, milliseconds. */
  readonly patienceMs?: number;
}

/** Texts of a document in which its subject stands: what is only a candidate, or the rule's own text, is left out. */
function subjectOf({ doc }: ListedAlert): string {
  const { file, process, Persistence, launchwarden, Events } = doc as Subject;
  const { plist, job, alert } = launchwarden ?? {};
  const named = (alert?.candidates ?? []).filter((one) => one.named);
  // A sequence that joins by the Mac alone takes some file and some load, perhaps of other attacks: it counts for the files
  // that the load names.
  const isLoad = Events?.some(({ event }) => event?.category?.includes('process')) === true;
  if (!isLoad || file === undefined)
    return JSON.stringify({ file, process, Persistence, plist, job, Events });
  return named.length === 0 ? '' : JSON.stringify({ process, plist, job, named });
}

interface Subject {
  readonly file?: object;
  readonly process?: object;
  readonly Persistence?: object;
  readonly launchwarden?: {
    readonly plist?: object;
    readonly job?: object;
    readonly alert?: { readonly candidates?: readonly { readonly named: boolean }[] };
  };
  readonly Events?: readonly { readonly event?: { readonly category?: readonly string[] } }[];
}

/** Whether an alert, one that nobody closed, is about a text that the attack alone uses. */
export function isAbout(alert: ListedAlert, mark: string): boolean {
  return alert.status !== 'closed' && subjectOf(alert).includes(JSON.stringify(mark).slice(1, -1));
}

/** One simulated Mac, one agent, and every attack on it. */
export class Campaign {
  readonly #options: CampaignOptions;
  readonly #mac = new SimulatedMac(['alice']);
  readonly #attackers = new Map<Evasion, Attacker>();
  #marks = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Plays them all and judges each. */
  async run(): Promise<Outcome[]> {
    const { tier, evasions } = this.#options;
    mkdirSync(this.#mac.host('/private/var/db/launchd.stand-in'), { recursive: true });
    const feed =
      tier === 'eslogger' ? fakeEslogger(path.dirname(this.#mac.write('/usr/bin/x', ''))).feed : undefined;
    for (const evasion of evasions)
      this.#attackers.set(evasion, new Attacker(this.#mac, evasion.number, feed));
    let agent: AgentProcess | undefined;
    try {
      for (const [{ before }, attacker] of this.#attackers) await before?.(attacker);
      agent = await this.#start();
      if (evasions.some(({ whileDown }) => whileDown !== undefined)) {
        await this.#inventoried(agent);
        await agent.stop();
        for (const [{ whileDown }, attacker] of this.#attackers) await whileDown?.(attacker);
        agent = await this.#start();
      }
      await this.#playAll(agent);
      return await this.#judgeAll(agent);
    } finally {
      agent?.child.kill('SIGCONT');
      await agent?.stop('SIGKILL');
      for (const [{ after }, attacker] of this.#attackers) after?.(attacker);
      if (process.env['LAUNCHWARDEN_KEEP'] === undefined) this.#mac.remove();
      else process.stderr.write(`kept ${this.#mac.base}\n`);
    }
  }

  #start(): Promise<AgentProcess> {
    // The packs of exceptions must not hide one of them.
    const { tier, config = '[exceptions]\npacks = ["mdm", "updaters"]\n' } = this.#options;
    return AgentProcess.start({ mac: this.#mac, config, arguments: ['--sensors', tier] });
  }

  async #playAll(agent: AgentProcess): Promise<void> {
    const { tier, onPlayed } = this.#options;
    for (const [evasion, attacker] of this.#attackers) {
      if (evasion.disturbs === true) await this.#settled(agent);
      await evasion.play?.(attacker, { tier, agent });
      if (onPlayed !== undefined) onPlayed(await this.#judgeOne(evasion, agent));
    }
  }

  /** Waits until the agent knows what persists: what changes without it is told from that. */
  async #inventoried(agent: AgentProcess): Promise<void> {
    await waitFor('the first inventory', async () => {
      const { inventory } = (await agent.status()) as unknown as { inventory: { scans: number } };
      return inventory.scans > 0 ? true : undefined;
    });
    await agent.settled();
  }

  /** Waits until what happened was judged; where eslogger tells it, until the agent has read all of its lines. */
  async #settled(agent: AgentProcess): Promise<void> {
    const [attacker] = this.#attackers.values();
    if (attacker?.isHeard === true) {
      const mark = `settled-${this.#marks++}`;
      await attacker.exec('/bin/echo', [mark], { program: '/bin/echo' });
      const newest = 'SELECT body FROM events ORDER BY seq DESC LIMIT 200';
      await waitFor(
        'the lines of eslogger to be read',
        () => this.#read('events.db', newest).some((body) => body.includes(mark)) || undefined,
        60_000,
      );
    }
    await agent.settled();
  }

  async #judgeOne(evasion: Evasion, agent: AgentProcess): Promise<Outcome> {
    const [outcome] = await this.#judged([evasion], agent);
    return outcome!;
  }

  #judgeAll(agent: AgentProcess): Promise<Outcome[]> {
    return this.#judged([...this.#attackers.keys()], agent);
  }

  /** Some alerts come by a poll of launchd or of programs: what is expected is waited for. */
  async #judged(evasions: readonly Evasion[], agent: AgentProcess): Promise<Outcome[]> {
    const { tier, patienceMs = 30_000 } = this.#options;
    const end = performance.now() + patienceMs;
    for (;;) {
      await this.#settled(agent);
      const evidence = this.#evidence();
      const outcomes = evasions.map((evasion) => this.#judge(evasion, evidence));
      const missed = outcomes.some(
        ({ evasion, verdict }) => evasion.expected[tier] === 'detected' && verdict !== 'detected',
      );
      if (!missed || performance.now() > end) return outcomes;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  #judge(evasion: Evasion, evidence: Evidence): Outcome {
    const attacker = this.#attackers.get(evasion)!;
    const { tier } = this.#options;
    const marks = evasion.marks?.(attacker) ?? [attacker.label];
    const alerts =
      evasion.capture === undefined ? evidence.alerts : this.#replay(evasion.capture(tier, attacker.label));
    const about = marks.map((mark) => alerts.filter((alert) => isAbout(alert, mark)));
    const isFound =
      evasion.fired?.(evidence, attacker) ??
      (about.every((some) => some.length > 0) && (evasion.found?.(evidence, attacker) ?? true));
    const isSeen = marks.some((mark) => evidence.events.some((event) => event.includes(mark)));
    const verdict: Verdict = isFound ? 'detected' : isSeen ? 'seen' : 'invisible';
    return { evasion, verdict, rules: [...new Set(about.flat().map((alert) => alert.rule_name))] };
  }

  /** What the built-in rules make of a capture. */
  #replay(documents: readonly object[]): ListedAlert[] {
    const file = path.join(this.#mac.base, 'capture.ndjson');
    writeFileSync(file, documents.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const done = spawnSync(process.execPath, [program, 'replay', '--input', file, '--json'], {
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(`replay failed: ${done.stderr}`);
    return linesOf(done.stdout);
  }

  #read(name: string, sql: string): string[] {
    const db = new Database(path.join(this.#mac.dataDir, name), { readonly: true });
    try {
      return db.prepare(sql).pluck().all() as string[];
    } finally {
      db.close();
    }
  }

  #evidence(): Evidence {
    return {
      alerts: allAlerts(this.#mac),
      events: this.#read('events.db', 'SELECT body FROM events'),
      gaps: this.#read('launchwarden.db', "SELECT reason || ': ' || detail FROM gaps"),
    };
  }
}

function linesOf(text: string): ListedAlert[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ListedAlert);
}
