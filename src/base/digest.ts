import { hash } from 'node:crypto';

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** A hash of a list of parts in which no two different lists can collide by concatenation: 32 hexadecimal digits. */
export function hashParts(parts: readonly (string | number | bigint)[]): string {
  let text = '';
  for (const part of parts) {
    const one = String(part);
    text += `${Buffer.byteLength(one)}:${one}`;
  }
  return hash('sha256', text).slice(0, 32);
}
