/** Words in the forms in which texts write them: as they are, in percent, JSON and XML escapes, in any case. */

/** Escapes of one character. A percent sign may be escaped itself, any number of times; so may a backslash. */
function formsOf(character: string): string {
  if (/[-_\s]/.test(character)) return '(?:[-_\\s]|%(?:25)*(?:2d|5f|20)|\\\\+u00(?:2d|5f|20))';
  const plain = character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const forms = new Set([plain]);
  for (const one of new Set([character, character.toLowerCase(), character.toUpperCase()])) {
    const percent = [...Buffer.from(one, 'utf8')].map((byte) => `%(?:25)*${hex(byte, 2)}`).join('');
    const units = Array.from({ length: one.length }, (_, at) => `\\\\+u${hex(one.charCodeAt(at), 4)}`).join(
      '',
    );
    const point = one.codePointAt(0) ?? 0;
    for (const form of [percent, units, `&#0*${point};`, `&#x0*${hex(point, 1)};`]) forms.add(form);
  }
  return `(?:${[...forms].join('|')})`;
}

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** What ends a word before a short one: no letter or digit, or an escape that ends with one. */
const before = '(?<=^|[^\\p{L}\\p{N}]|%[\\da-f]{2}|\\\\[nrtbf]|\\\\u[\\da-f]{4})';
const after = '(?![\\p{L}\\p{N}])';

/**
 * Matches the words, the longest first, in any of their forms: those of at least `leastPart` characters everywhere, shorter
 * ones where they stand alone.
 */
export function wordsPattern(words: readonly string[], leastPart: number): RegExp {
  const sorted = [...new Set(words.flatMap((word) => [word, word.normalize('NFD'), word.normalize('NFC')]))]
    .filter((word) => word !== '')
    .sort((a, b) => b.length - a.length);
  if (sorted.length === 0) return /(?!)/g;
  const patterns = sorted.map((word) => {
    const all = [...word].map(formsOf).join('');
    return word.length >= leastPart ? all : `${before}${all}${after}`;
  });
  return new RegExp(patterns.join('|'), 'giu');
}

/** A word as all of its forms read, for comparison. */
export function wordText(written: string): string {
  let text = written;
  while (/%25/.test(text)) text = text.replaceAll('%25', '%');
  text = text
    .replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .replace(/\\+u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&#0*(\d{1,7});/g, (_, code: string) => fromCode(Number(code)))
    .replace(/&#x0*([\da-f]{1,6});/gi, (_, code: string) => fromCode(Number.parseInt(code, 16)));
  return text.normalize('NFC').toLowerCase().replace(/[_\s]/g, '-');
}

function fromCode(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
