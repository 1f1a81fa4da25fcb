import path from 'node:path';
import { UserError } from '../base/errors.js';
import { RootMap } from '../base/root.js';
import { checkTrust, type Settings } from '../config/index.js';
import { bootOut, bootstrap, calls, enable, macLaunchctl } from './launchctl.js';
import { checkProgram } from './ownership.js';
import { placeFile, placeFolder, removeFile } from './place.js';
import { placed, places } from './places.js';
import { renderJob, renderLogRotation } from './render.js';
import type { Step } from './steps.js';
import type { System } from './system.js';

export interface InstallOptions {
  readonly system: System;
  /** The folder that stands for a Mac's `/`, links resolved; undefined for this Mac. */
  readonly root: string | undefined;
  readonly dryRun: boolean;
  /** Absolute paths on this machine. */
  readonly program: { readonly node: string; readonly script: string };
  /** The settings that the job will have: what it reads and loads must be root's too. */
  readonly settings?: Settings;
  /** For the job, when they differ from the default places; absolute paths on this machine. */
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
}

export type UninstallOptions = Pick<InstallOptions, 'system' | 'root' | 'dryRun'>;

function requireRights({ system, root, dryRun }: UninstallOptions): void {
  if (root !== undefined) return;
  if (system.platform !== 'darwin') {
    throw new UserError('install/not-a-mac', 'this is not a Mac: there is no launchd here', {
      hint: 'Add --root DIR to write the files into a folder that stands for a Mac, or --dry-run with it to look first.',
    });
  }
  if (system.uid !== 0 && !dryRun) {
    throw new UserError('install/needs-root', 'a launch daemon is installed by root', {
      hint: 'Use sudo, or --dry-run to see what would be done.',
    });
  }
}

/** Why launchctl is left alone, when it is. */
function noLaunchd({ system, root }: UninstallOptions): string | undefined {
  if (system.platform !== 'darwin') return 'not on a Mac';
  return root === undefined ? undefined : "the job in a --root tree is not this Mac's";
}

function launchctlStep(call: readonly string[], how: Pick<Step, 'skipped' | 'run'>): Step {
  return { does: `run ${call.join(' ')}`, ...how };
}

/**
 * What has to be done, in order, after everything has been checked: nothing is written here. Throws a UserError:
 * `install/unsafe-path` when anybody but root could change what the job runs, `config/unsafe-path` when what it reads,
 * `install/needs-root`, `install/not-a-mac`.
 */
export function planInstall(options: InstallOptions): Step[] {
  requireRights(options);
  const { system, root, program, config, dataDir, settings } = options;
  checkProgram(system, program);
  // Of a tree that stands for a Mac, owners and modes are not the Mac's.
  if (settings !== undefined && root === undefined) checkTrust(settings, system);
  const map = new RootMap(root);
  const inside = (file: string | undefined) =>
    file !== undefined && map.contains(file) ? map.toMac(file) : file;
  const job = renderJob({
    node: inside(program.node)!,
    script: inside(program.script)!,
    config: inside(config),
    dataDir: inside(dataDir),
  });
  const asRoot = system.uid === 0;
  const owner = asRoot ? 'root:wheel' : 'not root:wheel, since we are not root';
  const skipped = noLaunchd(options);
  const jobFile = placed(places.job, root);

  const folder = (macPath: string): Step => ({
    does: `make the folder ${placed(macPath, root)} (0755)`,
    run: () => placeFolder(placed(macPath, root), root),
  });
  const file = (macPath: string, content: string): Step => ({
    does: `write ${placed(macPath, root)} (0644, ${owner})`,
    detail: content,
    run: () => placeFile(placed(macPath, root), content, { asRoot }),
  });
  return [
    folder(places.home),
    folder(places.logs),
    ...[places.job, places.logRotation].map((one) => folder(path.posix.dirname(one))),
    file(places.logRotation, renderLogRotation()),
    launchctlStep(calls.bootout(macLaunchctl), { skipped, run: () => bootOut(system, macLaunchctl) }),
    file(places.job, job),
    launchctlStep(calls.enable(macLaunchctl), { skipped, run: () => enable(system, macLaunchctl) }),
    launchctlStep(calls.bootstrap(macLaunchctl, jobFile), {
      skipped,
      run: () => bootstrap(system, macLaunchctl, jobFile),
    }),
  ];
}

/** The reverse. What belongs to people (configuration, data, logs) stays: `leftBehind` names it. */
export function planUninstall(options: UninstallOptions): Step[] {
  requireRights(options);
  const { system, root } = options;
  const remove = (macPath: string): Step => ({
    does: `remove ${placed(macPath, root)}`,
    run: () => removeFile(placed(macPath, root), root),
  });
  return [
    launchctlStep(calls.bootout(macLaunchctl), {
      skipped: noLaunchd(options),
      run: () => bootOut(system, macLaunchctl),
    }),
    remove(places.job),
    remove(places.logRotation),
  ];
}

/** What uninstalling leaves, as paths of this machine. */
export function leftBehind(root: string | undefined): string[] {
  return [places.home, places.logs].map((one) => placed(one, root));
}
