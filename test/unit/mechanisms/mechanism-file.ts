import type { MechanismFile } from '../../../src/mechanisms/index.js';

/** A file of root's with this content, as a sensor hands it on. */
export function textFile(path: string, text: string, more: Partial<MechanismFile> = {}): MechanismFile {
  const bytes = Buffer.from(text);
  return {
    path,
    uid: 0,
    mode: 0o644,
    type: 'file',
    content: { bytes, size: bytes.length, truncated: false },
    ...more,
  };
}
