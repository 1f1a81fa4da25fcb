import { formatMicros, nanosText } from '../../../base/time.js';
import type { Version } from '../../../event/version.js';

export const versionSchema = 'evidence/1';

/** A version as the JSON of commands and of exports has it. Times of the file have nanoseconds. */
export function versionFields(version: Version): object {
  const { id, path, kind, type, link, sha256, size, mode, uid, gid, inode, signature, xattrs } = version;
  return {
    version: id,
    path,
    kind,
    type,
    ...(link === undefined ? {} : { link }),
    first_seen: formatMicros(version.time),
    last_seen: formatMicros(version.lastSeen),
    gone: version.gone === undefined ? null : formatMicros(version.gone),
    ...(sha256 === undefined ? {} : { sha256 }),
    size,
    kept: version.kept,
    ...(version.notTaken === undefined ? {} : { not_taken: version.notTaken }),
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    ...(version.owner === undefined ? {} : { owner: version.owner }),
    ...(inode === undefined ? {} : { inode }),
    ...(version.birth === undefined ? {} : { created: nanosText(version.birth) }),
    modified: nanosText(version.mtime),
    changed: nanosText(version.ctime),
    ...(xattrs === undefined
      ? {}
      : {
          attributes: xattrs.map((one) => ({
            name: one.name,
            size: one.size,
            base64: Buffer.from(one.value).toString('base64'),
          })),
        }),
    ...(signature === undefined ? {} : { code_signature: signature }),
    ...(version.architectures === undefined ? {} : { architectures: version.architectures }),
  };
}
