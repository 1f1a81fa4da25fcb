import { readBinaryPlist } from './plist-binary.js';
import { PlistError, type PlistFinding, type PlistValue, plistLimits } from './plist-value.js';
import { readXmlPlist } from './plist-xml.js';

export type PlistResult =
  | { readonly ok: true; readonly format: 'xml' | 'binary'; readonly value: PlistValue }
  /** `finding` is a stable word, `detail` a sentence for people. */
  | { readonly ok: false; readonly finding: PlistFinding; readonly detail: string };

const magic = 'bplist';

/**
 * Reads a property list of any origin: bounded in bytes, values and depth, never an exception. The old ASCII form is
 * not read: a file in it is a finding.
 */
export function readPlist(bytes: Uint8Array): PlistResult {
  if (bytes.length === 0) return { ok: false, finding: 'plist-empty', detail: 'the file is empty' };
  if (bytes.length > plistLimits.maxBytes)
    return { ok: false, finding: 'plist-too-complex', detail: `more than ${plistLimits.maxBytes} bytes` };
  try {
    const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
    if (start.startsWith(magic)) return { ok: true, format: 'binary', value: readBinaryPlist(bytes) };
    if (/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*</.test(start))
      return { ok: true, format: 'xml', value: readXmlPlist(bytes) };
    return { ok: false, finding: 'plist-unknown-format', detail: 'neither XML nor binary' };
  } catch (error) {
    if (error instanceof PlistError) return { ok: false, finding: error.finding, detail: error.message };
    // A reader's bug must not cost the event that the file belongs to.
    return { ok: false, finding: 'plist-unparsable', detail: String(error) };
  }
}
