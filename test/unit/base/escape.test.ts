import { expect, test } from 'vitest';
import { escapeBlock, escapeJson, escapeText, markConfusable, quote } from '../../../src/base/escape.js';

/** One of each kind, by code point, and what it does. */
const hidden: Record<string, number> = {
  escape: 0x1b,
  delete: 0x7f,
  'C1 control sequence': 0x9b,
  'soft hyphen': 0xad,
  'combining grapheme joiner': 0x34f,
  'Arabic number sign': 0x600,
  'Arabic end of ayah': 0x6dd,
  'Arabic letter mark': 0x61c,
  'Syriac abbreviation mark': 0x70f,
  'Arabic disputed end of ayah': 0x8e2,
  'Hangul filler': 0x115f,
  'Khmer inherent vowel': 0x17b4,
  'Mongolian vowel separator': 0x180e,
  'zero-width space': 0x200b,
  'zero-width joiner': 0x200d,
  'right-to-left override': 0x202e,
  'line separator': 0x2028,
  'narrow no-break space': 0x202f,
  'word joiner': 0x2060,
  isolate: 0x2066,
  'half-width Hangul filler': 0xffa0,
  'variation selector': 0xfe0f,
  'byte order mark': 0xfeff,
  'interlinear annotation': 0xfff9,
  'Kaithi number sign': 0x110bd,
  'Egyptian joiner': 0x13430,
  'Egyptian segment end': 0x1343f,
  'shorthand overlap': 0x1bca0,
  'musical begin beam': 0x1d173,
  'musical end phrase': 0x1d17a,
  tag: 0xe0041,
  'variation selector of the supplement': 0xe0100,
};

test.each(Object.entries(hidden))('%s shows, in text and in JSON', (_name, code) => {
  const character = String.fromCodePoint(code);
  const shown = escapeText(`a${character}b`);
  expect(shown).toMatch(/^a\\(x[0-9a-f]{2}|u\{[0-9a-f]+\})b$/);
  const document = { text: `a${character}b`, [`k${character}`]: [character] };
  const json = escapeJson(JSON.stringify(document));
  expect(json).not.toContain(character);
  expect(JSON.parse(json)).toEqual(document);
});

test('a surrogate that stands alone, and blanks of a block', () => {
  expect(escapeText('a\ud800b')).toBe('a\\u{d800}b');
  expect(JSON.parse(escapeJson(JSON.stringify('\udc00')))).toBe('\udc00');
  expect(escapeBlock('a\tb\nc\rd')).toBe('a\\tb\nc\\rd');
});

test.each([
  'plain',
  'Ünïcödé',
  '漢字',
  'עברית',
  'العربية',
  'ไทย',
  '🔑',
  '👍',
  'é'.normalize('NFD'),
  'a b',
  '~',
])('%s stays as it is', (text) => {
  expect(escapeText(text)).toBe(text);
  expect(escapeJson(JSON.stringify(text))).toBe(JSON.stringify(text));
});

test('an emoji of several comes apart, so that no joiner hides', () => {
  expect(escapeText('👩\u200d💻')).toBe('👩\\u{200d}💻');
});

test('everything of the kinds of Unicode that hide or reorder is escaped', () => {
  const left: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(character))
      if (escapeText(character) === character) left.push(code.toString(16));
  }
  expect(left).toEqual([]);
});

test('a quoted text is cut before it is escaped', () => {
  expect(quote('\u001b'.repeat(300), 3)).toBe('"\\x1b\\x1b\\x1b… (297 more)"');
});

test('a letter of another script in a Latin word is marked; words of one script are not', () => {
  expect(markConfusable('com.\u0430pple.\u03bfk')).toBe('com.\\u{430}pple.\\u{3bf}k');
  for (const text of [
    'com.apple',
    '\u041f\u0440\u0438\u0432\u0435\u0442.plist',
    '\u00e9t\u00e9',
    '5 \u00b5m',
  ])
    expect(markConfusable(text)).toBe(text);
});
