import { comparedFindings } from './compared.js';
import type { Item, Settling } from './tree.js';

/** The event that an item is told under, for a later run to go on with: JSON. */
export function toldOf(item: Item): string | undefined {
  if (item.settling === undefined) return undefined;
  const { id, base, action, time, notBefore, original, content, foundBefore } = item.settling;
  const findings = foundBefore ?? comparedFindings(item);
  return JSON.stringify(
    { id, base, action, time, notBefore, original, content, findings },
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
}

/** What `toldOf` gave, as if this run had told it; undefined when it cannot be read. `now`: steady milliseconds. */
export function readTold(text: string | undefined, now: number): Settling | undefined {
  if (text === undefined) return undefined;
  try {
    const { time, notBefore, findings, ...told } = JSON.parse(text) as Record<string, unknown>;
    if (typeof told['id'] !== 'string' || typeof told['base'] !== 'string' || !Array.isArray(findings))
      return undefined;
    return {
      ...(told as Pick<Settling, 'id' | 'base' | 'action' | 'original' | 'content'>),
      time: BigInt(time as string),
      notBefore: notBefore === undefined ? undefined : BigInt(notBefore as string),
      first: now,
      last: now,
      told: now,
      was: undefined,
      foundBefore: findings as string[],
    };
  } catch {
    return undefined;
  }
}
