/**
 * The same text in memory of its own. A part that V8 cuts out of a long text keeps the whole of it alive for as long as
 * the part lives; whatever outlives the reading of a file or of a tool's output is copied by this.
 */
export function flat(text: string): string {
  // V8 copies shorter parts by itself (SlicedString::kMinLength).
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}
