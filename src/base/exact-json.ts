/**
 * JSON with whole numbers kept exact: one beyond 2^53, which JSON.parse would round, becomes the text of its digits.
 * Throws SyntaxError as JSON.parse does.
 */
export function parseExactJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // The texts that hold so many digits are few, and only they are read twice.
  return hasManyDigits(text) ? parseQuoted(text, parsed) : parsed;
}

// A number beyond 2^53 has so many digits at least.
const leastDigits = 16;

/** Whether so many digits stand in a row. One of them stands at a place that is looked at, so that most are not. */
function hasManyDigits(text: string): boolean {
  for (let at = leastDigits - 1; at < text.length; at += leastDigits) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let start = at;
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--;
    while (isDigit(text.charCodeAt(at + 1))) at++;
    if (at - start + 1 >= leastDigits) return true;
  }
  return false;
}

function isDigit(unit: number): boolean {
  return unit >= zeroUnit && unit <= nineUnit;
}

/** The same with the large numbers in quotes; `parsed` when there is none. The text is valid JSON. */
function parseQuoted(text: string, parsed: unknown): unknown {
  let quoted = '';
  let copied = 0;
  // Outside of strings, digits stand in numbers alone.
  const number = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quoteUnit) at = endOfString(text, at);
    else if (unit === minusUnit || isDigit(unit)) {
      number.lastIndex = at;
      const [digits = ''] = number.exec(text) ?? [];
      if (digits.length >= leastDigits && /^-?\d+$/.test(digits) && !Number.isSafeInteger(Number(digits))) {
        quoted += `${text.slice(copied, at)}"${digits}"`;
        copied = at + digits.length;
      }
      at += Math.max(1, digits.length) - 1;
    }
  }
  return copied === 0 ? parsed : JSON.parse(quoted + text.slice(copied));
}

const [quoteUnit, minusUnit, zeroUnit, nineUnit, backslashUnit] = [0x22, 0x2d, 0x30, 0x39, 0x5c];

/** The place of the closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslashUnit) slashes++;
    if (slashes % 2 === 0) return end;
  }
}
