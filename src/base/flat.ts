/**
 * The same text in memory of its own. A part that V8 cuts out of a long text keeps the whole of it alive for as long as
 * the part lives; whatever outlives the reading of a file or of a tool's output is copied by this.
 */
export function flat(text: string): string {
  // V8 copies shorter parts by itself (SlicedString::kMinLength).
  if (text.length < 13) return text;
  // What is decoded as UTF-16 takes two bytes a character, also where one would do.
  const encoding = beyondLatin1.test(text) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

const beyondLatin1 = /[^\0-\xff]/;
