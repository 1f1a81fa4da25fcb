/** Forms of files that people hand over by mistake, by their first bytes: `latin1` text of them. */
const magics: readonly (readonly [begin: RegExp, name: string])[] = [
  [/^bplist00/, 'a binary property list'],
  [/^SQLite format 3\0/, 'an SQLite database'],
  [/^PK\x03\x04/, 'a zip archive: unpack it first'],
  [/^\x28\xb5\x2f\xfd/, 'Zstandard-compressed data: unpack it first'],
  [/^BZh/, 'bzip2-compressed data: unpack it first'],
  [/^\xfd7zXZ\0/, 'xz-compressed data: unpack it first'],
  [/^(?:\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe)/, 'a program (Mach-O)'],
  [/^\x7fELF/, 'a program (ELF)'],
  [/^%PDF/, 'a PDF document'],
  [/^\s*(?:<\?xml[\s\S]{0,400})?<!DOCTYPE plist|^\s*<plist/, 'an XML property list'],
  [/^\s*<(?:!doctype html|html)/i, 'an HTML page (a login or an error?)'],
  [/^\s*<\?xml|^\s*<[a-z]+[\s>]/i, 'XML'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: fetch the file itself'],
  [/^<\d{1,3}>1? ?\S/, 'syslog messages'],
  [/^CEF:\d\|/, 'CEF messages'],
  [/^LEEF:\d/, 'LEEF messages'],
  [/^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d /, 'a system log'],
  [/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S* +\S/, 'a text log'],
  [/^(?:\[\[?[\w.-]+\]\]?|[\w.-]+ *= *\S.*)\n/, 'a configuration file or rule (TOML)'],
  [/^---\s|^[\w-]+:(?: .*)?\n/, 'YAML'],
  [/^(?:"[^"\n]*"|[^,;\t\n{}]*)(?:,(?:"[^"\n]*"|[^,\n{}]*)){2,}\r?\n/, 'CSV: export it as JSON'],
  [/^[^\t\n{}]+(?:\t[^\t\n]*){2,}\r?\n/, 'a table with tabs: export it as JSON'],
];

export const plainText = 'text that is no JSON';

/** What a file looks like that holds no JSON, in words. */
export function looksLike(head: Uint8Array): string {
  const text = Buffer.from(head.subarray(0, 4_096)).toString('latin1');
  for (const [begin, name] of magics) if (begin.test(text)) return name;
  return /[\0-\x08\x0e-\x1a]/.test(text) ? 'binary data' : plainText;
}
