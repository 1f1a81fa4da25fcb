import { nearest } from '../../base/nearest.js';
import { dotted, type KeyPath, type TomlPositions } from '../../base/toml-positions.js';
import { oneOf, type Problem } from '../diagnostic.js';

// A table of ours has a dozen keys; one with more than this was written to make us busy.
const maxKeys = 200;

export type TomlTable = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Reads typed values of one TOML table and collects what is wrong with them, each at its place in the file. */
export class TableReader {
  /** As it is named in messages: `rule.threat[1]`. */
  readonly path: string;
  readonly #keys: KeyPath;
  readonly #table: TomlTable;
  readonly #positions: TomlPositions;
  readonly #problems: Problem[];

  constructor(table: TomlTable, at: { path: KeyPath; positions: TomlPositions; problems: Problem[] }) {
    this.#table = table;
    this.#keys = at.path;
    this.path = dotted(at.path);
    this.#positions = at.positions;
    this.#problems = at.problems;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  raw(key: string): unknown {
    return this.has(key) ? this.#table[key] : undefined;
  }

  problem(key: string, problem: Omit<Problem, 'span'>): void {
    const start = this.#positions.nearest([...this.#keys, key]);
    this.#problems.push({ ...problem, span: { start, end: start } });
  }

  #pathOf(key: string): string {
    return dotted([...this.#keys, key]);
  }

  #wrong(key: string, wanted: string): undefined {
    this.problem(key, { code: 'rule/type', message: `${this.#pathOf(key)} must be ${wanted}` });
    return undefined;
  }

  #missing(key: string): void {
    const near = nearest(key, Object.keys(this.#table).slice(0, maxKeys));
    this.problem(key, {
      code: 'rule/missing',
      message: `${this.#pathOf(key)} is missing`,
      hint: near === undefined ? undefined : `There is a key "${near}".`,
    });
  }

  /** A text that must be there and must not be empty; reported and empty when it is not. */
  required(key: string): string {
    const value = this.raw(key);
    if (value === undefined) this.#missing(key);
    else if (typeof value !== 'string' || value.trim() === '') this.#wrong(key, 'a text that is not empty');
    else return value;
    return '';
  }

  text(key: string, otherwise: string): string {
    const value = this.raw(key);
    if (value === undefined || typeof value === 'string') return value ?? otherwise;
    this.#wrong(key, 'a text');
    return otherwise;
  }

  /** A list of texts; a single text counts as a list of one. */
  texts(key: string): readonly string[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    const list = typeof value === 'string' ? [value] : value;
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
    this.#wrong(key, 'a list of texts');
    return [];
  }

  oneOf<T extends string>(key: string, known: readonly T[], otherwise: T): T {
    const value = this.raw(key);
    if (value === undefined) return otherwise;
    const found = known.find((one) => one === value);
    if (found !== undefined) return found;
    const near = typeof value === 'string' ? nearest(value, known) : undefined;
    this.problem(key, {
      code: 'rule/value',
      message: `${this.#pathOf(key)} must be ${oneOf(known)}`,
      expected: known,
      hint: near === undefined ? undefined : `Did you mean "${near}"?`,
    });
    return otherwise;
  }

  integer(key: string, bounds: { min: number; max: number; otherwise: number }): number {
    const value = this.raw(key);
    if (value === undefined) return bounds.otherwise;
    if (typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) {
      return value;
    }
    this.#wrong(key, `a whole number from ${bounds.min} to ${bounds.max}`);
    return bounds.otherwise;
  }

  flag(key: string): boolean | undefined {
    const value = this.raw(key);
    return value === undefined || typeof value === 'boolean' ? value : this.#wrong(key, 'true or false');
  }

  table(key: string): TableReader | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    return isTable(value) ? this.#reader(value, [key]) : this.#wrong(key, 'a table');
  }

  /** An array of tables, `[[key]]`. */
  tables(key: string): readonly TableReader[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(isTable)) {
      return value.map((item, index) => this.#reader(item, [key, index]));
    }
    this.#wrong(key, 'a list of tables');
    return [];
  }

  #reader(table: TomlTable, below: KeyPath): TableReader {
    const path = [...this.#keys, ...below];
    return new TableReader(table, { path, positions: this.#positions, problems: this.#problems });
  }

  /** Reports keys that are none of ours: as an error, or, where others may have more, only when one looks like a slip. */
  onlyKeys(known: readonly string[], strict: boolean): void {
    for (const key of Object.keys(this.#table).slice(0, maxKeys)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      if (!strict && (near === undefined || this.has(near))) continue;
      this.problem(key, {
        severity: strict ? 'error' : 'warning',
        code: 'rule/unknown-key',
        message: `${this.#pathOf(key)} is not known`,
        hint: near === undefined ? undefined : `Did you mean "${near}"?`,
      });
    }
  }
}
