import { lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf, reasonOf, UserError } from '../base/errors.js';
import { checkSource, type Program } from './ownership.js';
import type { Parts, Surroundings } from './parts.js';
import { launchctlFor } from './read.js';
import { isPayload, openSource, ownSource, type Source, sourceFiles } from './source.js';
import type { System } from './system.js';
import { unpackTar } from './unpack-tar.js';

export interface PlaceOptions {
  readonly system: System;
  /** The folder that stands for a Mac's `/`, links resolved; undefined for this Mac. */
  readonly root: string | undefined;
  readonly dryRun: boolean;
}

/** Throws a UserError: `install/needs-root`, `install/not-a-mac`. */
export function requireRights({ system, root, dryRun }: PlaceOptions): void {
  if (root !== undefined) return;
  if (system.platform !== 'darwin') {
    throw new UserError('install/not-a-mac', 'this is not a Mac: there is no launchd here', {
      hint: 'Add --root DIR to install into a folder that stands for a Mac, or --dry-run with it to look first.',
    });
  }
  if (system.uid !== 0 && !dryRun) {
    throw new UserError('install/needs-root', 'a launch daemon is installed by root', {
      hint: 'Use sudo, or --dry-run to see what would be done.',
    });
  }
}

export function surroundingsOf(options: PlaceOptions, parts: Parts): Surroundings {
  requireRights(options);
  const { system, root } = options;
  return { system, root, launchctl: launchctlFor(system, root), asRoot: system.uid === 0, parts };
}

/**
 * Calls `use` with the version that `from` names, a folder or a tar archive, or with the program that runs us; what was
 * unpacked is removed afterwards. Throws `install/unsafe-path`, `install/other-platform`, and what `openSource` throws.
 */
export async function withSource<T>(
  at: Surroundings,
  { from, program }: { readonly from: string | undefined; readonly program: Program },
  use: (source: Source) => Promise<T>,
): Promise<T> {
  // The way to what runs us counts, links and all.
  checkSource(at.system, from === undefined ? [program.node, program.script] : [program.node], '');
  const node = realpathSync(program.node);
  const checked = (source: Source) => {
    checkSource(at.system, sourceFiles(source), node);
    requirePlatform(at, source);
    return use(source);
  };
  if (from === undefined) return checked(ownSource({ node, script: realpathSync(program.script) }));
  if (statOf(from).isDirectory()) return checked(openSource(realpathSync(from), node));
  checkSource(at.system, [from], node);
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launchwarden-payload-')));
  try {
    await unpackTar(from, folder);
    return await checked(openSource(innerFolder(folder), node));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Archives often have one outermost folder. */
function innerFolder(folder: string): string {
  const [only, ...more] = readdirSync(folder);
  const inner = path.join(folder, only ?? '');
  return !isPayload(folder) && more.length === 0 && lstatSync(inner).isDirectory() ? inner : folder;
}

function statOf(from: string) {
  try {
    return statSync(from);
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'is not there' : `cannot be read: ${reasonOf(error)}`;
    throw new UserError('install/not-a-payload', `${from} ${reason}`, {
      hint: 'Name the folder or the tar archive of a version.',
    });
  }
}

/** A version for another system can be placed in a tree that nothing starts from. */
function requirePlatform({ root, launchctl }: Surroundings, { origin, manifest }: Source): void {
  if (root !== undefined && launchctl === undefined) return;
  const { platform, arch } = manifest;
  if (platform === process.platform && arch === process.arch) return;
  throw new UserError(
    'install/other-platform',
    `${origin} is for ${platform} on ${arch}; this is ${process.platform} on ${process.arch}`,
    { hint: 'Fetch the one for this machine.' },
  );
}
