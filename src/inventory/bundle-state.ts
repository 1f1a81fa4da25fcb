import { opendirSync } from 'node:fs';
import { sha256Hex } from '../base/digest.js';
import type { RootMap } from '../base/root.js';
import type { FileContent } from '../event/event.js';
import type { BundleEntry, BundleManifest, SeenState } from '../event/version.js';
import { linkText, lookAt } from '../sensors/file-watch/index.js';
import { type ReadHow, type ReadState, type StateReader, stateOf } from './state.js';

/** Entries of a bundle, folders below one another, and bytes of its files that are kept. */
const maxEntries = 2_000;
const maxDepth = 16;
const maxKeptBytes = 32 * 1024 * 1024;
/** Files of one bundle that have a history of their own; the manifest has all of them. */
const maxOwnHistory = 256;

/** A bundle as it was found: its manifest, and its files one by one. */
export interface ReadBundle {
  readonly manifest: ReadState & { readonly content: FileContent };
  readonly files: number;
}

/**
 * Reads every file of a bundle. `onFile` gets each as soon as it was read, so that no more than one is in memory.
 * Undefined when no folder stands at the path, or it may not be listed.
 */
export async function readBundle(
  path: string,
  how: Omit<ReadHow, 'runs' | 'kind'> & {
    readonly root: RootMap;
    readonly reader: StateReader;
    readonly onFile: (file: ReadState, hasHistory: boolean) => Promise<void>;
  },
): Promise<ReadBundle | undefined> {
  const { root, reader, onFile, signal } = how;
  const passage = reader.rights.into(path);
  const seen = lookAt(root.toHost(path));
  const top = passage === undefined ? undefined : lookAt(passage.host);
  if (passage === undefined || typeof seen !== 'object' || typeof top !== 'object' || top.type !== 'dir')
    return undefined;
  if (!passage.mayList()) return undefined;
  const link = seen.type === 'symlink' ? linkText(root.toHost(path)) : undefined;
  const list = listed(passage.host);
  const entries: BundleEntry[] = [];
  let left = maxKeptBytes;
  let size = 0;
  let files = 0;
  for (const inside of list.paths) {
    if (signal.aborted) return undefined;
    const one = lookAt(`${passage.host}/${inside}`);
    if (typeof one !== 'object') continue;
    const entry: BundleEntry = {
      path: inside,
      type: one.type === 'file' || one.type === 'dir' || one.type === 'symlink' ? one.type : 'other',
      mode: one.mode.toString(8).padStart(4, '0'),
      uid: one.uid,
      gid: one.gid,
      mtime: String(one.mtime),
    };
    if (one.type !== 'file') {
      const leads = one.type === 'symlink' ? linkText(`${passage.host}/${inside}`) : undefined;
      entries.push({ ...entry, ...(leads === undefined ? {} : { link: leads }) });
      continue;
    }
    const read = await reader.read(`${path}/${inside}`, {
      ...how,
      runs: true,
      kind: 'bundle-file',
      maxBytes: Math.min(how.maxBytes, left),
    });
    if (read === undefined) continue;
    const { state, content } = read;
    left -= read.large === true ? state.size : (content?.bytes.length ?? 0);
    size += state.size;
    entries.push({
      ...entry,
      size: state.size,
      ...(state.sha256 === undefined ? {} : { sha256: state.sha256 }),
      ...(state.notTaken === undefined ? {} : { not_taken: state.notTaken }),
    });
    await onFile(read, files++ < maxOwnHistory);
  }
  const manifest: BundleManifest = { version: 1, files: entries, truncated: list.truncated };
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(manifest)));
  const state: SeenState = {
    ...stateOf(path, { seen: top, link, kind: 'bundle' }),
    size,
    sha256: sha256Hex(bytes),
  };
  return { manifest: { state, content: { bytes, size: bytes.length, truncated: false } }, files };
}

/** Everything below a folder, relative to it, in the order of the paths; links are not followed. */
function listed(folder: string): { readonly paths: readonly string[]; readonly truncated: boolean } {
  const paths: string[] = [];
  const left: { readonly at: string; readonly depth: number }[] = [{ at: '', depth: 0 }];
  let truncated = false;
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const { at, depth } = next;
    try {
      const open = opendirSync(at === '' ? folder : `${folder}/${at}`);
      try {
        for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
          if (paths.length >= maxEntries) {
            truncated = true;
            break;
          }
          const inside = at === '' ? entry.name : `${at}/${entry.name}`;
          paths.push(inside);
          if (!entry.isDirectory()) continue;
          if (depth < maxDepth) left.push({ at: inside, depth: depth + 1 });
          else truncated = true;
        }
      } finally {
        open.closeSync();
      }
    } catch {
      truncated = true;
    }
  }
  return { paths: paths.sort(), truncated };
}
