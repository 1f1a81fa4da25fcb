import { randomInt } from 'node:crypto';
import type { Snapshot } from './snapshot.js';

/** Numbers that are kept in all; each takes some 40 bytes. */
const maxFingerprints = 262_144;

/**
 * What was seen of the items that are beyond the caps: a number each, by which a scan tells a new or changed one from
 * one that was there before. A deletion cannot be told from it.
 */
export class Fingerprints {
  readonly #seen = new Set<number>();

  /** True when all that is added can still be told apart. */
  get hasRoom(): boolean {
    return this.#seen.size < maxFingerprints;
  }

  /** True when the item is known as it is. */
  has(path: string, snapshot: Snapshot): boolean {
    return this.#seen.has(fingerprint(path, snapshot));
  }

  add(path: string, snapshot: Snapshot): void {
    if (this.hasRoom) this.#seen.add(fingerprint(path, snapshot));
  }
}

/** Drawn anew by each process, so that nobody can make up an item that is taken for another one. */
const seeds = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;

/** 53 bits of two multiplicative hashes. */
function fingerprint(path: string, { key, ctime, size, mode, uid, gid, type }: Snapshot): number {
  const text = `${path}\0${key}:${ctime}:${type === 'dir' ? '' : size}:${mode}:${uid}:${gid}:${type}`;
  let [a, b] = seeds;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) & 0x1fffff);
}
