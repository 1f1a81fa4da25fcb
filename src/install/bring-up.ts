import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { things } from '../base/count.js';
import { ExitCode, errnoOf, messageOf, UserError } from '../base/errors.js';
import { formatSize } from '../base/size.js';
import { foreignNames } from './foreign-names.js';
import { readWritten, refuseForeignJob, textOf } from './job.js';
import { bootOut, bootstrap, calls, enable, kickstart, readJob } from './launchctl.js';
import { idOf, type Manifest, manifestText } from './manifest.js';
import type { DatabaseSchemas, Surroundings } from './parts.js';
import { cannotWrite, placeFile, placeLink, removeTree } from './place.js';
import { placeVersion } from './place-version.js';
import { jobProgram, placed, places } from './places.js';
import { noStandIn, readManifest, versionFolder, versionFolders, versionProblems } from './read.js';
import { proveByCanary, type Said, tryVersion, waitReady } from './ready.js';
import { renderJob, renderLogRotation } from './render.js';
import {
  asideOf,
  besideVersion,
  currentTarget,
  madeUnnoted,
  removeMade,
  removeVersions,
  rollBack,
} from './roll-back.js';
import { namesIn, type Source } from './source.js';
import { currentVersion, type InstallState, readState, stateText, type Written } from './state.js';
import { runSteps, type Step, type StepReport } from './steps.js';
import { finishRemoval } from './take-away.js';
import { Transaction } from './transaction.js';
import { checkWay, makeFolder } from './way.js';

export interface BringUpOptions {
  readonly at: Surroundings;
  readonly source: Source;
  /** For the job, where it is to have others than it has; absolute macOS paths. */
  readonly written: Written;
  /** The data folder of the job, a path of this machine. */
  readonly dataDir: string;
  readonly dryRun: boolean;
  /** False: a ready agent is enough. */
  readonly canary?: boolean;
  /** Ends it before the next step: what was done is taken back. */
  readonly signal?: AbortSignal;
  readonly report: (report: StepReport) => void;
}

export interface Outcome {
  readonly action: 'none' | 'installed' | 'upgraded' | 'repaired';
  /** Names of the folders. */
  readonly version: string;
  readonly before?: string;
}

/** Folders that must be there before a file is placed; macOS paths. Of each the way is checked first. */
const folders = [
  places.home,
  places.versions,
  places.logs,
  path.posix.dirname(places.job),
  path.posix.dirname(places.logRotation),
] as const;

/** What a version takes on the disk beside its bytes: a database that is copied is reckoned with by itself. */
const spareBytes = 64 * 1024 * 1024;

/** What there is before anything is changed. */
interface Before {
  readonly state: InstallState | undefined;
  readonly current: string | undefined;
  /** The version's folder, and whether it is there already, whole. */
  readonly id: string;
  readonly isPlaced: boolean;
  readonly written: Written;
  readonly job: string | undefined;
  readonly rotation: string | undefined;
  readonly jobText: string;
  readonly rotationText: string;
  readonly schemas: DatabaseSchemas | undefined;
}

/**
 * Installs a version, or upgrades to it: placed beside what runs, tried, switched to, started, and proved; what fails is
 * taken back. What an earlier run left half done is finished or taken back first. Throws a UserError:
 * `install/rolled-back` when the version before runs again, and the codes of what was refused before anything changed.
 */
export async function bringUp(options: BringUpOptions): Promise<Outcome> {
  const { at, dryRun, report } = options;
  const missing = folders.map((folder) => checkWay(folder, at));
  refuseForeignJob(at);
  if (dryRun) {
    const before = look(options);
    await runSteps(planSteps(options, before, undefined), { dryRun, report });
    return outcome(before, false);
  }
  const made = madeUnnoted(at.root);
  const make = (absent: readonly string[]) => {
    for (const folder of absent) {
      makeFolder(folder, at.root);
      if (!made.includes(folder)) made.push(folder);
    }
  };
  const leaveNothing = () => {
    removeVersions(at.root);
    removeMade(made, at.root);
  };
  make(missing.slice(0, 2).flat());
  let lock: ReturnType<typeof at.parts.lock>;
  try {
    lock = at.parts.lock(placed(places.versions, at.root));
  } catch (error) {
    // Of another installation that is under way nothing is ours to remove.
    const isBusy = error instanceof UserError && error.code === 'install/busy';
    if (!isBusy && currentVersion(at.root) === undefined) leaveNothing();
    throw error;
  }
  const transaction = new Transaction(at.root);
  try {
    await recover(at, transaction, report);
    // What was taken back took the folders along that the earlier run had made.
    make(checkWay(places.versions, at));
    return await change(options, transaction, made);
  } finally {
    lock.release();
    if (transaction.pending === undefined && currentVersion(at.root) === undefined) leaveNothing();
  }
}

/** Finishes or takes back what an earlier run was killed in. */
export async function recover(
  at: Surroundings,
  transaction: Transaction,
  report: (report: StepReport) => void,
): Promise<void> {
  const left = transaction.left();
  if (left === undefined) {
    transaction.end();
    return;
  }
  if (left.op === 'uninstall') {
    await finishRemoval(at, transaction, left);
    report({ step: 'finish the removal that was cut off', state: 'done' });
  } else if (left.committed) {
    tidy(at, left.to, left.from);
    transaction.end();
    report({ step: 'finish the installation that was cut off', state: 'done' });
  } else {
    await rollBack(at, transaction, left);
    report({
      step: `take back the installation${left.to === undefined ? '' : ` of ${left.to}`} that was cut off`,
      state: 'done',
    });
  }
}

function look({ at, source, written: asked, dataDir }: BringUpOptions): Before {
  const { root, parts } = at;
  const state = readState(root);
  const written = { ...readWritten(root), ...asked };
  const placedAs = versionFolders(root).find((id) => isWhole(id, source.manifest, root));
  return {
    state,
    current: currentVersion(root),
    id: placedAs ?? freeName(source, root),
    isPlaced: placedAs !== undefined,
    written,
    job: textOf(places.job, root),
    rotation: textOf(places.logRotation, root),
    jobText: renderJob({ ...jobProgram, ...written }),
    rotationText: renderLogRotation(),
    schemas: parts.databases.schemas(dataDir),
  };
}

function isWhole(id: string, manifest: Manifest, root: string | undefined): boolean {
  const there = readManifest(id, root);
  if (there === undefined || manifestText(there) !== manifestText(manifest)) return false;
  return versionProblems(id, root).length === 0;
}

/** The folder of the same version that is damaged keeps its name: it may be the one that runs. */
function freeName({ manifest, id }: Source, root: string | undefined): string {
  const taken = new Set(versionFolders(root));
  for (let attempt = 1, name = id; ; attempt++) {
    if (!taken.has(name)) return name;
    name = idOf(manifest, attempt);
  }
}

function outcome({ current, id, state }: Before, changed: boolean): Outcome {
  const before = current === id ? {} : { before: current };
  const isSameVersion = current !== undefined && versionOf(current) === versionOf(id);
  const done = state?.current === undefined ? 'installed' : isSameVersion ? 'repaired' : 'upgraded';
  return {
    action: changed ? done : 'none',
    version: id,
    ...(before.before === undefined ? {} : { before: before.before }),
  };
}

/** `0.1.0` of the folder `0.1.0-3f9a01c2b4d5`. */
function versionOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}

async function change(
  options: BringUpOptions,
  transaction: Transaction,
  made: readonly string[],
): Promise<Outcome> {
  const { at, source, dryRun, report, dataDir } = options;
  const { system, root } = at;
  const before = look(options);
  const isCurrent = before.current === before.id && before.isPlaced;
  if (isCurrent && isSame(options, before) && runs(at)) {
    await runSteps(planSteps(options, before, transaction), { dryRun, report });
    return outcome(before, false);
  }
  const free = system.freeBytes(placed(places.versions, root));
  const needed = before.isPlaced ? spareBytes : source.bytes + spareBytes;
  if (free < needed)
    throw new UserError(
      'install/disk-full',
      `${placed(places.versions, root)} has room for ${formatSize(free)}; ${formatSize(needed)} are needed`,
      { hint: 'Make room on that disk and try again. Nothing was changed.' },
    );
  transaction.begin({
    op: 'install',
    ...(before.current === undefined ? {} : { from: before.current }),
    to: before.id,
    fresh: !before.isPlaced,
    ...(before.job === undefined ? {} : { job: before.job }),
    ...(before.rotation === undefined ? {} : { rotation: before.rotation }),
    written: before.written,
    dataDir,
    freshData: !existsSync(dataDir),
    purge: false,
    kept: before.state?.kept ?? foreignNames(root),
    made,
  });
  try {
    await runSteps(planSteps(options, before, transaction), {
      dryRun,
      report,
      touch: () => transaction.touch(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    throw await takenBack(options, before, transaction, error);
  }
  tidy(at, before.id, before.current);
  transaction.end();
  return outcome(before, true);
}

function isSame({ at }: BringUpOptions, before: Before): boolean {
  const { state, id, job, jobText, rotation, rotationText, written } = before;
  return (
    job === jobText &&
    rotation === rotationText &&
    state?.current === id &&
    JSON.stringify(state.written) === JSON.stringify(written) &&
    folders.every((folder) => checkWay(folder, at).length === 0)
  );
}

function runs({ system, launchctl }: Surroundings): boolean {
  if (launchctl === undefined) return true;
  const job = readJob(system, launchctl);
  return job.loaded === true && (job.pid !== undefined || job.state === 'running');
}

/** Versions that nobody goes back to any more, and what a killed run left beside them. */
function tidy({ root }: Surroundings, current: string | undefined, before: string | undefined): void {
  const keep = new Set([current, before === current ? readState(root)?.previous : before]);
  for (const id of versionFolders(root)) if (!keep.has(id)) removeTree(versionFolder(id, root));
  const folder = placed(places.versions, root);
  for (const name of namesIn(folder))
    if (name.startsWith('.') && name.endsWith('.new')) removeTree(path.join(folder, name));
}

/** Undoes everything and says so: what happened, and what runs now. */
async function takenBack(
  { at, dataDir }: BringUpOptions,
  before: Before,
  transaction: Transaction,
  error: unknown,
): Promise<unknown> {
  const { pending } = transaction;
  if (pending === undefined) return error;
  const { touched, from, to = '' } = pending;
  const reason =
    errnoOf(error) === undefined || error instanceof UserError
      ? error
      : cannotWrite('an installation failed', error);
  try {
    await rollBack(at, transaction, pending);
  } catch (failure) {
    return new UserError(
      'install/not-rolled-back',
      `${messageOf(error)}; and it could not be taken back: ${messageOf(failure)}`,
      {
        hint: 'Mend that, then run "launchwarden install" again: it begins with taking it back.',
        cause: failure,
      },
    );
  }
  if (!(reason instanceof UserError) || !touched) return reason;
  const stays = pending.freshData === true && existsSync(dataDir);
  const data = stays ? `; ${dataDir} stays: it is in use, or holds alerts about something else` : '';
  if (from === undefined || before.state?.current === undefined)
    return new UserError(reason.code, `${reason.message}; the installation was taken back${data}`, {
      ...(reason.hint === undefined ? {} : { hint: reason.hint }),
      exitCode: ExitCode.checkFailed,
      cause: error,
    });
  const version = readManifest(from, at.root)?.version ?? from;
  const now = await waitReady(at, version, { dataDir }).then(
    () => `${from} runs again`,
    (failure: unknown) => `${from} was put back, but: ${messageOf(failure)}`,
  );
  const aside = asideOf(pending);
  const kept = aside !== undefined && existsSync(aside) ? `; the newer databases are kept in ${aside}` : '';
  return new UserError(
    'install/rolled-back',
    `${to} was taken back: ${reason.message} [${reason.code}]; ${now}${kept}`,
    { hint: reason.hint ?? 'Look at its logs.', exitCode: ExitCode.checkFailed, cause: error },
  );
}

function planSteps(
  { at, source, dataDir, canary = true, signal }: BringUpOptions,
  before: Before,
  transaction: Transaction | undefined,
): Step[] {
  const { system, root, launchctl, asRoot, parts } = at;
  const { id, isPlaced, current, state, written, jobText, rotationText, schemas } = before;
  const { version } = source.manifest;
  const folder = versionFolder(id, root);
  const owner = asRoot ? 'root:wheel' : 'not root:wheel, since we are not root';
  const noLaunchd = launchctl === undefined ? noStandIn : undefined;
  const jobFile = placed(places.job, root);
  const isUp = current === id && isPlaced && before.job === jobText && state?.current === id && runs(at);
  let said: Said | undefined;

  const makeFolders = folders.map(
    (macPath): Step => ({
      does: `make the folder ${placed(macPath, root)} (0755)`,
      run: () => {
        const missing = checkWay(macPath, at);
        for (const one of missing) {
          transaction?.made(one);
          makeFolder(one, root);
        }
        const isNew = missing.length > 0 || transaction?.pending?.made.includes(macPath) === true;
        return isNew ? 'done' : 'unchanged';
      },
    }),
  );
  const file = (macPath: string, content: string, touches: boolean): Step => ({
    does: `write ${placed(macPath, root)} (0644, ${owner})`,
    detail: content,
    touches,
    run: () => placeFile(placed(macPath, root), content, { asRoot }),
  });
  const launchd = (call: readonly string[], run: () => ReturnType<Step['run']>): Step => ({
    does: `run ${call.join(' ')}`,
    skipped: noLaunchd,
    touches: !isUp,
    run: () => (isUp ? 'unchanged' : run()),
  });
  const ctl = launchctl ?? placed('/bin/launchctl', root);
  const foreignSystem = source.manifest.platform !== process.platform;
  return [
    ...makeFolders,
    {
      does: `place version ${id} (${things(source.manifest.files.length, 'file')}, ${formatSize(source.bytes)}) in ${folder}`,
      run: async () => {
        if (isPlaced) return 'unchanged';
        await placeVersion(source, { folder, beside: besideVersion(id, root), asRoot });
        return 'done';
      },
    },
    {
      does: `try whether ${version} starts and loads its native parts`,
      skipped: foreignSystem && launchctl === undefined ? `it is for ${source.manifest.platform}` : undefined,
      run: () => {
        if (isUp) return 'unchanged';
        said = tryVersion(at, folder, version);
        requireKnown(said, schemas, dataDir);
        return 'done';
      },
    },
    file(places.logRotation, rotationText, false),
    launchd(calls.bootout(ctl), () => bootOut(system, ctl)),
    {
      does: `save the databases in ${dataDir} if ${version} brings them up to date`,
      touches: !isUp,
      run: () => {
        if (isUp || !isOlder(schemas, said)) return 'unchanged';
        const to = path.join(dataDir, `before-${id}`);
        for (const name of namesIn(dataDir))
          if (name.startsWith('before-')) rmSync(path.join(dataDir, name), { recursive: true });
        parts.databases.save(dataDir, to);
        transaction?.saved(to);
        return 'done';
      },
    },
    {
      does: `lead ${placed(places.current, root)} to ${currentTarget(id)}`,
      touches: !isUp,
      run: () => placeLink(placed(places.current, root), currentTarget(id), { asRoot }),
    },
    file(places.job, jobText, !isUp),
    launchd(calls.enable(ctl), () => enable(system, ctl)),
    launchd(calls.bootstrap(ctl, jobFile), () => bootstrap(system, ctl, jobFile)),
    launchd(calls.kickstart(ctl), () => kickstart(system, ctl)),
    {
      does: `wait until the agent ${version} is ready`,
      skipped: noLaunchd,
      touches: !isUp,
      run: async () => (isUp ? 'unchanged' : waitReady(at, version, { dataDir, signal })),
    },
    {
      does: 'have the agent prove itself by its canary',
      skipped: canary ? noLaunchd : 'not asked for',
      touches: !isUp,
      run: () => (isUp ? 'unchanged' : proveByCanary(at, written)),
    },
    {
      does: `write ${placed(places.state, root)} (0644, ${owner})`,
      touches: !isUp,
      run: () => {
        const text = stateText(stateAfter(before, transaction));
        const done = placeFile(placed(places.state, root), text, { asRoot });
        if (done === 'done') transaction?.commit();
        return done;
      },
    },
  ];
}

function stateAfter(
  { state, id, current, written }: Before,
  transaction: Transaction | undefined,
): InstallState {
  const previous = current === id ? state?.previous : current;
  const made = [...new Set([...(state?.made ?? []), ...(transaction?.pending?.made ?? [])])];
  return {
    current: id,
    ...(previous === undefined ? {} : { previous }),
    written,
    made,
    kept: state?.kept ?? transaction?.pending?.kept ?? [],
  };
}

function requireKnown(said: Said, schemas: DatabaseSchemas | undefined, dataDir: string): void {
  if (schemas === undefined || said.schemas === undefined) return;
  const newer = (['main', 'events'] as const).find((name) => (schemas[name] ?? 0) > said.schemas![name]);
  if (newer === undefined) return;
  throw new UserError(
    'install/newer-database',
    `the database in ${dataDir} has schema ${schemas[newer]}; ${said.version} knows schemas up to ${said.schemas[newer]}`,
    { hint: 'A newer launchwarden wrote it: install that version or a later one. Nothing was changed.' },
  );
}

function isOlder(schemas: DatabaseSchemas | undefined, said: Said | undefined): boolean {
  if (schemas === undefined || said?.schemas === undefined) return false;
  const { main, events } = said.schemas;
  return (schemas.main ?? main) < main || (schemas.events ?? events) < events;
}
