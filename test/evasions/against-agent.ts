import { readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { cli, waitFor } from '../simulation/mac.js';
import type { Attacker } from './attacker.js';
import { fileDocument, loadDocument } from './documents.js';
import type { Evasion } from './evasion.js';

async function writeAndLoad(attacker: Attacker): Promise<void> {
  attacker.write(attacker.plist);
  await attacker.launchctl(['load', attacker.host(attacker.plist)]);
}

/** The stand-in of eslogger that runs now. */
function esloggerPid(attacker: Attacker): number {
  const runs = readFileSync(attacker.host('/usr/bin/reading'), 'utf8').trim().split('\n');
  return Number(runs.at(-1));
}

/** Longer than the agent's clocks may part. */
const stoppedMs = 4_500;

function continued(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was replaced.
  }
}

/** Waits until the agent has replaced an eslogger that stands still. */
async function another(attacker: Attacker, pid: number): Promise<void> {
  await waitFor('another eslogger', () => (esloggerPid(attacker) !== pid ? true : undefined)).catch(() => {});
}

/** Lists that no reader of property lists takes: numbered, each under a name of its own. */
const malformed: readonly (readonly [string, Uint8Array])[] = [
  ['garbage', Buffer.from([0, 255, 254, 1])],
  ['huge', Buffer.alloc(2 * 1024 * 1024, 97)],
  ['deep', Buffer.from(`<plist>${'<array>'.repeat(50_000)}`)],
  [
    'bomb',
    Buffer.from(
      '62706c6973743030a10008000000000000010100000000000000010000000000000000000000000000000a',
      'hex',
    ),
  ],
];

/** What turns against the agent itself: numbers 48 to 57. */
export const againstAgent: readonly Evasion[] = [
  {
    number: 48,
    name: 'launchctl bootout of the agent',
    play: (attacker) => attacker.launchctl(['bootout', 'system/com.launchwarden.agent']),
    marks: () => ['com.launchwarden.agent'],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 49,
    name: 'SIGSTOP of the agent, or of eslogger',
    disturbs: true,
    async play(attacker, { agent }) {
      const pid = attacker.isHeard ? esloggerPid(attacker) : (agent.child.pid ?? 0);
      process.kill(pid, 'SIGSTOP');
      if (attacker.isHeard) await another(attacker, pid);
      else await new Promise((resolve) => setTimeout(resolve, stoppedMs));
      continued(pid);
      await writeAndLoad(attacker);
    },
    found: ({ alerts }) => alerts.some(({ doc }) => JSON.stringify(doc['Events']).includes('SIGSTOP')),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 50,
    name: "from within the agent's own process group",
    play: writeAndLoad,
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 51,
    name: 'Full Disk Access is taken away',
    async play(attacker) {
      attacker.install('/usr/bin/tccutil');
      await attacker.exec('/usr/bin/tccutil', ['reset', 'SystemPolicyAllFiles'], { cwd: attacker.home });
    },
    marks: ({ home }) => [home],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 52,
    name: 'background task management is reset',
    async play(attacker) {
      attacker.install('/usr/bin/sfltool');
      await attacker.exec('/usr/bin/sfltool', ['resetbtm'], { cwd: attacker.home });
    },
    marks: ({ home }) => [home],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 53,
    name: 'a daemon written and loaded while the agent was not there',
    whileDown(attacker) {
      const list = `/Library/LaunchDaemons/${attacker.label}.plist`;
      attacker.write(list);
      attacker.loadedUnseen('system', attacker.label, list);
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 54,
    name: 'the clock is set between the write and the load',
    capture: (tier, label) => [
      fileDocument(tier, 0, `/Users/u54/Library/LaunchAgents/${label}.plist`),
      // 5 seconds later, and the wall clock was set forward by 2 hours.
      loadDocument(tier, 7_205, `/Users/u54/Library/LaunchAgents/${label}.plist`, 7_200),
    ],
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 55,
    name: "the agent's database is locked",
    async play(attacker) {
      const db = new Database(path.join(attacker.mac.dataDir, 'launchwarden.db'));
      try {
        db.exec('BEGIN IMMEDIATE');
        await writeAndLoad(attacker);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        db.exec('ROLLBACK');
      } finally {
        db.close();
      }
    },
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 56,
    name: 'malformed, huge and deeply nested lists',
    async play(attacker) {
      for (const [kind, bytes] of malformed) {
        const list = `${attacker.agents}/${attacker.label}.${kind}.plist`;
        attacker.write(list, bytes);
        await attacker.launchctl(['load', attacker.host(list)]);
      }
    },
    marks: ({ label }) => malformed.map(([kind]) => `${label}.${kind}`),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
  {
    number: 57,
    name: 'names that write into the terminal or the log',
    async play(attacker) {
      const list = `${attacker.agents}/${attacker.label}.\u001b[31mred\n\u202e.plist`;
      attacker.write(list, attacker.list([], `${attacker.label}\u0007`));
      await attacker.launchctl(['load', attacker.host(list)]);
    },
    found: (_evidence, { mac }) =>
      !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(cli(mac, 'alerts', 'list')),
    expected: { scan: 'detected', eslogger: 'detected' },
  },
];
