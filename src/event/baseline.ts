import type { Micros } from '../base/time.js';
import type { InventoryEntry } from './inventory.js';

/** A state of this Mac that somebody called known good. */
export interface Baseline {
  readonly name: string;
  /** When it was saved, and by whom (a claim). */
  readonly time: Micros;
  readonly author: string;
  readonly reason: string;
  /** How many entries it has. */
  readonly entries: number;
}

/** An entry of the inventory as a baseline has it. */
export interface KnownEntry {
  readonly entry: InventoryEntry;
  /** When it was accepted, by whom and why: with the baseline, or alone later. */
  readonly time: Micros;
  readonly author: string;
  readonly reason: string;
}
