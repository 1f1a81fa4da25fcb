import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readBootId } from '../agent/boot.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { RootMap } from '../base/root.js';
import { runTool, type ToolAnswer } from '../base/tool.js';
import { codeSignatureOf, trustedRequirement } from '../enrich/index.js';
import type { ProcessFields } from '../event/document.js';
import type { InventoryEntry } from '../event/inventory.js';
import { isLaunchItem, launchdJob } from '../inventory/index.js';
import { imageFile } from '../respond/images.js';
import type { CaseTools, JobState, Known, LaunchdSays, Subject } from '../respond/investigate/index.js';
import { domainsOf, homeOwners } from '../sensors/launchd-state/domains.js';
import { readService } from '../sensors/launchd-state/index.js';
import { runningProcesses } from '../sensors/process-scan/index.js';

export interface CaseToolsOptions {
  readonly root: RootMap;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  /** Entries of the inventory: other lists with the same label, background items. */
  readonly entries: () => readonly InventoryEntry[];
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

const launchctl = '/bin/launchctl';
const codesign = '/usr/bin/codesign';
const lsof = '/usr/sbin/lsof';
/** A person waits: a tool that hangs is given up. */
const timeoutMs = 5_000;
const mostBytes = 4 * 1024 * 1024;
const maxUsers = 16;
const maxHolders = 50;

/** The tools of the machine, or the stand-ins of a `--root` tree. */
export function caseTools({ root, platform, clock, entries, signal }: CaseToolsOptions): CaseTools {
  const run = async (program: string, args: readonly string[]): Promise<Known<ToolAnswer>> => {
    const host = root.toHost(program);
    const name = program.slice(program.lastIndexOf('/') + 1);
    if (!root.simulated && platform !== 'darwin') return { why: `${name} is a tool of macOS` };
    if (!existsSync(host))
      return {
        why: root.simulated
          ? `the tree has no ${program}, and what it would say of a Mac nobody knows`
          : `${program} is not there`,
      };
    return { value: await runTool(host, args, { timeoutMs, mostBytes, signal }) };
  };
  return {
    run,
    jobs: (path, labels, domains) => jobsOf(run, { path, labels, domains, root }),
    launchd: (about) => launchdSays(about, root, entries()),
    processes: () => processesNow(root, clock),
    runsImage: ({ pid, executable }, images) =>
      pid !== undefined &&
      executable !== undefined &&
      images.matches(imageFile(pid, root.toHost(executable))),
    usersOf: async (path) =>
      platform === 'linux' && root.simulated ? mappedOnLinux(root.toHost(path)) : openFiles(run, path),
    signature: async (path) => {
      if (/\p{Cc}/u.test(path))
        return { why: 'its path holds control characters, by which it could forge what codesign prints' };
      const described = await run(codesign, ['-d', '--verbose=4', path]);
      if ('why' in described) return described;
      if (described.value.status === null) return { why: 'codesign gave no answer in time' };
      const read = codeSignatureOf(described.value.stderr);
      if (read.exists !== true) return { value: read };
      const verified = await run(codesign, ['--verify', '--strict', '-R', `=${trustedRequirement}`, path]);
      if ('why' in verified) return verified;
      const { status, stderr } = verified.value;
      return { value: codeSignatureOf(described.value.stderr, { status, output: stderr }) };
    },
  };
}

async function launchdSays(
  { path, mechanism, home }: Subject,
  root: RootMap,
  entries: readonly InventoryEntry[],
): Promise<Known<LaunchdSays> | undefined> {
  if (path === undefined || mechanism === undefined || !isLaunchItem({ mechanism })) return undefined;
  const item = { path, mechanism, ...(home === undefined ? {} : { home }) };
  const { loading, disabled, live } = await launchdJob(item, { root, entries });
  return {
    value: {
      loads: loading.says,
      obstacles: loading.obstacles
        .filter(({ because }) => !loading.says.includes(because))
        .map(({ because }) => `${because.charAt(0).toUpperCase()}${because.slice(1)}.`),
      disabled: disabled.says,
      live: live.says,
    },
  };
}

async function processesNow(root: RootMap, clock: Clock): Promise<Known<readonly ProcessFields[]>> {
  try {
    const events = await runningProcesses({ root, clock, boot: readBootId() });
    return { value: events.flatMap(({ doc }) => (doc.process === undefined ? [] : [doc.process])) };
  } catch (error) {
    return { why: root.inText(messageOf(error)) };
  }
}

async function jobsOf(
  run: CaseTools['run'],
  about: {
    readonly path: string;
    readonly labels: readonly string[];
    readonly domains: readonly string[];
    readonly root: RootMap;
  },
): Promise<Known<readonly JobState[]>> {
  const { path, labels, root } = about;
  const domains = new Set([...domainsOf(path, homeOwners(root, maxUsers), root), ...about.domains]);
  const states: JobState[] = [];
  for (const label of labels)
    for (const domain of domains) {
      const target = `${domain}/${label}`;
      const answer = await run(launchctl, ['print', target]);
      if ('why' in answer) return answer;
      const read = readService(answer.value, target);
      const { state: _, ...facts } = read.state === 'loaded' ? read.facts : {};
      states.push({ target, ...facts, state: read.state });
    }
  return { value: states };
}

/** `lsof -F pcn`: a line each for process, command and name. */
async function openFiles(run: CaseTools['run'], path: string): Promise<Known<readonly ProcessFields[]>> {
  const answer = await run(lsof, ['-w', '-n', '-P', '-F', 'pc', '--', path]);
  if ('why' in answer) return answer;
  if (answer.value.status === null) return { why: 'lsof gave no answer in time' };
  const holders: ProcessFields[] = [];
  for (const line of answer.value.stdout.split('\n')) {
    const last = holders.at(-1);
    if (/^p\d{1,10}$/.test(line)) holders.push({ pid: Number(line.slice(1)) });
    else if (line.startsWith('c') && last !== undefined) last.name = line.slice(1, 200);
  }
  return { value: holders.slice(0, maxHolders) };
}

/** Who has a file of a `--root` tree mapped, on Linux. */
function mappedOnLinux(hostPath: string): Known<readonly ProcessFields[]> {
  const holders: ProcessFields[] = [];
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (
          !readFileSync(`/proc/${pid}/maps`, 'utf8')
            .split('\n')
            .some((line) => line.endsWith(` ${hostPath}`))
        )
          continue;
        const executable = readlinkSync(`/proc/${pid}/exe`);
        holders.push({
          pid: Number(pid),
          executable,
          name: executable.slice(executable.lastIndexOf('/') + 1),
        });
      } catch {
        // It has ended, or is not ours to look at.
      }
    }
  } catch (error) {
    return { why: messageOf(error) };
  }
  return { value: holders.slice(0, maxHolders) };
}
