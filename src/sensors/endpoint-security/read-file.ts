import { insidePlugIn, launchItemKind } from '../../base/launch-paths.js';
import type { RootMap } from '../../base/root.js';
import { formatMicros } from '../../base/time.js';
import type { FileFields } from '../../event/document.js';
import { fileWatchLimits } from '../file-watch/index.js';
import { ContentReader } from '../file-watch/reader.js';
import { Rights } from '../file-watch/rights.js';
import { lookAt } from '../file-watch/snapshot.js';
import type { ReadFile } from './normalise.js';

const headerBytes = 16;

/**
 * Reads what a message named, within the file watcher's limits: of launch items and of what `carries` wants all, of a
 * plug-in's files the small ones, of everything else nothing, and nothing that those who decide where its path leads may not read (`Rights`). Where the message had no stat, the look's facts stand in.
 */
export function fileReader(root: RootMap, carries: (macPath: string) => boolean = () => false): ReadFile {
  const { maxContent, maxBundleContent } = fileWatchLimits;
  const reader = new ContentReader(maxContent);
  const rights = new Rights(root);
  return (file: FileFields) => {
    const { path } = file;
    const keep =
      path === undefined
        ? 0
        : launchItemKind(path) !== undefined || carries(path)
          ? maxContent
          : insidePlugIn(path)
            ? maxBundleContent
            : 0;
    if (path === undefined || (keep === 0 && file.inode !== undefined)) return { file };
    const host = root.toHost(path);
    const seen = lookAt(host);
    if (seen === undefined || seen === 'denied') return { file };
    const known: FileFields =
      file.inode !== undefined
        ? file
        : {
            ...file,
            size: seen.size,
            inode: seen.inode,
            type: seen.type,
            mode: seen.mode.toString(8).padStart(4, '0'),
            uid: String(seen.uid),
            gid: String(seen.gid),
            ctime: formatMicros(Number(seen.ctime / 1000n)),
          };
    if (keep === 0 || seen.type !== 'file' || (keep === maxBundleContent && seen.size > keep))
      return { file: known };
    const passage = rights.follow(path);
    if (passage === undefined) return { file: known };
    const result = reader.read({ hostPath: passage.host, seen, passage }, keep);
    if (!result.ok) return { file: known, withheld: result.reason === 'withheld' };
    const { content, sha256 } = result;
    return {
      content,
      file: {
        ...known,
        size: seen.size,
        ...(sha256 === undefined ? {} : { hash: { sha256 } }),
        ...(content.bytes.length === 0
          ? {}
          : {
              Ext: {
                ...known.Ext,
                header_bytes: Buffer.from(content.bytes.subarray(0, headerBytes)).toString('hex'),
              },
            }),
      },
    };
  };
}
