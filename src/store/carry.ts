import type { Connection } from './database.js';
import { troubleOf } from './sqlite.js';

/** What was carried from one database to another: rows, rows that could not be read or stored, and whether time ran out. */
export interface Carried {
  rows: number;
  /** Names of tables of which something could not be read. */
  readonly unread: Set<string>;
  cut: boolean;
}

export interface CarryOptions {
  /** Tables in the order of their worth; those that the target has besides come after them. */
  readonly first: readonly string[];
  /** Tables that come last, the newest rows first, since time may run out. */
  readonly last: readonly string[];
  /** There is room for the large tables as well. */
  readonly roomy: boolean;
  /** True once no more time may be spent. */
  readonly expired: () => boolean;
}

type Row = Record<string, unknown>;

/** Rows of evidence hold whole files; of everything else many rows fit into memory at once. */
const pageRows: Readonly<Record<string, number>> = { evidence: 4, documents: 50, events: 100 };
const defaultPage = 200;
/** A number beyond this is not one that we gave. */
const largestRowid = 2 ** 52;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
}

interface Shape {
  readonly columns: readonly Column[];
  /** `rowid`, or the columns of the primary key of a table that has none. */
  readonly key: readonly string[];
}

function tablesOf(connection: Connection): string[] {
  const rows = connection
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return (rows as { name: string }[]).map(({ name }) => name);
}

function columnsOf(connection: Connection, table: string): Column[] {
  return connection.pragma(`table_info(${table})`) as Column[];
}

function hasRowid(connection: Connection, table: string): boolean {
  try {
    connection.prepare(`SELECT rowid FROM ${table} LIMIT 0`);
    return true;
  } catch {
    return false;
  }
}

/** True of a value that a column of ours can hold: SQLite itself stores anything anywhere. */
function fits(value: unknown, { type, notnull, pk }: Column): boolean {
  if (value === null) return notnull === 0 && pk === 0;
  if (type === 'TEXT') return typeof value === 'string';
  if (type === 'BLOB') return value instanceof Uint8Array;
  if (type === 'INTEGER') return Number.isSafeInteger(value);
  return typeof value === 'number';
}

/** What both know of a table: the source may have been written by another version, or its schema be damaged. */
function shapeOf(source: Connection, target: Connection, table: string): Shape {
  const wanted = columnsOf(target, table);
  const present = new Set(columnsOf(source, table).map(({ name }) => name));
  const columns = wanted.filter(({ name }) => present.has(name));
  const primary = wanted.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  return { columns, key: hasRowid(target, table) ? ['rowid'] : primary.map(({ name }) => name) };
}

/**
 * Pages of rows in the order of the key, from one end up to the other end or to what cannot be read. Past a place that
 * cannot be read a table with row numbers is tried again, further and further away.
 */
function* pagesFrom(
  source: Connection,
  table: string,
  how: { readonly shape: Shape; readonly down: boolean; readonly onUnread: () => void },
): Generator<Row[]> {
  const { shape, down, onUnread } = how;
  const { key } = shape;
  const order = down ? 'DESC' : 'ASC';
  const selected = shape.columns.map(({ name }) => `"${name}"`).join(', ');
  const keys = key.map((name, index) => `${name} AS key_${index}`).join(', ');
  const orderBy = `ORDER BY ${key.map((name) => `${name} ${order}`).join(', ')} LIMIT ?`;
  const beyond = `(${key.join(', ')}) ${down ? '<' : '>'} (${key.map(() => '?').join(', ')})`;
  const first = source.prepare(`SELECT ${keys}, ${selected} FROM ${table} ${orderBy}`);
  const next = source.prepare(`SELECT ${keys}, ${selected} FROM ${table} WHERE ${beyond} ${orderBy}`);
  const numbered = key[0] === 'rowid' && !down;
  let size = pageRows[table] ?? defaultPage;
  const largest = size;
  let cursor: unknown[] | undefined;
  let jump = 1;
  for (;;) {
    let rows: Row[];
    try {
      rows = (cursor === undefined ? first.all(size) : next.all(...cursor, size)) as Row[];
    } catch {
      onUnread();
      if (size > 1) {
        size = 1;
        continue;
      }
      if (!numbered) return;
      cursor = [Number(cursor?.[0] ?? 0) + jump];
      jump *= 2;
      if (Number(cursor[0]) > largestRowid) return;
      continue;
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    const reached = key.map((_, index) => last[`key_${index}`]);
    if (cursor !== undefined && !isBeyond(reached, cursor, down)) {
      // Pages that lead back to themselves.
      onUnread();
      return;
    }
    cursor = reached;
    yield rows;
    jump = 1;
    size = Math.min(size * 2, largest);
  }
}

/** True when `key` comes after `other` in the order of walking. */
function isBeyond(key: readonly unknown[], other: readonly unknown[], down: boolean): boolean {
  for (const [index, part] of key.entries()) {
    const order = compare(part, other[index]);
    if (order !== 0) return down ? order < 0 : order > 0;
  }
  return false;
}

/** SQLite's own order of numbers, and of texts by their bytes. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function carryTable(
  source: Connection,
  target: Connection,
  table: string,
  how: { readonly newestFirst: boolean; readonly expired: () => boolean; readonly carried: Carried },
): void {
  const { newestFirst, expired, carried } = how;
  const shape = shapeOf(source, target, table);
  if (shape.columns.length === 0) {
    carried.unread.add(table);
    return;
  }
  const names = shape.columns.map(({ name }) => `"${name}"`).join(', ');
  const marks = shape.columns.map(() => '?').join(', ');
  const insert = target.prepare(`INSERT OR IGNORE INTO ${table} (${names}) VALUES (${marks})`);
  const onUnread = () => {
    carried.unread.add(table);
  };
  const store = (row: Row) => {
    const odd = shape.columns.some((column) => !fits(row[column.name], column));
    if (odd || (shape.key[0] === 'rowid' && !(Number(row['key_0']) <= largestRowid))) {
      onUnread();
      return;
    }
    try {
      carried.rows += insert.run(...shape.columns.map(({ name }) => row[name])).changes;
    } catch (error) {
      // A value that no row of ours has.
      if (troubleOf(error) !== undefined && troubleOf(error) !== 'conflict') throw error;
      onUnread();
    }
  };
  const walk = (down: boolean): boolean => {
    for (const rows of pagesFrom(source, table, { shape, down, onUnread })) {
      for (const row of rows) store(row);
      if (!expired()) continue;
      carried.cut = true;
      return false;
    }
    return true;
  };
  // From both ends when something in between cannot be read: what both reach is stored once.
  if (walk(newestFirst) && carried.unread.has(table)) walk(!newestFirst);
}

/**
 * Copies every row that can be read, table by table, inside the caller's transaction on `target`. What cannot be read is
 * passed over; throws only what the target failed with.
 */
export function carryRows(source: Connection, target: Connection, options: CarryOptions): Carried {
  const { first, last, roomy, expired } = options;
  const carried: Carried = { rows: 0, unread: new Set(), cut: false };
  const known = tablesOf(target);
  const rest = known.filter((name) => !first.includes(name) && !last.includes(name));
  for (const table of [...first, ...rest, ...(roomy ? last : [])].filter((name) => known.includes(name))) {
    if (carried.cut) break;
    const newestFirst = last.includes(table);
    try {
      carryTable(source, target, table, { newestFirst, expired, carried });
    } catch (error) {
      if (troubleOfTarget(target, error)) throw error;
      carried.unread.add(table);
    }
  }
  if (!roomy) carried.cut = true;
  return carried;
}

/** True when the target refuses: a damaged source fails with other codes, or before anything is written. */
function troubleOfTarget(target: Connection, error: unknown): boolean {
  const trouble = troubleOf(error);
  return trouble === 'full' || trouble === 'busy' || !target.open || !target.inTransaction;
}
