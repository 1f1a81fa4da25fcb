import type { CodeSignatureFields } from '../../event/document.js';
import type { EsProcess } from './message.js';

// Flags of the kernel, XNU osfmk/kern/cs_blobs.h.
const valid = 0x1;
const adHoc = 0x2;
const signed = 0x20000000;

/** `cs_validation_category` values that mean a chain to Apple: platform, TestFlight, App Store, enterprise, Developer ID. */
const trustedCategories: ReadonlySet<number> = new Set([1, 2, 4, 5, 6]);

/**
 * The kernel's view of the signature at the time of the event. `subject_name` is not among what it knows. Whether it
 * runs on macOS as Elastic Defend has it (`status`) is unproven.
 */
export function codeSignature(process: EsProcess): CodeSignatureFields {
  const exists = (process.signingFlags & signed) !== 0;
  const trusted =
    exists &&
    (process.signingFlags & valid) !== 0 &&
    (process.category === undefined
      ? (process.signingFlags & adHoc) === 0 && (process.platformBinary || process.teamId !== '')
      : trustedCategories.has(process.category));
  return {
    exists,
    ...(exists ? { trusted, ...(trusted ? { status: 'trusted' } : {}) } : {}),
    ...(process.signingId === '' ? {} : { signing_id: process.signingId }),
    ...(process.teamId === '' ? {} : { team_id: process.teamId }),
  };
}
