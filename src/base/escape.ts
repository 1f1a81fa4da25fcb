// Whatever could move a terminal's cursor, hide text or show it in another order, by Unicode's own properties: controls,
// formats (bidirectional marks, joiners, tags, shorthand and musical ones), what is shown as nothing by default
// (variation selectors, fillers), line and paragraph separators, surrogates that stand alone; beside them blanks that
// are told from others by their width alone. An emoji made of several comes apart: a joiner hides as well as it joins.
const hostile =
  /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Surrogate}\u202f\u205f\ufff0-\ufffb]/gu;

function visible(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) as number;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** True when a text holds nothing that a terminal could act on, and nothing that is not seen. */
export function isPlainText(text: string): boolean {
  return escapeText(text) === text;
}

/** One line of text that is safe to print: every character that a terminal could act on becomes a visible escape. */
export function escapeText(text: string): string {
  return text.replace(hostile, visible);
}

const ascii = /^[\0-\x7f]*$/;
/** Scripts with letters that look like Latin ones. */
const alike = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Lisu}]/u;
const latin = /\p{Script=Latin}/u;

/**
 * Letters of another script within a word of Latin letters, which pass for Latin ones, as visible escapes: `\u{430}pple`. Words
 * of one script stay as they are.
 */
export function markConfusable(text: string): string {
  if (ascii.test(text) || !alike.test(text)) return text;
  return text.replace(/\p{L}+/gu, (word) =>
    latin.test(word) && alike.test(word)
      ? [...word].map((letter) => (alike.test(letter) ? visible(letter) : letter)).join('')
      : word,
  );
}

/** As escapeText, but keeps line feeds: for texts of our own with attacker-written parts. */
export function escapeBlock(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}

/**
 * JSON text in which everything that escapeText would escape is a \\u escape, so that it reads back as the same text.
 * JSON.stringify has escaped the ASCII controls already.
 */
export function escapeJson(json: string): string {
  return json.replace(/[^\0-\x7e]/gu, (character) =>
    escapeText(character) === character ? character : unicodeEscapes(character),
  );
}

function unicodeEscapes(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** Somebody's text inside a message of ours: on one line, safe to print, bounded. */
export function quote(text: string, limit = 200): string {
  return `"${escapeText(clip(text, limit))}"`;
}

/** Cuts to `limit` characters and says that it did. */
export function clip(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more)`;
}
