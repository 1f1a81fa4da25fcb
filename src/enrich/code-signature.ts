import type { CodeSignatureFields } from '../event/document.js';

/** Characters of codesign's output that are read, and of one text that an event carries. */
const maxOutput = 64 * 1024;
const maxText = 256;

const unsigned = 'code object is not signed at all';
/** Lines that codesign prints once. An identifier may hold line breaks, and forge what it likes. */
const once = [/^Executable=/, /^Identifier=/, /^Signature(?: size)?=/, /^TeamIdentifier=/];

/** One run of `codesign --verify`. */
export interface CodesignVerification {
  /** Exit status, codesign(1): 0 valid, 1 not, 2 wrong use, 3 valid but not as required; null when it gave none. */
  readonly status: number | null;
  /** What it wrote to standard error. */
  readonly output: string;
}

/**
 * A requirement for `codesign --verify -R`: Apple's own software, the Mac App Store, or a Developer ID. The chain of an
 * ad hoc or a self-made signature is valid in itself, and anybody can name a certificate "Apple Root CA"; what this
 * asks for cannot be forged. The object identifiers are those of the designated requirements that codesign makes.
 */
export const trustedRequirement = [
  'anchor apple',
  'or anchor apple generic and (certificate leaf[field.1.2.840.113635.100.6.1.9] exists',
  'or certificate 1[field.1.2.840.113635.100.6.2.6] exists',
  'and certificate leaf[field.1.2.840.113635.100.6.1.13] exists)',
].join(' ');

/**
 * What `codesign -d --verbose=4 PATH` wrote to standard error and `codesign --verify --strict -R=trustedRequirement`
 * found, as ECS names it. `trusted` comes from the verification alone and is absent without its word. The path must
 * hold no line break. Never throws; text of another form gives `status` alone.
 */
export function codeSignatureOf(
  output: string,
  verification?: CodesignVerification,
): Readonly<CodeSignatureFields> {
  const lines = output.slice(0, maxOutput).split(/\r?\n/);
  const identifier = after(lines, 'Identifier=');
  if (identifier === undefined) {
    if (lines.some((line) => line.endsWith(`: ${unsigned}`))) return { exists: false, status: unsigned };
    return { status: wordsOf(output) };
  }
  if (once.some((key) => lines.filter((line) => key.test(line)).length > 1))
    return { exists: true, trusted: false, status: 'its description contradicts itself' };
  const team = after(lines, 'TeamIdentifier=');
  // The identifier stands above this line, the certificates below.
  const below = lines.slice(lines.findIndex((line) => line.startsWith('Signature')) + 1);
  const subject = after(below, 'Authority=');
  const adHoc = lines.some(
    (line) => line === 'Signature=adhoc' || /^CodeDirectory .*\sflags=0x[\da-f]+\([^)]*\badhoc\b/.test(line),
  );
  return {
    exists: true,
    ...judged(verification, adHoc),
    signing_id: bounded(identifier),
    ...(team === undefined || team === 'not set' ? {} : { team_id: bounded(team) }),
    ...(subject === undefined || subject === '(unavailable)' ? {} : { subject_name: bounded(subject) }),
  };
}

function judged(
  verification: CodesignVerification | undefined,
  adHoc: boolean,
): Pick<CodeSignatureFields, 'trusted' | 'status'> {
  switch (verification?.status) {
    case 0:
      return adHoc ? { trusted: false, status: 'ad hoc' } : { trusted: true, status: 'trusted' };
    case 1:
      return { trusted: false, status: wordsOf(verification.output) };
    case 3:
      return { trusted: false, status: adHoc ? 'ad hoc' : 'the signer is not known to Apple' };
    default:
      return { status: 'could not be verified' };
  }
}

function after(lines: readonly string[], key: string): string | undefined {
  return lines.find((line) => line.startsWith(key))?.slice(key.length);
}

/** codesign's complaint, `PATH: words`, without the path. */
function wordsOf(output: string): string {
  const [first = ''] = output.slice(0, maxOutput).trimStart().split(/\r?\n/, 1);
  const words = first.slice(first.lastIndexOf(': ') + 1).trim();
  return words === '' ? 'codesign said nothing' : bounded(words);
}

function bounded(text: string): string {
  return text.slice(0, maxText);
}
