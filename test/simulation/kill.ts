import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { type AgentProcess, alertsAbout, listAlerts, type SimulatedMac, waitFor } from './mac.js';
import { type LaunchAttack, launchAttack } from './scenarios.js';

export interface KillRound {
  readonly attack: LaunchAttack;
  readonly lifetimeMs: number;
  /** Wall time in microseconds at which SIGKILL was sent. */
  readonly killed: number;
  /** Wall time in microseconds at which the next agent was ready. */
  readonly ready: number;
}

export interface KillReport {
  readonly rounds: number;
  /** Rounds with exactly one alert, as every one must have. */
  readonly alerted: number;
  /** Those of them whose load was not seen, and inferred from what launchd had afterwards. */
  readonly inferred: number;
  /** Rounds in which launchctl ran for long enough while an agent looked, that were inferred all the same. */
  readonly overlooked: number;
  readonly problems: readonly string[];
}

/** An agent that could look at a process for so long has seen it, ... */
const seenAfterMicros = 20_000;
/** ... when it was given so long to write down what it had seen. */
const journaledAfterMicros = 30_000;

const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** SQLite's own word on both files of a data folder. */
export function integrity(mac: SimulatedMac): string[] {
  return ['launchwarden.db', 'events.db'].flatMap((name) => {
    const db = new Database(path.join(mac.dataDir, name), { readonly: true });
    try {
      const result = db.pragma('integrity_check', { simple: true });
      return result === 'ok' ? [] : [`${name}: ${String(result)}`];
    } finally {
      db.close();
    }
  });
}

/** How long an agent was there to see the process, microseconds. */
function overlap({ attack, killed, ready }: KillRound): number {
  const before = Math.min(attack.ended, killed - journaledAfterMicros) - attack.started;
  const after = attack.ended - Math.max(attack.started, ready);
  return Math.max(before, after);
}

/** Kills the agent at a random moment of each of `rounds` attacks, starts it again, and judges what is stored. */
export async function killRounds(
  mac: SimulatedMac,
  start: () => Promise<AgentProcess>,
  rounds: number,
): Promise<KillReport> {
  const done: KillRound[] = [];
  const shown = new Map<string, string>();
  const problems: string[] = [];
  // The stand-in launchctl stands for launchd too: what nobody saw can still be asked for.
  mkdirSync(mac.host('/private/var/db/launchd.stand-in'), { recursive: true });
  let agent = await start();
  for (let round = 0; round < rounds; round++) {
    // Half of them live on until the next agent looks.
    const lifetimeMs = round % 2 === 0 ? 20 : 2_500;
    const running = launchAttack(agent, lifetimeMs);
    await pause(Math.random() * 80);
    const killed = now();
    await agent.stop('SIGKILL');
    agent = await start();
    const ready = now();
    const attack = await running;
    done.push({ attack, lifetimeMs, killed, ready });
    if (round % 20 === 19) {
      for (const alert of listAlerts(mac)) shown.set(alert.id, alert.rule_name);
      problems.push(...integrity(mac));
    }
  }
  await agent.settled();
  // launchd is asked about the last ones still.
  const last = done.at(-1)?.attack.path ?? '';
  await waitFor('the last alert', () => alertsAbout(listAlerts(mac), last)[0]).catch(() => undefined);
  await agent.stop();
  const alerts = listAlerts(mac);
  for (const id of shown.keys()) {
    if (!alerts.some((alert) => alert.id === id)) problems.push(`alert ${id} was shown once and is gone`);
  }
  problems.push(...integrity(mac));
  let [alerted, inferred, overlooked] = [0, 0, 0];
  for (const round of done) {
    const { attack, lifetimeMs, killed } = round;
    const about = alertsAbout(alerts, attack.path);
    if (about.length === 1) alerted++;
    else
      problems.push(
        `${attack.path} has ${about.length} alerts (launchctl lived ${lifetimeMs} ms, killed after ${(killed - attack.started) / 1000} ms)`,
      );
    if (!about.some((alert) => alert.rule_name.includes('inferred'))) continue;
    inferred++;
    if (overlap(round) >= seenAfterMicros) overlooked++;
  }
  return { rounds, alerted, inferred, overlooked, problems };
}
