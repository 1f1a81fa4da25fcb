import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, UserError } from '../base/errors.js';
import { type JournalErrors, readOwn } from '../base/journal-file.js';
import { placed, places } from './places.js';

export const stateSchema = 'launchwarden.install/1';

/** What the job's command line names besides the program; absolute paths as the job has them. */
export interface Written {
  readonly config?: string;
  readonly dataDir?: string;
}

/** What is installed: `install.json`, written when an installation or upgrade has ended well. */
export interface InstallState {
  /** Name of the folder below `versions`; undefined after an uninstall that left the data. */
  readonly current?: string;
  /** The one before, kept so that one can go back to it. */
  readonly previous?: string;
  readonly written: Written;
  /** Folders that were made for us and go when they are empty; macOS paths, outermost first. */
  readonly made: readonly string[];
  /** What stood in our folders before the first installation, and stays when everything else goes; macOS paths. */
  readonly kept: readonly string[];
}

/** A version's folder name: `0.1.0-3f9a01c2b4d5`. Nothing else is ever removed from `versions`. */
export const versionId = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}-[0-9a-f]{12}$/;

export const stateErrors: JournalErrors = {
  unsafe: (place, reason, cause) =>
    new UserError('install/unsafe-path', `${place} ${reason}: it tells root what to remove and to run`, {
      hint: 'Whoever wrote it could lead root astray: look at it, move it away, and install again.',
      cause,
    }),
  unwritable: (file, reason, cause) =>
    new UserError('install/cannot-write', `${file} cannot be written: ${reason}`, {
      hint: 'Installing needs root and room on the disk. Nothing was changed.',
      cause,
    }),
};

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** Undefined when nothing is installed, or what stands there cannot be read (`stateProblem`). Throws `install/unsafe-path`. */
export function readState(root: string | undefined): InstallState | undefined {
  const value = stateValue(root);
  if (value === undefined || typeof value === 'string') return undefined;
  const { current, previous } = value;
  const id = (one: unknown): one is string => typeof one === 'string' && versionId.test(one);
  return {
    ...(id(current) ? { current } : {}),
    ...(id(previous) ? { previous } : {}),
    written: writtenOf(value['written']),
    made: strings(value['made']),
    kept: strings(value['kept']),
  };
}

/** Why what stands at `install.json` is of no use; undefined when it is, or there is none. Throws `install/unsafe-path`. */
export function stateProblem(root: string | undefined): string | undefined {
  const value = stateValue(root);
  return typeof value === 'string' ? value : undefined;
}

/** Undefined when there is no file, a text that says why it is of no use. */
function stateValue(root: string | undefined): Record<string, unknown> | string | undefined {
  const file = placed(places.state, root);
  const text = readOwn(file, stateErrors);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `${file} cannot be read: it is no JSON`;
  }
  const { schema } = (value ?? {}) as Record<string, unknown>;
  if (schema === stateSchema) return value as Record<string, unknown>;
  return `${file} cannot be read: it is not of the kind ${stateSchema}`;
}

export function writtenOf(value: unknown): Written {
  const { config, dataDir } = (value ?? {}) as Record<string, unknown>;
  return {
    ...(typeof config === 'string' ? { config } : {}),
    ...(typeof dataDir === 'string' ? { dataDir } : {}),
  };
}

export function stateText(state: InstallState): string {
  return `${JSON.stringify({ schema: stateSchema, ...state }, undefined, 2)}\n`;
}

/** Where `current` leads: the name of a version, undefined when there is no such link, or it leads elsewhere. */
export function currentVersion(root: string | undefined): string | undefined {
  const link = placed(places.current, root);
  try {
    if (!lstatSync(link).isSymbolicLink()) return undefined;
    const target = readlinkSync(link);
    const name = path.basename(target);
    return target === `${path.basename(places.versions)}/${name}` && versionId.test(name) ? name : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
