import { flat } from '../flat.js';
import type { PlistValue, Repeated } from './value.js';

/** Bounds of the text: what an alert carries and a person reads. */
const limits = { characters: 16_384, string: 4_096, nodes: 2_000, depth: 24 } as const;
/** Stands where something was left out. */
const cut = '…';

/**
 * A property list as JSON text of at most about 16,000 characters, always valid JSON. What JSON has no form for is
 * tagged: `{"$data":"base64","$bytes":12}`, `{"$date":"…"}`, `{"$uid":"7"}`; integers beyond 2^53 and not-a-number are text.
 * `…` (written `\u2026`) stands for what did not fit. `$repeated` holds what `repeated` gives: values that a later one under the same key
 * has replaced.
 */
export function plistToJson(value: PlistValue, repeated: Repeated = new Map()): string {
  const shaper = new Shaper();
  const replaced = repeated.size === 0 ? undefined : shaper.shape(new Map([...repeated].map(copied)), 0);
  const shaped = shaper.shape(value, 0);
  if (replaced === undefined || typeof shaped !== 'object') return shaper.text(shaped);
  return shaper.text(Object.assign(Object.create(null), shaped, { $repeated: replaced }));
}

function copied([key, values]: readonly [string, readonly PlistValue[]]): [string, PlistValue] {
  return [key, [...values]];
}

class Shaper {
  #nodes: number = limits.nodes;
  #characters: number = limits.characters;
  /** The list itself holds what we mark cuts by. */
  #isOwn = false;

  /**
   * The mark is written as an escape: as it is, it would make the memory take two bytes a character for the whole text,
   * which is kept for as long as a rule looks back.
   */
  text(shaped: unknown): string {
    const text = JSON.stringify(shaped);
    return flat(this.#isOwn || !text.includes(cut) ? text : text.replaceAll(cut, '\\u2026'));
  }

  shape(value: PlistValue, depth: number): unknown {
    if (--this.#nodes < 0 || this.#characters <= 0 || depth > limits.depth) return cut;
    if (value === null || typeof value === 'boolean') return this.#counted(value, 5);
    if (typeof value === 'number') return this.#counted(Number.isFinite(value) ? value : String(value), 12);
    if (typeof value === 'bigint') return this.#text(String(value));
    if (typeof value === 'string') return this.#text(value);
    if (value instanceof Date) return { $date: this.#text(value.toISOString()) };
    if (value instanceof Uint8Array) {
      const base64 = Buffer.from(value.subarray(0, 3_072)).toString('base64');
      return { $data: this.#text(base64), $bytes: value.length };
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    if (value instanceof Map) return this.#dictionary(value, depth);
    return { $uid: this.#text(String(value.uid)) };
  }

  #list(value: readonly PlistValue[], depth: number): unknown[] {
    const result: unknown[] = [];
    this.#characters -= 2;
    for (const item of value) {
      if (this.#full()) {
        result.push(cut);
        break;
      }
      result.push(this.shape(item, depth + 1));
    }
    return result;
  }

  #dictionary(value: ReadonlyMap<string, PlistValue>, depth: number): object {
    // With a null prototype the key `__proto__` is a key like any other.
    const result: Record<string, unknown> = Object.create(null);
    this.#characters -= 2;
    for (const [key, item] of value) {
      if (this.#full()) {
        result[cut] = cut;
        break;
      }
      result[this.#text(key)] = this.shape(item, depth + 1);
    }
    return result;
  }

  #full(): boolean {
    return this.#nodes <= 0 || this.#characters <= 0;
  }

  #text(text: string): string {
    const room = Math.max(0, Math.min(limits.string, this.#characters));
    const kept = text.length <= room ? text : `${text.slice(0, room)}${cut}`;
    if (!this.#isOwn) this.#isOwn = text.includes(cut);
    // Quotes, a comma or colon, and escapes as long as they come out.
    this.#characters -= JSON.stringify(kept).length + 1;
    return kept;
  }

  #counted<T>(value: T, length: number): T {
    this.#characters -= length;
    return value;
  }
}
