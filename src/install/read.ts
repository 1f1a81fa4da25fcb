import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import { readOwn } from '../base/journal-file.js';
import { type JobState, macLaunchctl, readJob } from './launchctl.js';
import { differences, type Manifest, manifestName, maxManifestBytes, parseManifest } from './manifest.js';
import { jobLabel, jobProgram, placed, places } from './places.js';
import { renderJob } from './render.js';
import { currentVersion, readState, stateErrors, versionId } from './state.js';
import type { System } from './system.js';

/** How the job on the disk stands to the one that would be written now. */
export type JobFile =
  /** There is none. */
  | { readonly state: 'missing' }
  | { readonly state: 'same' }
  /** Somebody changed it, or it is of another version; `expected` and `found` are its whole text. */
  | { readonly state: 'differs'; readonly expected: string; readonly found: string }
  /** It is a link or no file, belongs to somebody else, or cannot be read: `reason` says which. */
  | { readonly state: 'unsafe'; readonly reason: string };

export interface InstalledVersion {
  /** Name of its folder. */
  readonly id: string;
  /** Undefined when it has no manifest that can be read. */
  readonly version?: string;
  readonly isCurrent: boolean;
}

/** What is installed on this Mac or in a tree, as far as it can be read. */
export interface Installation {
  /** Undefined when `current` leads to no version. */
  readonly current?: string;
  readonly versions: readonly InstalledVersion[];
  readonly jobFile: JobFile;
  /** Undefined where there is no launchd to ask. */
  readonly job?: JobState;
  /** An installation, upgrade or removal was cut off; the next one finishes it or takes it back. */
  readonly cutOff: boolean;
}

const maxJobBytes = 256 * 1024;

/** Reads what is installed; changes nothing. Throws `install/unsafe-path` for a state file that is not ours. */
export function readInstallation(system: System, root: string | undefined): Installation {
  const current = currentVersion(root);
  const launchctl = launchctlFor(system, root);
  return {
    ...(current === undefined ? {} : { current }),
    versions: installedVersions(root),
    jobFile: readJobFile(root),
    ...(launchctl === undefined ? {} : { job: readJob(system, launchctl) }),
    cutOff: exists(placed(places.journal, root)),
  };
}

export function installedVersions(root: string | undefined): InstalledVersion[] {
  const current = currentVersion(root);
  return versionFolders(root).map((id) => {
    const version = readManifest(id, root)?.version;
    return { id, ...(version === undefined ? {} : { version }), isCurrent: id === current };
  });
}

/** Names of the versions' folders, whole or not. */
export function versionFolders(root: string | undefined): string[] {
  try {
    return readdirSync(placed(places.versions, root))
      .filter((name) => versionId.test(name))
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

export function versionFolder(id: string, root: string | undefined): string {
  return path.join(placed(places.versions, root), id);
}

/** Undefined when there is none, or it is not one that only we can have written. */
export function readManifest(id: string, root: string | undefined): Manifest | undefined {
  try {
    const file = path.join(versionFolder(id, root), manifestName);
    const text = readOwn(file, stateErrors, maxManifestBytes);
    return text === undefined ? undefined : parseManifest(text);
  } catch {
    return undefined;
  }
}

/** How an installed version differs from what was installed, one sentence each. Reads and hashes all of its files. */
export function versionProblems(id: string, root: string | undefined): string[] {
  const manifest = readManifest(id, root);
  return manifest === undefined
    ? [`${manifestName} is missing or was changed`]
    : differences(versionFolder(id, root), manifest);
}

export function readJobFile(root: string | undefined): JobFile {
  const file = placed(places.job, root);
  try {
    const found = readOwn(file, stateErrors, maxJobBytes);
    if (found === undefined) return { state: 'missing' };
    const expected = renderJob({ ...jobProgram, ...readState(root)?.written });
    return found === expected ? { state: 'same' } : { state: 'differs', expected, found };
  } catch (error) {
    return { state: 'unsafe', reason: messageOf(error) };
  }
}

/** Why launchd has no part in an installation into a tree. */
export const noStandIn = 'the tree has no /bin/launchctl that stands for launchd';

/**
 * The launchctl of this Mac, or the stand-in for it in a tree; undefined where there is none, and then launchd has no part
 * in it.
 */
export function launchctlFor(system: System, root: string | undefined): string | undefined {
  if (root === undefined) return system.platform === 'darwin' ? macLaunchctl : undefined;
  const program = placed(macLaunchctl, root);
  try {
    const facts = lstatSync(program);
    if (!facts.isFile() || (facts.mode & 0o111) === 0) return undefined;
    // One that says yes to everything plays launchctl, and no launchd is behind it.
    const { status } = system.run(program, ['print', `system/${jobLabel}.none`]);
    return status === 0 ? undefined : program;
  } catch {
    return undefined;
  }
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
