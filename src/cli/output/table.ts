import type { Style, StyleName } from './style.js';
import { pad, shorten, shortenPath, textWidth, truncate } from './width.js';

export interface Column {
  readonly title: string;
  /** May be cut when the terminal is too narrow. */
  readonly flexible?: boolean;
  /** Cut so that the last part of a path stays whole. */
  readonly path?: boolean;
  /** Flush with its right edge, as numbers are. */
  readonly right?: boolean;
  readonly style?: (text: string) => StyleName | undefined;
}

const gap = '  ';
/** A flexible column that would be cut below this has a line of its own below the others. */
const leastBeside = 20;
const leastBelow = 10;
/** One long cell does not make every row as long; longer than any path that a person would choose. */
const mostCells = 300;
const indent = '  ';
const belowIndent = '    ';

/** A column with its place in a row and its cells on the terminal. */
interface Placed {
  readonly column: Column;
  readonly index: number;
  width: number;
}

const total = (placed: readonly Placed[]): number =>
  placed.reduce((sum, { width }) => sum + width, gap.length * Math.max(0, placed.length - 1));

/** Cuts the flexible columns, none below `least`; false when they do not fit even so. */
function shrink(placed: readonly Placed[], width: number, least: number): boolean {
  for (let excess = total(placed) - width; excess > 0; excess--) {
    // The widest gives first, down to the next widest, so that short columns stay whole.
    let widest: Placed | undefined;
    for (const one of placed) {
      if (one.column.flexible !== true || one.width <= least) continue;
      if (widest === undefined || one.width > widest.width) widest = one;
    }
    if (widest === undefined) return false;
    widest.width--;
  }
  return true;
}

/**
 * Lines of a table, two spaces between the columns. `rows` hold safe text (escaped by the caller). With `width` the
 * flexible columns are cut so that a row fits a terminal of so many cells; where little would be left of them they stand
 * on a line of their own below the others.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  how: {
    readonly style: Style;
    readonly width: number | undefined;
    /** A line below a row, safe text; it is cut where the terminal ends. */
    readonly below?: readonly (string | undefined)[];
  },
): string[] {
  const widest = columns.map((column, index) =>
    rows.reduce(
      (most, row) => Math.max(most, Math.min(textWidth(row[index] ?? ''), mostCells)),
      textWidth(column.title),
    ),
  );
  const natural = (): Placed[] => columns.map((column, index) => ({ column, index, width: widest[index]! }));
  let lines = [natural()];
  if (how.width !== undefined && !shrink(lines[0]!, how.width, leastBeside)) {
    const fixed = natural().filter(({ column }) => column.flexible !== true);
    const flexible = natural().filter(({ column }) => column.flexible === true);
    shrink(flexible, how.width - indent.length, leastBelow);
    lines = [fixed, flexible].filter((placed) => placed.length > 0);
  }
  const print = (cellsOf: readonly string[], look: (index: number, text: string) => string) =>
    lines.map((placed, number) => {
      const shown = placed.map(({ column, index, width }, position) => {
        const cut = column.path === true ? shortenPath : shorten;
        const text = cut(cellsOf[index] ?? '', width);
        const space = pad('', width - textWidth(text));
        if (column.right === true) return space + look(index, text);
        return look(index, text) + (position === placed.length - 1 ? '' : space);
      });
      return (number === 0 ? '' : indent) + shown.join(gap).trimEnd();
    });
  const head = print(
    columns.map((column) => column.title),
    (_index, text) => how.style('dim', text),
  );
  const room = (how.width ?? Number.POSITIVE_INFINITY) - belowIndent.length;
  const body = rows.flatMap((row, number) => {
    const below = how.below?.[number];
    return [
      ...print(row, (index, text) => {
        const name = columns[index]!.style?.(row[index] ?? '');
        return name === undefined ? text : how.style(name, text);
      }),
      ...(below === undefined ? [] : [belowIndent + how.style('dim', truncate(below, room))]),
    ];
  });
  return [...head, ...body];
}
