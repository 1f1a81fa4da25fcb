import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { things } from '../base/count.js';
import { errnoOf, messageOf } from '../base/errors.js';
import { type PlistValue, readPlist } from '../base/plist/index.js';
import { placed, places } from '../install/index.js';
import type { DoctorSystem } from './system.js';

/** The installed job's own file, bounded. `args`: ProgramArguments. */
export type JobOnDisk =
  | { readonly state: 'none'; readonly file: string }
  | { readonly state: 'unreadable'; readonly file: string; readonly reason: string }
  | {
      readonly state: 'read';
      readonly file: string;
      readonly text: string;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
      readonly value: PlistValue;
      readonly args: readonly string[];
    };

/** The folder that stands for a Mac; undefined for this Mac. */
export function treeOf({ root }: Pick<DoctorSystem, 'root'>): string | undefined {
  return root.simulated ? root.root : undefined;
}

const maxBytes = 256 * 1024;

export function jobOnDisk({ root }: Pick<DoctorSystem, 'root'>): JobOnDisk {
  const file = placed(places.job, treeOf({ root }));
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { state: 'unreadable', file, reason: 'it is not a regular file' };
    if (stat.size > maxBytes)
      return { state: 'unreadable', file, reason: `it has ${things(stat.size, 'byte')}` };
    const bytes = Buffer.alloc(stat.size);
    const read = readSync(descriptor, bytes, 0, bytes.length, 0);
    const plist = readPlist(bytes.subarray(0, read));
    if (!plist.ok) return { state: 'unreadable', file, reason: plist.detail };
    const { uid, gid, mode } = stat;
    const written = topLevel(plist.value, 'ProgramArguments');
    const args = Array.isArray(written) ? written.filter((one) => typeof one === 'string') : [];
    return {
      state: 'read',
      file,
      text: bytes.toString('utf8', 0, read),
      uid,
      gid,
      mode: mode & 0o7777,
      value: plist.value,
      args,
    };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'none', file };
    const reason = code === 'ELOOP' ? 'it is a link' : messageOf(error);
    return { state: 'unreadable', file, reason };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A value of the outermost dictionary. */
export function topLevel(value: PlistValue, key: string): unknown {
  return value instanceof Map ? value.get(key) : undefined;
}
