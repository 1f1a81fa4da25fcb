import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { hasUnreadLines } from './read.js';

/**
 * The items that a file describes. That a part of the file was not read is a finding of each, and an item of its own where
 * nothing else was found: what is not seen must not look like nothing. Throws what the mechanism throws.
 */
export function readItems(mechanism: Mechanism, file: MechanismFile): readonly PersistentItem[] {
  const items = mechanism.read(file);
  const unread = unreadParts(mechanism, file);
  if (unread.length === 0) return items;
  if (items.length === 0) return [{ key: '', runs: [], when: [], findings: unread }];
  return items.map((item) => ({ ...item, findings: [...new Set([...item.findings, ...unread])] }));
}

function unreadParts(mechanism: Mechanism, file: MechanismFile): string[] {
  const { content } = file;
  if (content === undefined || isBinary(content.bytes)) return [];
  const findings: string[] = [];
  if (content.truncated && mechanism.growsLarge !== true) findings.push('oversized');
  if (mechanism.byLine === true && hasUnreadLines(file)) findings.push('line-cut');
  return findings;
}

/** Mach-O of either order and width, universal binaries, SQLite, archives, scripts that zsh has compiled. */
const binary = /^(?:feedfac[ef]|c[ef]faedfe|cafebab[ef]|53514c69|504b0304|1f8b|04050607|07060504)/;

function isBinary(bytes: Uint8Array): boolean {
  return binary.test(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
}
