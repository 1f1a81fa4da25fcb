import { closeSync, fsyncSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, isDenied } from '../base/errors.js';
import type { FileCalls, ObjectFacts } from '../base/file-calls.js';
import { makeOwnFolder } from '../base/journal-file.js';
import { closeLooked, type Looked, lookAt, metadataOf } from './content.js';
import { copyObject, type Named, removeObject } from './copy.js';
import { journalErrors } from './errors.js';
import { type HeldPlace, holdPlace, openChain, Refused } from './held.js';
import type { Machine } from './machine.js';
import type { Deed, Metadata, Outcome } from './plan.js';
import { respondFolder } from './response.js';

export type Move = Extract<Deed, { readonly kind: 'move' }>;

/** Names in a box: the object; a copy that is not whole yet; what came in the place of the object meanwhile. */
const object = 'object';
const part = 'part';
const other = 'other';

/** chflags(1): user and system, immutable and append-only. They keep even root from renaming. */
const locking = 0x2 | 0x4 | 0x20000 | 0x40000;

interface Box extends HeldPlace {
  readonly folder: number;
}

/** Opens the folder of a response in the quarantine, private to us; made when missing. */
export function openBox(machine: Machine, box: string): Box {
  const folder = path.join(respondFolder(realpathSync(machine.dataDir)), 'quarantine', box);
  makeOwnFolder(path.dirname(folder), journalErrors);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const held = openChain(machine.files, folder.split('/').filter(Boolean), folder);
  return { folder: held, name: object, close: () => closeSync(held) };
}

/** How an object is called in its own folder while it is copied to or from another volume. */
const asideName = (box: string) => `.launchwarden-${box}`;

function isSame(
  a: Pick<ObjectFacts, 'dev' | 'ino'>,
  b: Pick<ObjectFacts, 'dev' | 'ino'> | undefined,
): boolean {
  return b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/**
 * Moves an object from its place into the quarantine. Can be called again after a crash at any moment: what was done is
 * recognised, and the rest done. An object that is exchanged meanwhile is put back.
 */
export async function moveIn(machine: Machine, move: Move): Promise<Outcome> {
  const { files } = machine;
  const box = openBox(machine, move.box);
  const copied: string[] = [];
  let place: HeldPlace | undefined;
  try {
    place = holdPlace(machine, move.path);
    const aside = { folder: place.folder, name: asideName(move.box) };
    const boxed = files.statAt(box.folder, object);
    if (boxed === undefined && files.statAt(aside.folder, aside.name) === undefined) {
      const now = files.statAt(place.folder, place.name);
      if (now === undefined)
        return { state: 'failed', says: `${move.path} is gone: somebody else moved it away` };
      if (!isSame(move.was, now))
        return { state: 'refused', says: `${move.path} was exchanged for another object` };
      unlock(files, place, move.was);
      const problem = rename(files, place, box) ?? exchangedIn(files, { move, box, place });
      if (problem === 'EXDEV') {
        const failure = await copyIn(files, { move, box, place }, copied);
        if (failure !== undefined) return failure;
      } else if (problem !== undefined) return problem;
    } else if (boxed === undefined || boxed.dev !== move.was.dev) {
      const failure = await copyIn(files, { move, box, place }, copied);
      if (failure !== undefined) return failure;
    } else if (!isSame(move.was, boxed)) {
      const exchanged = exchangedIn(files, { move, box, place });
      if (exchanged !== undefined) return exchanged;
    }
    sync(place, box);
    return await arrived(machine, move, { box, place, copied });
  } catch (error) {
    return failureOf(error, move.path);
  } finally {
    place?.close();
    box.close();
  }
}

interface Moving {
  readonly move: Move;
  readonly box: Box;
  readonly place: HeldPlace;
}

/** Undefined when it was moved; `EXDEV` when the quarantine is on another volume. */
function rename(files: FileCalls, from: Named, to: Named): 'EXDEV' | undefined {
  try {
    files.rename(from.folder, from.name, to.folder, to.name);
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'EXDEV') return 'EXDEV';
    throw error;
  }
}

/** What arrived is not what was looked at: it goes back, or stays beside where its place is taken by now. */
function exchangedIn(files: FileCalls, { move, box, place }: Moving): Outcome | undefined {
  if (isSame(move.was, files.statAt(box.folder, object))) return undefined;
  try {
    files.rename(box.folder, object, place.folder, place.name);
    return {
      state: 'refused',
      says: `${move.path} was exchanged for another object while it was moved, which was put back`,
    };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const name = freeName(files, box);
  files.rename(box.folder, object, box.folder, name);
  return {
    state: 'refused',
    says: `${move.path} was exchanged twice while it was moved: one of the objects is kept in the quarantine as ${move.box}/${name}`,
  };
}

/** To another volume: aside first, so that nobody exchanges it while it is copied; removed when the copy is on the disk. */
async function copyIn(
  files: FileCalls,
  { move, box, place }: Moving,
  notes: string[],
): Promise<Outcome | undefined> {
  const aside = { folder: place.folder, name: asideName(move.box) };
  if (files.statAt(aside.folder, aside.name) === undefined && files.statAt(box.folder, object) === undefined)
    files.rename(place.folder, place.name, aside.folder, aside.name);
  const set = files.statAt(aside.folder, aside.name);
  if (set !== undefined && !isSame(move.was, set))
    return {
      state: 'refused',
      says: `${move.path} was exchanged for another object while it was moved, which ${await backFromAside(files, { move, box, place })}`,
    };
  if (files.statAt(box.folder, object) === undefined) {
    try {
      removeObject(files, { folder: box.folder, name: part });
      notes.push(...leftOutText(await copyObject(files, aside, { folder: box.folder, name: part })));
      files.rename(box.folder, part, box.folder, object);
      fsyncSync(box.folder);
    } catch (error) {
      removeObject(files, { folder: box.folder, name: part });
      const { state, says } = failureOf(error, move.path);
      return { state, says: `${says}; it ${await backFromAside(files, { move, box, place })}` };
    }
  }
  try {
    removeObject(files, aside);
  } catch {
    // The copy is whole: what is left beside is told (`arrived`), and removed by undoing.
  }
  return undefined;
}

/** Puts what was set aside back where it was, or keeps it where its name is taken by now. Gives what became of it. */
async function backFromAside(files: FileCalls, { move, box, place }: Moving): Promise<string> {
  const aside = { folder: place.folder, name: asideName(move.box) };
  try {
    files.rename(aside.folder, aside.name, place.folder, place.name);
    return 'was put back';
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  try {
    const name = freeName(files, box);
    await copyObject(files, aside, { folder: box.folder, name });
    removeObject(files, aside);
    return `is kept in the quarantine as ${move.box}/${name}, since its name is taken`;
  } catch {
    return `is kept beside it as ${aside.name}, since its name is taken`;
  }
}

/** Whatever else was kept before stays as well. */
function freeName(files: FileCalls, box: Box): string {
  let name = other;
  for (let count = 2; files.statAt(box.folder, name) !== undefined; count++) name = `${other}-${count}`;
  return name;
}

/** Hashes what is in the quarantine now, and sets the times back that looking has moved. */
async function arrived(
  machine: Machine,
  move: Move,
  { box, place, copied }: Pick<Moving, 'box' | 'place'> & { readonly copied: readonly string[] },
): Promise<Outcome> {
  const { files } = machine;
  const looked = await lookAt(files, box, { content: true, keepTimes: true });
  if (looked === undefined) return { state: 'failed', says: `${move.path} did not arrive in the quarantine` };
  try {
    const { was } = move;
    if (looked.file !== undefined) files.setFacts(looked.file, was);
    else if (looked.type === 'symlink') files.setLinkFacts(box.folder, object, was);
    // What was left out is part of the digest.
    const changed = copied.length === 0 && was.sha256 !== undefined && was.sha256 !== looked.sha256;
    const { accessed, modified, changed: ctime, flags } = was;
    const now: Metadata = {
      ...metadataOf(looked),
      ...{ accessed, modified, changed: ctime },
      ...(flags === undefined ? {} : { flags }),
    };
    const notes = [
      ...copied,
      ...(changed ? ['its content changed while it was moved'] : []),
      ...(files.statAt(place.folder, asideName(move.box)) === undefined
        ? []
        : [
            `something that was written into it meanwhile is left beside its place as ${asideName(move.box)}`,
          ]),
      ...(looked.type === 'file' && looked.nlink > 1
        ? [
            `it has ${looked.nlink - 1} other ${looked.nlink === 2 ? 'name' : 'names'} (hard links), under which it can still be used`,
          ]
        : []),
    ];
    return {
      state: 'done',
      says: [`${move.path} is in the quarantine (${move.box})${hashText(looked)}`, ...notes].join('; '),
      deed: { ...move, was: now },
    };
  } finally {
    closeLooked(looked);
  }
}

/** What carries no content, and cannot be copied to another volume. */
function leftOutText(places: readonly string[]): string[] {
  if (places.length === 0) return [];
  const more = places.length > 5 ? ` and ${places.length - 5} more` : '';
  return [`left out, since it holds nothing that could be copied: ${places.slice(0, 5).join(', ')}${more}`];
}

function hashText({ sha256, type }: Pick<Looked, 'sha256' | 'type'>): string {
  if (sha256 === undefined) return '';
  return `, ${type === 'dir' ? 'digest' : 'sha256'} ${sha256}`;
}

/** Whether `moveOut` could be done now. Changes nothing. */
export async function checkOut(machine: Machine, move: Move): Promise<Outcome> {
  const box = openBox(machine, move.box);
  let place: HeldPlace | undefined;
  try {
    place = holdPlace(machine, move.path);
    const found = await findOut(machine.files, { move, box, place });
    return found.outcome ?? { state: 'done', says: `put ${move.path} back at its place` };
  } catch (error) {
    return failureOf(error, move.path);
  } finally {
    place?.close();
    box.close();
  }
}

/** What is in the quarantine, what stands at the place, and why the one cannot become the other. */
async function findOut(
  files: FileCalls,
  { move, box, place }: Moving,
): Promise<{ readonly boxed?: Looked; readonly isPlaced: boolean; readonly outcome?: Outcome }> {
  const boxed = await lookAt(files, box, { content: true, keepTimes: true });
  closeLooked(boxed);
  const placed = await lookAt(files, place, {
    content: files.statAt(place.folder, place.name)?.dev !== move.was.dev,
  });
  closeLooked(placed);
  // What is in the quarantine may be half removed already: the record tells.
  if (placed !== undefined && isMoved(move.was, placed)) return { isPlaced: true };
  if (placed !== undefined)
    return {
      isPlaced: false,
      outcome: {
        state: 'refused',
        says: `${move.path} is taken: something else stands there now. It stays in the quarantine`,
      },
    };
  if (boxed === undefined)
    return {
      isPlaced: false,
      outcome: { state: 'failed', says: `${move.path} is neither in the quarantine nor at its place` },
    };
  if (move.was.sha256 !== undefined && boxed.sha256 !== move.was.sha256)
    return {
      isPlaced: false,
      outcome: {
        state: 'refused',
        says: `what is in the quarantine (${move.box}) is not what was put there: its sha256 is ${boxed.sha256 ?? 'unknown'} now`,
      },
    };
  return { boxed, isPlaced: false };
}

/** Moves an object from the quarantine to its place, where nothing may stand. Can be called again, as `moveIn`. */
export async function moveOut(machine: Machine, move: Move): Promise<Outcome> {
  const { files } = machine;
  const box = openBox(machine, move.box);
  let place: HeldPlace | undefined;
  try {
    place = holdPlace(machine, move.path);
    const { boxed, isPlaced, outcome } = await findOut(files, { move, box, place });
    if (outcome !== undefined) {
      // Of an attempt that was cut off: the object is whole in the quarantine.
      if (outcome.state === 'refused')
        removeObject(files, { folder: place.folder, name: asideName(move.box) });
      return outcome;
    }
    if (!isPlaced && boxed !== undefined) {
      if (boxed.file !== undefined || boxed.type === 'symlink') await machine.willPlace(move.path, boxed.ino);
      if (rename(files, box, place) === 'EXDEV') await copyOut(machine, { move, box, place });
    }
    // After a crash, or a copy.
    removeObject(files, { folder: box.folder, name: object });
    removeObject(files, { folder: place.folder, name: asideName(move.box) });
    lockAgain(files, place, move.was);
    sync(place, box);
    const { dev, ino } = files.statAt(place.folder, place.name) ?? move.was;
    return {
      state: 'done',
      says: `${move.path} is back at its place`,
      deed: { ...move, was: { ...move.was, dev, ino } },
    };
  } catch (error) {
    return failureOf(error, move.path);
  } finally {
    place?.close();
    box.close();
  }
}

async function copyOut(machine: Machine, { move, box, place }: Moving): Promise<void> {
  const { files } = machine;
  const aside = { folder: place.folder, name: asideName(move.box) };
  removeObject(files, aside);
  try {
    await copyObject(files, box, aside);
    const made = files.statAt(aside.folder, aside.name);
    if (made !== undefined) await machine.willPlace(move.path, made.ino);
    files.rename(aside.folder, aside.name, place.folder, place.name);
  } catch (error) {
    // It is whole in the quarantine: nothing half done stays beside its place.
    removeObject(files, aside);
    throw error;
  }
  fsyncSync(place.folder);
}

/** By a rename before a crash, or by a copy before one. */
function isMoved(was: Metadata, placed: Looked): boolean {
  return isSame(was, placed) || isCopied(was, placed);
}

function isCopied(was: Metadata, placed: Looked): boolean {
  return (
    was.dev !== placed.dev &&
    was.sha256 !== undefined &&
    was.sha256 === placed.sha256 &&
    was.modified === placed.modified &&
    was.uid === placed.uid
  );
}

function unlock(files: FileCalls, place: Named, { type, flags = 0 }: Metadata): void {
  if ((flags & locking) === 0 || (type !== 'file' && type !== 'dir')) return;
  const file =
    type === 'dir' ? files.openFolder(place.folder, place.name) : files.openFile(place.folder, place.name);
  try {
    files.setFlags(file, flags & ~locking);
  } finally {
    closeSync(file);
  }
}

function lockAgain(files: FileCalls, place: Named, { type, flags = 0 }: Metadata): void {
  if ((flags & locking) === 0 || (type !== 'file' && type !== 'dir')) return;
  const file =
    type === 'dir' ? files.openFolder(place.folder, place.name) : files.openFile(place.folder, place.name);
  try {
    files.setFlags(file, flags);
  } finally {
    closeSync(file);
  }
}

function sync(place: HeldPlace, box: Box): void {
  fsyncSync(box.folder);
  try {
    fsyncSync(place.folder);
  } catch {
    // A volume that cannot: what was moved away is in the quarantine all the same.
  }
}

/** What went wrong as an outcome: nothing is left half done by it. */
export function failureOf(error: unknown, macPath: string): Outcome {
  if (error instanceof Refused) return { state: 'refused', says: error.message };
  const code = errnoOf(error);
  if (isDenied(error) || code === 'EROFS')
    return {
      state: 'failed',
      says: `${macPath}: the system does not allow it (${code}); System Integrity Protection, a read-only volume, or missing rights (sudo, Full Disk Access)`,
    };
  if (code === 'EEXIST') return { state: 'refused', says: `${macPath}: something else stands there now` };
  return { state: 'failed', says: `${macPath}: ${error instanceof Error ? error.message : String(error)}` };
}
