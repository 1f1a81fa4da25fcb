import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, writeSync } from 'node:fs';
import { things } from '../../base/count.js';
import type { FileCalls } from '../../base/file-calls.js';
import { type BundleEntry, manifestOf, type Version } from '../../store/index.js';
import { closeLooked, lookAt, metadataOf } from '../content.js';
import { type Named, removeObject } from '../copy.js';
import type { Executor } from '../executor.js';
import { Refused } from '../held.js';
import type { Machine } from '../machine.js';
import { failureOf, moveOut, openBox } from '../move.js';
import type { StepOf } from '../plan.js';
import { sealed } from '../sealed.js';
import { again } from './quarantine.js';

export const place: Executor<'place'> = {
  does: ({ path, version, sha256 }) =>
    `put version #${version} of ${path} in its place${sha256 === undefined ? '' : ` (sha256 ${sha256})`}`,
  check(step, machine) {
    try {
      const { version } = stored(step, machine);
      return Promise.resolve({
        state: 'done',
        says: `version #${version.id}, ${things(version.size, 'byte')}, is kept whole`,
      });
    } catch (error) {
      return Promise.resolve(failureOf(error, step.path));
    }
  },
  async run(step, { machine, box: boxName, will }) {
    try {
      const { version, bytes } = stored(step, machine);
      const box = openBox(machine, boxName);
      try {
        // Of an attempt that was cut off.
        removeObject(machine.files, { folder: box.folder, name: box.name });
        build(machine, version, { bytes, at: box });
        fsyncSync(box.folder);
        const looked = await lookAt(machine.files, box, { content: true, keepTimes: true });
        closeLooked(looked);
        if (looked === undefined) return { state: 'failed', says: `${step.path} could not be made` };
        const move = {
          kind: 'move',
          path: step.path,
          box: boxName,
          was: metadataOf(looked),
          way: 'out',
        } as const;
        will(move);
        const outcome = await moveOut(machine, move);
        return outcome.state === 'done'
          ? { ...outcome, says: `version #${step.version} stands at ${step.path}` }
          : outcome;
      } finally {
        box.close();
      }
    } catch (error) {
      return failureOf(error, step.path);
    }
  },
  resume: (deed, _step, { machine }) => again(deed, machine, 'out'),
  checkUndo: (deed) =>
    Promise.resolve(
      deed.kind === 'move'
        ? { state: 'done', says: `move ${deed.path} into the quarantine` }
        : { state: 'failed', says: 'its journal is damaged' },
    ),
  undo: (deed, machine) => again(deed, machine, 'in'),
};

interface Stored {
  readonly version: Version;
  readonly bytes: Uint8Array;
}

/** Throws `Refused` when the version cannot be put anywhere as it was. */
function stored({ path, version: id, sha256 }: StepOf<'place'>, machine: Machine): Stored {
  const why = sealed(path);
  if (why !== undefined) throw new Refused(`${path} ${why}`);
  const found = machine.version(id);
  if (found === undefined) throw new Refused(`version #${id} is not stored any more`);
  const { version } = found;
  if (version.path !== path) throw new Refused(`version #${id} is of ${version.path}`);
  if (sha256 !== undefined && version.sha256 !== sha256)
    throw new Refused(`version #${id} is another one by now`);
  if (version.type === 'symlink')
    throw new Refused(
      `version #${id} is of a symbolic link, and none is made: what it led to may be another file by now`,
    );
  const bytes = wholeBytes(found.bytes, version.sha256, `version #${id}`);
  if (version.kind === 'bundle') checkManifest(bytes, id, machine);
  return { version, bytes };
}

function wholeBytes(
  kept: ReturnType<Machine['bytes']>,
  sha256: string | undefined,
  what: string,
): Uint8Array {
  if (kept === undefined || sha256 === undefined) throw new Refused(`the bytes of ${what} are not kept`);
  if (kept.content.truncated) throw new Refused(`only the beginning of ${what} is kept`);
  const { bytes } = kept.content;
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new Refused(`what is kept of ${what} is damaged: its hash is another one`);
  return bytes;
}

function checkManifest(bytes: Uint8Array, id: number, machine: Machine): void {
  const manifest = manifestOf(bytes);
  if (manifest === undefined) throw new Refused(`the manifest of version #${id} is damaged`);
  if (manifest.truncated) throw new Refused(`version #${id} holds more than was kept`);
  for (const { path, type, sha256 } of manifest.files) {
    const odd = path.split('/').some((part) => part === '' || part === '.' || part === '..');
    if (odd || type === 'other')
      throw new Refused(`version #${id} holds something that cannot be made: ${path}`);
    if (type === 'file') wholeBytes(sha256 === undefined ? undefined : machine.bytes(sha256), sha256, path);
  }
}

function build(
  machine: Machine,
  version: Version,
  { bytes, at }: { readonly bytes: Uint8Array; readonly at: Named },
): void {
  const { files } = machine;
  const { mode, uid, gid, mtime, xattrs = [] } = version;
  const facts = { mode, uid, gid, accessed: String(mtime), modified: String(mtime) };
  if (version.kind === 'bundle') {
    files.makeFolder(at.folder, at.name);
    const made = files.openFolder(at.folder, at.name);
    try {
      fillBundle(machine, made, manifestOf(bytes)?.files ?? []);
      setAttributes(files, made, xattrs);
      files.setFacts(made, facts);
      fsyncSync(made);
    } finally {
      closeSync(made);
    }
    return;
  }
  const made = files.createFile(at.folder, at.name);
  try {
    writeAll(made, bytes);
    setAttributes(files, made, xattrs);
    files.setFacts(made, facts);
    fsyncSync(made);
  } finally {
    closeSync(made);
  }
}

/** Attributes of which only the beginning is kept are left out. */
function setAttributes(files: FileCalls, file: number, xattrs: NonNullable<Version['xattrs']>): void {
  for (const { name, value, size } of xattrs)
    if (value.byteLength === size) files.setAttribute(file, name, Buffer.from(value));
}

/** Folders come before what is in them; their times are set last. */
function fillBundle(machine: Machine, top: number, entries: readonly BundleEntry[]): void {
  const { files } = machine;
  const folders: { readonly fd: number; readonly entry: BundleEntry }[] = [];
  const open = new Map<string, number>([['', top]]);
  try {
    for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const cut = entry.path.lastIndexOf('/');
      const folder = open.get(cut === -1 ? '' : entry.path.slice(0, cut));
      const name = entry.path.slice(cut + 1);
      if (folder === undefined) throw new Refused(`the folder of ${entry.path} is not in the manifest`);
      if (entry.type === 'dir') {
        files.makeFolder(folder, name);
        const fd = files.openFolder(folder, name);
        open.set(entry.path, fd);
        folders.push({ fd, entry });
      } else if (entry.type === 'symlink') {
        files.makeLink(folder, name, entry.link ?? '');
        files.setLinkFacts(folder, name, factsOf(entry));
      } else {
        const fd = files.createFile(folder, name);
        try {
          writeAll(fd, machine.bytes(entry.sha256 ?? '')?.content.bytes ?? Buffer.alloc(0));
          files.setFacts(fd, factsOf(entry));
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
      }
    }
    for (const { fd, entry } of folders.reverse()) files.setFacts(fd, factsOf(entry));
  } finally {
    for (const { fd } of folders) closeSync(fd);
  }
}

function factsOf({ mode, uid, gid, mtime }: BundleEntry) {
  return { mode: Number.parseInt(mode, 8) & 0o7777, uid, gid, accessed: mtime, modified: mtime };
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
}
