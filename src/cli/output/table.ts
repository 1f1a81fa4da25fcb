import type { Style, StyleName } from './style.js';
import { pad, shorten, textWidth } from './width.js';

export interface Column {
  readonly title: string;
  /** May be cut when the terminal is too narrow. */
  readonly flexible?: boolean;
  readonly style?: (text: string) => StyleName | undefined;
}

const gap = '  ';
const leastFlexible = 16;

/**
 * Lines of a table, two spaces between the columns. `rows` hold safe text (escaped by the caller). With `width` the
 * flexible columns are cut so that a row fits a terminal of so many cells.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  how: { readonly style: Style; readonly width: number | undefined },
): string[] {
  const widths = columns.map((column, index) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[index] ?? '')), textWidth(column.title)),
  );
  if (how.width !== undefined) {
    let excess = widths.reduce((sum, one) => sum + one, gap.length * (columns.length - 1)) - how.width;
    // The widest gives first, down to the next widest, so that short columns stay whole.
    while (excess > 0) {
      let widest = -1;
      for (const [index, column] of columns.entries()) {
        if (column.flexible !== true || widths[index]! <= leastFlexible) continue;
        if (widest === -1 || widths[index]! > widths[widest]!) widest = index;
      }
      if (widest === -1) break;
      widths[widest]!--;
      excess--;
    }
  }
  const line = (cellsOf: readonly string[], look: (index: number, text: string) => string) =>
    columns
      .map((_column, index) => {
        const text = shorten(cellsOf[index] ?? '', widths[index]!);
        const shown = look(index, text);
        return index === columns.length - 1 ? shown : shown + pad('', widths[index]! - textWidth(text));
      })
      .join(gap)
      .trimEnd();
  const head = line(
    columns.map((column) => column.title),
    (_index, text) => how.style('dim', text),
  );
  const body = rows.map((row) =>
    line(row, (index, text) => {
      const name = columns[index]!.style?.(row[index] ?? '');
      return name === undefined ? text : how.style(name, text);
    }),
  );
  return [head, ...body];
}
