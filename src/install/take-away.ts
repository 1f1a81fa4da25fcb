import { existsSync } from 'node:fs';
import path from 'node:path';
import { messageOf, UserError } from '../base/errors.js';
import { foreignNames, hasPackage } from './foreign-names.js';
import { refuseForeignJob } from './job.js';
import { bootOut, calls } from './launchctl.js';
import type { Surroundings } from './parts.js';
import { placeFile, removeEmpty, removeFile, removeTree } from './place.js';
import { packageId, placed, places } from './places.js';
import { noStandIn } from './read.js';
import { leftOf, madeUnnoted, removeMade, removeVersions, rollBack } from './roll-back.js';
import { namesIn } from './source.js';
import { type InstallState, readState, stateProblem, stateText } from './state.js';
import { runSteps, type Step, type StepReport } from './steps.js';
import { type Pending, Transaction } from './transaction.js';
import { checkWay } from './way.js';

export interface TakeAwayOptions {
  readonly at: Surroundings;
  /** The data folder of the job, a path of this machine. */
  readonly dataDir: string;
  /** Configuration, data and logs go too, but for what stood there before the first installation. */
  readonly purge: boolean;
  readonly dryRun: boolean;
  readonly report: (report: StepReport) => void;
  /**
   * Undoes what responses have done, once the agent is stopped and before anything is removed; false when something could
   * not be undone: the data then stay.
   */
  readonly takeBack: () => Promise<boolean>;
}

/** Stops the agent and removes what was installed. Gives false when `takeBack` did. */
export async function takeAway(options: TakeAwayOptions): Promise<boolean> {
  const { at, dataDir, purge, dryRun, report, takeBack } = options;
  const { root } = at;
  for (const folder of [places.home, places.logs, path.posix.dirname(places.job)]) checkWay(folder, at);
  refuseForeignJob(at);
  if (dryRun) {
    await runSteps(stopSteps(at), { dryRun, report });
    const whole = await takeBack();
    await runSteps(removeSteps(at, { dataDir, purge, kept: keptOf(root, readState(root), undefined) }), {
      dryRun,
      report,
    });
    return whole;
  }
  const versions = placed(places.versions, root);
  const lock = existsSync(versions) ? at.parts.lock(versions) : undefined;
  const transaction = new Transaction(root);
  try {
    const left = transaction.left();
    if (left?.op === 'install' && !left.committed) {
      await rollBack(at, transaction, left);
      report({ step: 'take back the installation that was cut off', state: 'done' });
    }
    const state = readState(root);
    const pending: Pending = {
      op: 'uninstall',
      fresh: false,
      written: state?.written ?? {},
      dataDir,
      purge: purge || (left?.op === 'uninstall' && left.purge),
      kept: keptOf(root, state, left),
      made: state?.made ?? left?.made ?? madeUnnoted(root),
      touched: true,
      committed: false,
    };
    await runSteps(stopSteps(at), { dryRun, report });
    if (pending.purge) await requireNoAgent(at, dataDir);
    // Until here an uninstall that is cut off leaves everything in place but a job that runs.
    const whole = await takeBack();
    if (existsSync(placed(places.home, root)))
      transaction.begin({ ...pending, purge: pending.purge && whole });
    await runSteps(removeSteps(at, { ...pending, purge: pending.purge && whole }), { dryRun, report });
    finish(at, transaction, { ...pending, purge: pending.purge && whole });
    return whole;
  } finally {
    lock?.release();
  }
}

/** Where it cannot be read what stood there before the first installation, all that may have stays. */
function keptOf(
  root: string | undefined,
  state: InstallState | undefined,
  left: Pending | undefined,
): readonly string[] {
  const known = state?.kept ?? left?.kept ?? (stateProblem(root) === undefined ? [] : foreignNames(root));
  // Earlier versions took the files of the .pkg, which are there first, for somebody else's.
  return hasPackage(root) ? known.filter((one) => one !== places.package) : known;
}

/** One that somebody started by hand is not launchd's to stop, and its data are not to be removed under it. */
async function requireNoAgent({ parts }: Surroundings, dataDir: string): Promise<void> {
  const agent = await parts.agent(dataDir).catch(() => undefined);
  if (agent === undefined) return;
  throw new UserError(
    'install/agent-runs',
    `an agent that launchd did not start uses ${dataDir}${agent.pid === undefined ? '' : ` (process ${agent.pid})`}`,
    { hint: 'Stop it, then try again. The job is stopped, and nothing was removed.' },
  );
}

/** Carries through a removal that was cut off. */
export async function finishRemoval(
  at: Surroundings,
  transaction: Transaction,
  pending: Pending,
): Promise<void> {
  const quiet = { dryRun: false, report: () => {} };
  await runSteps([...stopSteps(at), ...removeSteps(at, pending)], quiet);
  finish(at, transaction, pending);
}

function stopSteps({ system, root, launchctl }: Surroundings): Step[] {
  const program = launchctl ?? placed('/bin/launchctl', root);
  return [
    {
      does: `run ${calls.bootout(program).join(' ')}`,
      skipped: launchctl === undefined ? noStandIn : undefined,
      run: () => bootOut(system, program),
    },
  ];
}

function removeSteps(
  { root, system, parts }: Surroundings,
  { dataDir, purge, kept }: Pick<Pending, 'dataDir' | 'purge' | 'kept'>,
): Step[] {
  const file = (macPath: string): Step => ({
    does: `remove ${placed(macPath, root)}`,
    run: () => removeFile(placed(macPath, root)),
  });
  const tree = (place: string): Step => ({ does: `remove ${place}`, run: () => removeTree(place) });
  const inside = (folder: string) => {
    const ours = new Set([places.state, places.journal].map((one) => path.posix.basename(one)));
    return namesIn(placed(folder, root))
      .filter((name) => !kept.includes(`${folder}/${name}`))
      .filter((name) => folder !== places.home || !(ours.has(name) || isOwn(name)))
      .map((name) => tree(path.join(placed(folder, root), name)));
  };
  const isOwn = (name: string) => ownNames.has(name) && (name !== packageName || hasPackage(root));
  const data = placed(places.data, root);
  // While the journals are there that say what it is, and with launchd to ask.
  const cleanUp: Step = {
    does: 'take away what a canary or a proof has left that was cut off',
    run: async () => {
      try {
        const { undone, left } = await parts.cleanUp(dataDir, root);
        if (left.length > 0) return { skipped: `to be done by hand: ${left.join('; ')}` };
        return undone.length > 0 ? 'done' : 'unchanged';
      } catch (error) {
        // Told, and no reason to keep a program that somebody wants to be rid of.
        return { skipped: messageOf(error) };
      }
    },
  };
  return [
    ...(['canary', 'prove'].some((name) => existsSync(path.join(dataDir, name))) ? [cleanUp] : []),
    file(places.job),
    file(places.logRotation),
    file(places.current),
    tree(placed(places.versions, root)),
    ...(purge
      ? [
          // One that somebody named is ours when our database is in it.
          ...(dataDir !== data && existsSync(path.join(dataDir, 'launchwarden.db')) ? [tree(dataDir)] : []),
          ...inside(places.home),
          ...inside(places.logs),
        ]
      : []),
    // Last: it may be what runs us.
    ...(hasPackage(root)
      ? [
          tree(placed(places.package, root)),
          {
            does: `run pkgutil --forget ${packageId}`,
            skipped: root === undefined ? undefined : 'a tree has no receipts',
            // Where it was not the .pkg that put it there, there is no receipt.
            run: () => (system.run(pkgutil, ['--forget', packageId]).status === 0 ? 'done' : 'unchanged'),
          } satisfies Step,
        ]
      : []),
  ];
}

const packageName = path.posix.basename(places.package);
const pkgutil = '/usr/sbin/pkgutil';
/** Have a step of their own. */
const ownNames: ReadonlySet<string> = new Set(
  [places.versions, places.current, places.package].map((one) => path.posix.basename(one)),
);

/** What is left of ours: the folders when they are empty, else what a later purge must know. */
function finish(at: Surroundings, transaction: Transaction, { kept, made }: Pending): void {
  const { root, asRoot } = at;
  const state = placed(places.state, root);
  if (leftOf(root, kept).length > 0) placeFile(state, stateText({ written: {}, made, kept }), { asRoot });
  else removeFile(state);
  removeVersions(root);
  // Our own folders go when they are empty, whoever made them; those above only when we did. While the journal says which: a
  // run that is killed after its end leaves none but those that hold it.
  removeEmpty(placed(places.logs, root));
  removeMade(made, root);
  transaction.end();
  removeMade([...made, places.home], root);
}

/** What an uninstall leaves, as paths of this machine. */
export function leftBehind(root: string | undefined): string[] {
  return [places.home, places.logs].map((one) => placed(one, root));
}
