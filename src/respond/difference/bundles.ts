import type { BundleEntry, BundleManifest } from '../../event/version.js';

/** A file of a bundle that differs. `facts`: names of what does: `sha256`, `mode`, ... */
export interface BundleChange {
  readonly path: string;
  readonly change: 'added' | 'changed' | 'gone';
  readonly facts: readonly (keyof BundleEntry)[];
  readonly before?: BundleEntry;
  readonly after?: BundleEntry;
}

const compared = ['type', 'sha256', 'size', 'mode', 'uid', 'gid', 'link', 'mtime'] as const;

/** What differs between two states of a bundle, by file. That the time of a folder moved alone is no difference. */
export function bundleDifference(before: BundleManifest, after: BundleManifest): BundleChange[] {
  const old = new Map(before.files.map((one) => [one.path, one]));
  const changes: BundleChange[] = [];
  for (const entry of after.files) {
    const was = old.get(entry.path);
    old.delete(entry.path);
    if (was === undefined) changes.push({ path: entry.path, change: 'added', facts: [], after: entry });
    else {
      const facts = compared.filter(
        (name) => was[name] !== entry[name] && !(name === 'mtime' && entry.type === 'dir'),
      );
      if (facts.length > 0)
        changes.push({ path: entry.path, change: 'changed', facts, before: was, after: entry });
    }
  }
  for (const was of old.values()) changes.push({ path: was.path, change: 'gone', facts: [], before: was });
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
