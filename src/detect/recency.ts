import type { Micros } from '../base/time.js';

/** An entry of a Recency list. */
export interface Entry<K> {
  readonly id: K;
  /** Event time of the last touch. */
  touched: Micros;
  older: Entry<K> | undefined;
  newer: Entry<K> | undefined;
}

/**
 * Entries by id in the order in which they were touched: finding, touching and dropping the oldest cost the same whether
 * there are ten or a hundred thousand.
 */
export class Recency<K, E extends Entry<K>> {
  readonly #entries = new Map<K, E>();
  #oldest: Entry<K> | undefined;
  #newest: Entry<K> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get oldest(): E | undefined {
    return this.#oldest as E | undefined;
  }

  get(id: K): E | undefined {
    return this.#entries.get(id);
  }

  add(entry: E): void {
    this.#entries.set(entry.id, entry);
    this.#append(entry);
  }

  touch(entry: E, time: Micros): void {
    if (time > entry.touched) entry.touched = time;
    if (this.#newest === entry) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  remove(entry: E): void {
    this.#entries.delete(entry.id);
    this.#unlink(entry);
  }

  #append(entry: Entry<K>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<K>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}
