// C0 and C1 controls, DEL, line and paragraph separators, zero-width and bidirectional marks, tags, surrogates that
// stand alone: whatever could move a terminal's cursor, hide text or show it in another order.
const hostile =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is a code point of its own here.
  /[\u034f\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

function visible(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) as number;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** One line of text that is safe to print: every character that a terminal could act on becomes a visible escape. */
export function escapeText(text: string): string {
  return text.replace(hostile, visible);
}

/** As escapeText, but keeps line feeds: for texts of our own with attacker-written parts. */
export function escapeBlock(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}

/** Somebody's text inside a message of ours: on one line, safe to print, bounded. */
export function quote(text: string, limit = 200): string {
  return `"${escapeText(clip(text, limit))}"`;
}

/** Cuts to `limit` characters and says that it did. */
export function clip(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more)`;
}
