import { UserError } from '../base/errors.js';
import type { RunningProcess } from '../base/file-calls.js';
import { interpreterName } from '../base/what-runs/interpreters.js';
import type { Version } from '../store/index.js';
import { ImageMatcher, imageFile } from './images.js';
import type { Machine } from './machine.js';
import { offspringOf } from './offspring.js';
import type { Plan, Step, StepOf, Watched } from './plan.js';
import { isBeyond, sparedBecause } from './spared.js';
import { directoryServiceLabel } from './steps/restart-directory-service.js';
import { identityOf } from './steps/stop.js';
import type { Target } from './target.js';

/** Content that many files have: nothing can be told by it. */
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function planOf(verb: string, target: Target, steps: readonly Step[], remarks: readonly string[] = []): Plan {
  const { alert, item } = target;
  return {
    verb,
    about: target.path,
    ...(alert === undefined ? {} : { alert }),
    ...(item === undefined ? {} : { item }),
    steps,
    watch: watchOf(target),
    remarks,
  };
}

/** By what the same thing would be recognised when it comes back. */
function watchOf({ path, label, expect, programs, signer }: Target): Watched[] {
  const own = programs.filter((one) => sparedBecause(one.path, path) === undefined);
  const hashes = [expect, ...own.map((one) => one.expect)].map(({ sha256 }) => sha256);
  const team = signer?.team_id;
  return [
    ...[path, ...own.map((one) => one.path)].map((value) => ({ kind: 'path' as const, value })),
    ...(label === undefined ? [] : [{ kind: 'label' as const, value: label }]),
    ...[...new Set(hashes)].flatMap((value) =>
      value === undefined || value === empty ? [] : [{ kind: 'sha256' as const, value }],
    ),
    ...(team === undefined || team === ''
      ? []
      : [{ kind: 'signer' as const, value: signerValue(team, signer?.signing_id) }]),
  ];
}

/** How a signer stands in a watch: of a team its one program. */
export function signerValue(team: string, signingId: string | undefined): string {
  return `${team}/${signingId ?? ''}`;
}

export async function bootOutPlan(target: Target, machine: Machine): Promise<Plan> {
  const step = await bootOutStep(target, machine);
  if (step === undefined)
    throw new UserError(
      'respond/no-job',
      `${target.path} is no launch item whose job is known: launchd has nothing to forget`,
      {
        hint: '"respond quarantine" moves the file away.',
      },
    );
  return planOf('boot-out', target, [step]);
}

/** Where the item's job may be loaded, and where it was told to be. */
function domainsOf({ path, domains = [] }: Target, { launchd }: Machine): string[] {
  return [...new Set([...launchd.domains(path), ...domains])];
}

async function bootOutStep(target: Target, machine: Machine): Promise<StepOf<'boot-out'> | undefined> {
  const { path, label } = target;
  if (label === undefined) return undefined;
  const domains = domainsOf(target, machine);
  const found: string[] = [];
  for (const domain of domains) {
    const { state } = await machine.launchd.job(`${domain}/${label}`);
    if (state === 'loaded' || state === 'unknown') found.push(domain);
  }
  return { kind: 'boot-out', path, label, domains: found.length > 0 ? found : domains };
}

/** The processes of the job, as launchd knows them, and those that run what the item runs. */
export async function stopPlan(target: Target, machine: Machine): Promise<Plan> {
  const { steps, remarks } = await stopSteps(target, machine);
  return planOf('kill', target, steps, remarks);
}

export function stopProcessPlan(pid: number, machine: Machine): Plan {
  const [found] = machine.processes([pid]);
  if (found === undefined)
    throw new UserError('respond/no-process', `there is no process ${pid}`, { hint: 'It may have ended.' });
  const why = machine.protects(found);
  if (why !== undefined)
    throw new UserError(
      'respond/protected',
      `process ${pid} (${found.executable ?? found.shortName}) ${why}`,
    );
  const about = `process ${pid} (${found.executable ?? found.shortName})`;
  return {
    verb: 'kill',
    about,
    steps: [{ kind: 'stop', processes: [identityOf(found)] }],
    watch: [],
    remarks: [],
  };
}

async function stopSteps(
  target: Target,
  machine: Machine,
): Promise<{ readonly steps: readonly StepOf<'stop'>[]; readonly remarks: readonly string[] }> {
  const pids = new Set<number>();
  if (target.label !== undefined)
    for (const domain of domainsOf(target, machine)) {
      const job = await machine.launchd.job(`${domain}/${target.label}`);
      if (job.state !== 'loaded' || job.pid === undefined) continue;
      if (job.path === undefined || machine.root.toMac(job.path) === target.path) pids.add(job.pid);
    }
  const own = target.programs.filter(({ path }) => !isBeyond(path, target.path));
  const matcher = new ImageMatcher(
    own.flatMap(({ path, images = [] }) => (sparedBecause(path, target.path) === undefined ? images : [])),
  );
  const offspring = offspringOf(
    [
      ...own.map(({ path }) => path),
      ...target.runs.filter((one) => one.startsWith(`${target.path}/`)),
    ].filter((path) => sparedBecause(path, target.path) === undefined),
    machine,
  );
  const started = new Set(offspring.found.map(({ pid, startKey }) => `${pid} ${startKey}`));
  const remarks: string[] = [];
  const found = machine.processes().filter((one) => {
    const named = pids.has(one.pid) || runsTarget(one, target, machine);
    const isRenamed = !named && runsImage(one, { target, machine, matcher });
    const isLeft = started.has(`${one.pid} ${one.startKey}`);
    if (!(named || isRenamed || isLeft) || machine.protects(one) !== undefined) return false;
    if (isRenamed)
      remarks.push(
        `process ${one.pid} runs its program under another name: ${machine.root.toMac(one.executable ?? '')}`,
      );
    return true;
  });
  return found.length === 0
    ? { steps: [], remarks: ['no process of it runs', ...offspring.remarks] }
    : {
        steps: [{ kind: 'stop', processes: found.map(identityOf) }],
        remarks: [...remarks, ...offspring.remarks],
      };
}

/** The item's own program under another name. What macOS or others brought is left alone, whatever was copied from it. */
function runsImage(
  { pid, executable }: RunningProcess,
  how: { readonly target: Target; readonly machine: Machine; readonly matcher: ImageMatcher },
): boolean {
  if (executable === undefined) return false;
  const { target, machine, matcher } = how;
  if (sparedBecause(machine.root.toMac(executable), target.path) !== undefined) return false;
  return matcher.matches(imageFile(pid, executable));
}

/** By the image's path; of an interpreter by the script's. What only mentions the path is none of them. */
function runsTarget({ executable, args = [] }: RunningProcess, target: Target, machine: Machine): boolean {
  if (executable === undefined) return false;
  const image = machine.root.toMac(executable);
  const isOwn = (path: string) =>
    target.programs.some((one) => one.path === path && !isBeyond(path, target.path)) ||
    path === target.path ||
    path.startsWith(`${target.path}/`);
  if (isOwn(image)) return true;
  if (interpreterName(image.slice(image.lastIndexOf('/') + 1)) === undefined) return false;
  return args.slice(1).some((argument) => isOwn(machine.root.stripArgument(argument)));
}

export function quarantinePlan(target: Target): Plan {
  const { steps, remarks } = quarantineSteps(target);
  return planOf('quarantine', target, steps, remarks);
}

function quarantineSteps({ path, expect, programs }: Target): {
  readonly steps: readonly Step[];
  readonly remarks: readonly string[];
} {
  const steps: Step[] = [{ kind: 'quarantine', path, expect }];
  const remarks: string[] = [];
  for (const program of programs) {
    const why = sparedBecause(program.path, path);
    const { path: place, expect: wanted } = program;
    if (why === undefined) steps.push({ kind: 'quarantine', path: place, expect: wanted, named: true });
    else remarks.push(`${program.path} stays: ${why}`);
  }
  return { steps, remarks };
}

/** The usual: boot out, end the processes, quarantine. */
export async function allPlan(target: Target, machine: Machine): Promise<Plan> {
  const bootOut = await bootOutStep(target, machine);
  const stop = await stopSteps(target, machine);
  const { steps, remarks } = quarantineSteps(target);
  return planOf(
    'all',
    target,
    [...(bootOut === undefined ? [] : [bootOut]), ...stop.steps, ...steps],
    [...stop.remarks, ...remarks],
  );
}

/** What may happen by itself: the list or bundle alone is moved, no program. */
export async function automaticPlan(
  target: Target,
  action: 'boot-out' | 'quarantine',
  machine: Machine,
): Promise<Plan> {
  const bootOut = await bootOutStep(target, machine);
  const { path, expect } = target;
  const move: Step = { kind: 'quarantine', path, expect };
  const steps = [...(bootOut === undefined ? [] : [bootOut]), ...(action === 'quarantine' ? [move] : [])];
  return planOf(action, target, steps);
}

/** Cuts the network off. `allow`: addresses and networks. */
export function isolatePlan(step: Omit<StepOf<'isolate'>, 'kind'>, alert?: string): Plan {
  return {
    verb: 'isolate',
    about: 'the network of this Mac',
    ...(alert === undefined ? {} : { alert }),
    steps: [{ kind: 'isolate', ...step }],
    watch: [],
    remarks: [],
  };
}

/** What stands there goes into the quarantine, and the version in its place. */
export function restorePlan(target: Target, version: Version): Plan {
  const { path, id, sha256 } = version;
  const place: Step = { kind: 'place', path, version: id, ...(sha256 === undefined ? {} : { sha256 }) };
  const plan = planOf('restore', target, [{ kind: 'quarantine', path, expect: {} }, place]);
  return { ...plan, about: path, watch: [] };
}

/** Nothing is to be done: it is so already. */
export function restoredPlan(target: Target, { path, id }: Version, by?: string): Plan {
  const whose = by === undefined ? '' : `; response ${by} put it there`;
  const remark = `version #${id} stands at ${path} already${whose}`;
  return { ...planOf('restore', target, [], [remark]), about: path, watch: [] };
}

export async function restartDirectoryServicePlan(machine: Machine, alert?: string): Promise<Plan> {
  const label = await directoryServiceLabel(machine);
  if (label === undefined)
    throw new UserError(
      'respond/no-directory-service',
      'launchd has no directory service by any name that is known',
      {
        hint: 'Look for it with "launchctl print system", or restart the Mac.',
      },
    );
  return {
    verb: 'restart-directory-service',
    about: `system/${label}`,
    ...(alert === undefined ? {} : { alert }),
    steps: [{ kind: 'restart-directory-service', label }],
    watch: [],
    remarks: [],
  };
}
