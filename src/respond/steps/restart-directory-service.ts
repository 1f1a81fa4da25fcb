import { clip } from '../../base/escape.js';
import type { Executor } from '../executor.js';
import type { Machine } from '../machine.js';
import type { Outcome } from '../plan.js';

const tries = 100;
const pauseMs = 100;

/**
 * Labels of the service that loads directory plug-ins, the newest first: `opendirectoryd` since OS X 10.7, before it
 * `DirectoryService`. The second spelling is the one that many guides have.
 */
export const directoryServiceLabels = [
  'com.apple.opendirectoryd',
  'com.apple.DirectoryServices',
  'com.apple.DirectoryService',
] as const;

/** The label that this system really has; undefined when none of them is loaded. */
export async function directoryServiceLabel(machine: Machine): Promise<string | undefined> {
  for (const label of directoryServiceLabels)
    if ((await machine.launchd.job(`system/${label}`)).state === 'loaded') return label;
  return undefined;
}

export const restartDirectoryService: Executor<'restart-directory-service'> = {
  does: ({ label }) => `restart system/${label}`,
  async check({ label }, machine) {
    const job = await machine.launchd.job(`system/${label}`);
    if (job.state !== 'loaded') return { state: 'failed', says: `launchd does not have system/${label}` };
    return {
      state: 'done',
      says: job.pid === undefined ? 'it does not run now' : `it runs as process ${job.pid}`,
    };
  },
  async run({ label }, { machine, will }) {
    const checked = await this.check({ kind: 'restart-directory-service', label }, machine);
    if (checked.state !== 'done') return checked;
    const job = await machine.launchd.job(`system/${label}`);
    const pid = job.state === 'loaded' ? job.pid : undefined;
    will({ kind: 'restart-directory-service', label, ...(pid === undefined ? {} : { pid }) });
    return restart(label, pid, machine);
  },
  resume: (deed, { label }, { machine }) =>
    restart(label, deed.kind === 'restart-directory-service' ? deed.pid : undefined, machine),
  checkUndo: () => Promise.resolve({ state: 'nothing', says: 'a restart leaves nothing to be undone' }),
  undo: () => Promise.resolve({ state: 'nothing', says: 'a restart leaves nothing to be undone' }),
};

async function restart(label: string, before: number | undefined, machine: Machine): Promise<Outcome> {
  const target = `system/${label}`;
  const now = await machine.launchd.job(target);
  if (before !== undefined && now.state === 'loaded' && now.pid !== undefined && now.pid !== before)
    return { state: 'done', says: `${label} was restarted: process ${now.pid} in the place of ${before}` };
  const said = await machine.launchd.run(['kickstart', '-k', target]);
  if (said.status !== 0) {
    // Since macOS 14.4 launchd refuses this for services of the system; it starts one again that ends.
    const [one] = before === undefined ? [] : machine.processes([before]);
    const refused = `launchctl kickstart -k ${target} failed (${said.status ?? 'no answer'}: ${clip(said.stderr.trim().split('\n')[0] ?? '', 200)})`;
    const protection = one === undefined ? 'it does not run' : machine.protects(one);
    if (one === undefined || protection !== undefined)
      return {
        state: 'failed',
        says: `${refused}, and process ${before ?? '?'} cannot be ended: ${protection}`,
      };
    machine.signal(one.pid, 'SIGTERM');
  }
  for (let turn = 0; turn < tries; turn++) {
    const job = await machine.launchd.job(target);
    if (job.state === 'loaded' && job.pid !== undefined && job.pid !== before)
      return { state: 'done', says: `${label} was restarted as process ${job.pid}` };
    // A job that did not run may have nothing to do.
    if (before === undefined && said.status === 0)
      return { state: 'done', says: `${label} was started anew` };
    await machine.wait(pauseMs);
  }
  return { state: 'failed', says: `${label} did not start again within ${(tries * pauseMs) / 1000} s` };
}
