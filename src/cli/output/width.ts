// Ranges of Unicode's East Asian Width W and F (UAX 11), rounded to whole blocks, and emoji.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const combining = /\p{Mn}|\p{Me}/u;
const plain = /^[\x20-\x7e]*$/;
const colour = /\u001b\[[\d;]*m/g;
// A mark such as `12.` or `-` is never left alone on its line.
const leastLine = 4;

/** Cells that one character takes on a terminal. */
function cells(character: string): number {
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Cells that a text takes on a terminal. It holds no control characters but those of our own colours. */
export function textWidth(styled: string): number {
  if (plain.test(styled)) return styled.length;
  const text = styled.replace(colour, '');
  let width = 0;
  for (const character of text) width += cells(character);
  return width;
}

/** Cuts a text to `width` cells, in the middle, where paths differ least; the cut shows as `…`. */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 2) return '…'.slice(0, width);
  const characters = [...text];
  const tailWidth = Math.floor((width - 1) / 2);
  let head = '';
  let tail = '';
  let used = 0;
  for (let index = characters.length - 1; index >= 0; index--) {
    const next = cells(characters[index]!);
    if (used + next > tailWidth) break;
    used += next;
    tail = characters[index]! + tail;
  }
  for (const character of characters) {
    const next = cells(character);
    if (used + next > width - 1) break;
    used += next;
    head += character;
  }
  return `${head}…${tail}`;
}

/** Cuts a text at its end to `width` cells; the cut shows as `…`. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let head = '';
  for (const character of text) {
    if (textWidth(head) + cells(character) > width - 1) break;
    head += character;
  }
  return `${head}…`;
}

/** As `shorten`, but keeps the last part of a path whole where the rest leaves room for it, and the beginning. */
export function shortenPath(text: string, width: number): string {
  const name = text.slice(text.lastIndexOf('/'));
  const room = width - textWidth(name) - 1;
  if (textWidth(text) <= width || !text.startsWith('/') || name === text || room < 1)
    return shorten(text, width);
  let head = '';
  for (const character of text) {
    if (textWidth(head) + cells(character) > room) break;
    head += character;
  }
  return `${head}…${name}`;
}

/** Fills up with spaces to `width` cells. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/**
 * Breaks a text at spaces into lines of at most `width` cells. A word that is longer is cut, or with `cut` false stays
 * whole: a path or an address is copied from there.
 */
export function wrap(text: string, width: number, cut = true): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    while (cut && textWidth(word) > width) {
      const room = line === '' ? width : width - textWidth(line) - 1;
      let head = '';
      for (const character of word) {
        if (textWidth(head) + cells(character) > room) break;
        head += character;
      }
      if (head === '' && line === '') head = [...word][0]!;
      if (head !== '') line = line === '' ? head : `${line} ${head}`;
      lines.push(line);
      line = '';
      word = word.slice(head.length);
    }
    if (line === '') line = word;
    else if (textWidth(line) + 1 + textWidth(word) <= width || (!cut && textWidth(line) < leastLine))
      line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines;
}
