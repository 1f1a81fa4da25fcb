import { allOf } from '../../base/count.js';
import { clip } from '../../base/escape.js';
import type { Executor } from '../executor.js';
import type { Machine } from '../machine.js';
import type { Deed, Outcome, StepOf } from '../plan.js';

/** launchctl returns before the job has gone, or come. */
const tries = 50;
const pauseMs = 100;

/** A label that means the same to us and to launchctl; others are named by their property list. */
const plain = /^[\w.-]{1,200}$/;

export const bootOut: Executor<'boot-out'> = {
  does: ({ label, domains }) => `boot ${label} out of ${allOf(domains)}`,
  async check(step, machine) {
    const { loaded, other, unknown } = await find(step, machine);
    if (other !== undefined) return { state: 'refused', says: other };
    if (loaded.length > 0) return { state: 'done', says: `it is loaded in ${allOf(loaded)}` };
    return unknown.length > 0
      ? {
          state: 'failed',
          says: `launchd did not say whether ${step.label} is loaded in ${allOf(unknown)}`,
        }
      : { state: 'nothing', says: `${step.label} is not loaded in ${step.domains.join(' or ')}` };
  },
  async run(step, { machine, will }) {
    const checked = await this.check(step, machine);
    if (checked.state !== 'done') return checked;
    const { loaded } = await find(step, machine);
    const { label, path } = step;
    const deed = {
      kind: 'boot-out',
      label,
      domains: loaded,
      ...(path === undefined ? {} : { path }),
    } as const;
    will(deed);
    return takeOut(deed, machine);
  },
  resume: (deed, _step, { machine }) =>
    deed.kind === 'boot-out' ? takeOut(deed, machine) : Promise.resolve(damaged),
  checkUndo(deed) {
    if (deed.kind !== 'boot-out') return Promise.resolve(damaged);
    return Promise.resolve(
      deed.path === undefined
        ? { state: 'failed', says: noList(deed.label) }
        : { state: 'done', says: `load ${deed.label} again in ${allOf(deed.domains)}` },
    );
  },
  async undo(deed, machine) {
    if (deed.kind !== 'boot-out') return damaged;
    const { path, label } = deed;
    if (path === undefined)
      return {
        state: 'failed',
        says: noList(label),
      };
    const failed: string[] = [];
    for (const domain of deed.domains) {
      if ((await machine.launchd.job(`${domain}/${label}`)).state === 'loaded') continue;
      const said = await machine.launchd.run(['bootstrap', domain, machine.root.toHost(path)]);
      if (!(await becomes(machine, `${domain}/${label}`, 'loaded')))
        failed.push(
          `${domain} (${said.status ?? 'no answer'}: ${clip(said.stderr.trim().split('\n')[0] ?? '', 200)})`,
        );
    }
    return failed.length === 0
      ? { state: 'done', says: `${label} is loaded again in ${allOf(deed.domains)}` }
      : { state: 'failed', says: `${label} could not be loaded again in ${allOf(failed)}` };
  },
};

const noList = (label: string) => `${label} had no property list: whoever submitted it has to do so again`;

const damaged: Outcome = { state: 'failed', says: 'its journal is damaged' };

interface Found {
  readonly loaded: readonly string[];
  readonly unknown: readonly string[];
  /** The label belongs to a job of another property list. */
  readonly other?: string;
}

async function find({ path, label, domains }: StepOf<'boot-out'>, machine: Machine): Promise<Found> {
  const loaded: string[] = [];
  const unknown: string[] = [];
  for (const domain of domains) {
    const job = await machine.launchd.job(`${domain}/${label}`);
    if (job.state === 'unknown') unknown.push(domain);
    if (job.state !== 'loaded') continue;
    const from = job.path === undefined ? undefined : machine.root.toMac(job.path);
    if (path !== undefined && from?.startsWith('/') === true && from !== path)
      return {
        loaded: [],
        unknown: [],
        other: `${domain}/${label} was loaded from ${from}, not from ${path}: it is another job of the same name`,
      };
    loaded.push(domain);
  }
  return { loaded, unknown };
}

async function takeOut(deed: Extract<Deed, { kind: 'boot-out' }>, machine: Machine): Promise<Outcome> {
  const { label, path } = deed;
  const failed: string[] = [];
  for (const domain of deed.domains) {
    const target = `${domain}/${label}`;
    if ((await machine.launchd.job(target)).state === 'not-loaded') continue;
    const said =
      plain.test(label) || path === undefined
        ? await machine.launchd.run(['bootout', target])
        : await machine.launchd.run(['bootout', domain, machine.root.toHost(path)]);
    if (!(await becomes(machine, target, 'not-loaded')))
      failed.push(
        `${domain} (${said.status ?? 'no answer'}: ${clip(said.stderr.trim().split('\n')[0] ?? '', 200)})`,
      );
  }
  return failed.length === 0
    ? { state: 'done', says: `${label} was booted out of ${allOf(deed.domains)}` }
    : { state: 'failed', says: `${label} is still loaded in ${allOf(failed)}` };
}

async function becomes(machine: Machine, target: string, wanted: 'loaded' | 'not-loaded'): Promise<boolean> {
  for (let turn = 0; turn < tries; turn++) {
    const { state } = await machine.launchd.job(target);
    if (state === wanted || (wanted === 'not-loaded' && state === 'no-domain')) return true;
    await machine.wait(pauseMs);
  }
  return false;
}
