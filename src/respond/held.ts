import { closeSync } from 'node:fs';
import { errnoOf } from '../base/errors.js';
import type { FileCalls } from '../base/file-calls.js';
import type { Machine } from './machine.js';

/** A place that cannot be used as it is: said to the person, and the plan stops. */
export class Refused extends Error {}

/** There is no folder in which it could stand. */
export class Missing extends Refused {}

/** The open folder of a place, and the name in it. */
export interface HeldPlace {
  readonly folder: number;
  readonly name: string;
  close(): void;
}

/**
 * Opens the folder of a macOS path component by component and follows no link: whatever is exchanged later, calls with
 * the held folder reach this one. Throws `Refused` for a link on the way, and for what is no folder or is not there.
 */
export function holdPlace(machine: Machine, macPath: string): HeldPlace {
  const parts = machine.root.toHost(macPath).split('/').filter(Boolean);
  const name = parts.pop();
  if (name === undefined || name === '..') throw new Refused(`${macPath} is no place of a file`);
  const folder = openChain(machine.files, parts, macPath, (place) => machine.root.toMac(place));
  return { folder, name, close: () => closeSync(folder) };
}

/** Opens a folder of this machine, by its parts from the top. */
export function openChain(
  files: FileCalls,
  parts: readonly string[],
  about: string,
  shown = (place: string) => place,
): number {
  let held = files.openTop();
  for (const [index, part] of parts.entries()) {
    const above = held;
    try {
      held = files.openFolder(above, part);
    } catch (error) {
      const place = shown(`/${parts.slice(0, index + 1).join('/')}`);
      const code = errnoOf(error);
      if (code === 'ENOENT') throw new Missing(`${about} is not there: there is no folder ${place}`);
      if (code === 'ELOOP' || code === 'ENOTDIR')
        throw new Refused(
          files.statAt(above, part)?.type === 'symlink'
            ? `${place}, on the way to ${about}, is a symbolic link, and none is followed: name the place that it leads to`
            : `${place}, on the way to ${about}, is no folder`,
        );
      throw error;
    } finally {
      closeSync(above);
    }
  }
  return held;
}
