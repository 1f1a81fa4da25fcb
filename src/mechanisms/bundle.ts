import { itemOf } from './item.js';
import type { Mechanism, MechanismFile, PersistentItem, Place, When } from './mechanism.js';
import { runsOfBundle } from './read.js';
import type { TechniqueId } from './techniques.js';

/** A mechanism whose items are bundles that another program loads. */
export interface BundleMechanism {
  readonly id: string;
  readonly name: string;
  readonly knockKnock?: string;
  readonly techniques: readonly TechniqueId[];
  readonly places: readonly Place[];
  readonly when: readonly When[];
  /** User that the program which loads it runs as, where it is always the same. */
  readonly as?: string;
  /** What is to be done after the bundle is deleted, with the capital and the full stop of a sentence. */
  readonly afterwards: string;
}

export function bundleMechanism({ when, as, afterwards, ...rest }: BundleMechanism): Mechanism {
  return {
    ...rest,
    read: (file) => bundleItem(file, { when, as }),
    removal: (_item, { path }) => `Delete ${path}. ${afterwards}`,
  };
}

/** The one item of a bundle: its identifier, and the program that its Info.plist names. */
export function bundleItem(
  file: MechanismFile,
  { when, as }: { readonly when: readonly When[]; readonly as?: string | undefined },
): PersistentItem[] {
  const { runs, identifier, findings } = runsOfBundle(file);
  return [itemOf({ label: identifier ?? nameOf(file.path), runs, when, as, findings })];
}

/** Places of the same folder for the system and for each user, below a Library. */
export function libraryBundles(
  folder: string,
  extensions: readonly string[],
  { system = false } = {},
): readonly Place[] {
  const places: Place[] = [
    { scope: 'system', path: `/Library/${folder}`, what: 'bundles', extensions },
    { scope: 'home', path: `Library/${folder}`, what: 'bundles', extensions },
  ];
  return system
    ? [...places, { scope: 'system', path: `/System/Library/${folder}`, what: 'bundles', extensions }]
    : places;
}

/**
 * Places in every application of the system's folder and of each user's own. `watched: false` where the folder is one
 * that most applications have, and little of what stands there starts by itself.
 */
export function applicationBundles(
  folder: string,
  extensions: readonly string[],
  more: { readonly watched?: false } = {},
): readonly Place[] {
  return [
    { scope: 'system', path: `/Applications/*/Contents/${folder}`, what: 'bundles', extensions, ...more },
    { scope: 'home', path: `Applications/*/Contents/${folder}`, what: 'bundles', extensions, ...more },
  ];
}

/** The same for files. */
export function applicationEntries(
  folder: string,
  extensions: readonly string[],
  more: { readonly watched?: false } = {},
): readonly Place[] {
  return applicationBundles(folder, extensions, more).map((place) => ({ ...place, what: 'entries' }));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
