import { existsSync } from 'node:fs';
import path from 'node:path';
import { bootOut, bootstrap, enable, kickstart } from './launchctl.js';
import type { Surroundings } from './parts.js';
import { placeFile, placeLink, removeEmpty, removeFile, removeTree } from './place.js';
import { placed, places } from './places.js';
import { versionFolder } from './read.js';
import { namesIn } from './source.js';
import { readState, stateText } from './state.js';
import type { Pending, Transaction } from './transaction.js';

/**
 * Takes back what an installation or upgrade has begun: the version before, its job and its databases. Can be done again
 * when it is itself cut off. Nothing is lost: databases that a newer version wrote stay beside.
 */
export async function rollBack(at: Surroundings, transaction: Transaction, pending: Pending): Promise<void> {
  const { system, root, launchctl, asRoot, parts } = at;
  const { from, to, job, rotation, fresh, freshData, touched, saved, dataDir } = pending;
  if (launchctl !== undefined && touched) await bootOut(system, launchctl);
  // Before the version: an older one does not start on newer databases, and a newer one brings older ones up to date.
  const aside = asideOf(pending);
  if (touched && saved !== undefined && aside !== undefined) parts.databases.restore(dataDir, saved, aside);
  if (touched) {
    // A job that stands there always has something to run.
    const lead = () => {
      const current = placed(places.current, root);
      if (from === undefined) removeFile(current);
      else placeLink(current, currentTarget(from), { asRoot });
    };
    if (from !== undefined) lead();
    putBack(places.job, job, at);
    if (from === undefined) lead();
  }
  putBack(places.logRotation, rotation, at);
  if (launchctl !== undefined && touched && job !== undefined) await startJob(at, launchctl);
  if (to !== undefined) {
    removeTree(besideVersion(to, root));
    if (fresh && to !== from) removeTree(versionFolder(to, root));
  }
  const isFirst = from === undefined && job === undefined;
  // What a first installation made goes with it, its canary's alert too, unless its agent has found something.
  if (isFirst && freshData === true && existsSync(dataDir)) {
    // What a canary has left is journaled in there, and stays there when it could not be taken away.
    const isClean = await parts.cleanUp(dataDir, root).then(
      ({ left }) => left.length === 0,
      () => false,
    );
    if (isClean) parts.databases.discard(dataDir);
  }
  if (isFirst) removeVersions(root);
  removeMade(pending.made, root);
  if (isFirst) rememberMade(at, pending);
  transaction.end();
  removeMade(pending.made, root);
}

/** Where the data of a first installation stay, or its log, a later removal must know which folders were made for it. */
function rememberMade({ root, asRoot }: Surroundings, { made, kept }: Pending): void {
  if (leftOf(root, kept).length === 0) return;
  const state = readState(root);
  const all = [...new Set([...(state?.made ?? []), ...made])];
  placeFile(placed(places.state, root), stateText({ ...(state ?? { written: {}, kept }), made: all }), {
    asRoot,
  });
}

/** What is in our folders that is neither somebody else's nor a record of installing; macOS paths. */
export function leftOf(root: string | undefined, kept: readonly string[]): string[] {
  const records: readonly string[] = [places.state, places.journal];
  return [places.home, places.logs]
    .flatMap((folder) => namesIn(placed(folder, root)).map((name) => `${folder}/${name}`))
    .filter((place) => !records.includes(place) && !kept.includes(place));
}

/** Where databases that a version brought up to date are kept when it is taken back; undefined when none were saved. */
export function asideOf({ saved, dataDir, to }: Pending): string | undefined {
  return saved === undefined ? undefined : path.join(dataDir, `after-${to ?? 'upgrade'}`);
}

/** Loads the job that stands on the disk and starts it. */
export async function startJob({ system, root }: Surroundings, launchctl: string): Promise<void> {
  await enable(system, launchctl);
  await bootstrap(system, launchctl, placed(places.job, root));
  await kickstart(system, launchctl);
}

/** Where `current` leads for a version: relative, so that a tree can be moved. */
export function currentTarget(id: string): string {
  return `${path.basename(places.versions)}/${id}`;
}

/** Where a version is written before its folder gets its name. */
export function besideVersion(id: string, root: string | undefined): string {
  return path.join(placed(places.versions, root), `.${id}.new`);
}

function putBack(macPath: string, text: string | undefined, { root, asRoot }: Surroundings): void {
  const file = placed(macPath, root);
  if (text === undefined) removeFile(file);
  else placeFile(file, text, { asRoot });
}

/** What the lock leaves in the folder of the versions. */
const lockFiles: readonly string[] = ['lock.db', 'lock.db-journal', 'agent.pid'];

/** The folder of the versions, in which the lock stands, once there is none left. */
export function removeVersions(root: string | undefined): void {
  const folder = placed(places.versions, root);
  for (const name of lockFiles) removeFile(path.join(folder, name));
  removeEmpty(folder);
}

/**
 * Folders of a run that was killed before its journal began or after it ended: ours, with nothing in it, and those above it
 * that hold nothing else. macOS paths, outermost first.
 */
export function madeUnnoted(root: string | undefined): string[] {
  const { home, versions } = places;
  const names = namesIn(placed(home, root));
  if (names.some((name) => name !== path.posix.basename(versions))) return [];
  if (namesIn(placed(versions, root)).some((name) => !lockFiles.includes(name))) return [];
  const made: string[] = [home, versions].filter((one) => existsSync(placed(one, root)));
  if (made.length === 0) return [];
  for (let above = path.posix.dirname(home); above !== '/'; above = path.posix.dirname(above)) {
    if (namesIn(placed(above, root)).length > 1) break;
    made.unshift(above);
  }
  return made;
}

/** Folders that were made for us, the innermost first; what holds something stays. */
export function removeMade(made: readonly string[], root: string | undefined): void {
  removeEmpty(...[...made].reverse().map((folder) => placed(folder, root)));
}
