import { createHash } from 'node:crypto';

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A hash of a list of parts in which no two different lists can collide by concatenation: 32 hexadecimal digits. */
export function hashParts(parts: readonly (string | number | bigint)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const text = String(part);
    hash.update(`${Buffer.byteLength(text)}:`).update(text);
  }
  return hash.digest('hex').slice(0, 32);
}
