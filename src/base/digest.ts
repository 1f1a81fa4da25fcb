import { hash } from 'node:crypto';

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** A hash of a list of parts in which no two different lists can collide by concatenation: 32 hexadecimal digits. */
export function hashParts(parts: readonly (string | number | bigint)[]): string {
  let text = joined(parts, (one) => one.length);
  // Parts are measured in bytes, which are as many as characters of plain ASCII.
  if (Buffer.byteLength(text) !== text.length) text = joined(parts, Buffer.byteLength);
  return hash('sha256', text).slice(0, 32);
}

function joined(parts: readonly (string | number | bigint)[], length: (part: string) => number): string {
  let text = '';
  for (const part of parts) {
    const one = String(part);
    text += `${length(one)}:${one}`;
  }
  return text;
}
