import { escapeText } from '../../base/escape.js';

/**
 * A cell of a CSV file (RFC 4180) that is inert in a spreadsheet: what would begin a formula there gets an apostrophe before
 * it, and control and hidden characters, line breaks among them, become visible escapes.
 */
export function csvCell(value: string | number | undefined): string {
  if (typeof value === 'number') return String(value);
  const text = escapeText(value ?? '');
  // Blanks before it do not help, and fullwidth forms of the signs are read as the signs themselves.
  const inert = /^[\s'"]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",;\t]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** One line of a CSV file, with its line break. */
export function csvLine(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}
