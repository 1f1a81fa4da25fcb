import path from 'node:path';
import Database from 'better-sqlite3';
import { type AgentProcess, alertsAbout, listAlerts, type SimulatedMac } from './mac.js';
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
  /** Rounds in which launchctl ran for long enough while an agent looked; each must have exactly one alert. */
  readonly owed: number;
  readonly alerted: number;
  /** Rounds in which launchctl began and ended while no agent ran: nobody can have seen it. */
  readonly unseen: number;
  readonly problems: readonly string[];
}

/** An agent that could look at a process for so long owes the alert, ... */
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
  await agent.stop();
  const alerts = listAlerts(mac);
  for (const id of shown.keys()) {
    if (!alerts.some((alert) => alert.id === id)) problems.push(`alert ${id} was shown once and is gone`);
  }
  problems.push(...integrity(mac));
  let [owed, alerted, unseen] = [0, 0, 0];
  for (const round of done) {
    const count = alertsAbout(alerts, round.attack.path).length;
    const must = overlap(round) >= seenAfterMicros;
    if (must) owed++;
    else unseen++;
    if (must && count === 1) alerted++;
    if (count > 1) problems.push(`${round.attack.path} has ${count} alerts`);
    if (must && count === 0) {
      problems.push(
        `${round.attack.path} has no alert (launchctl lived ${round.lifetimeMs} ms, killed after ${(round.killed - round.attack.started) / 1000} ms)`,
      );
    }
  }
  return { rounds, owed, alerted, unseen, problems };
}
