import type { Mechanism, MechanismFile, PersistentItem } from './mechanism.js';
import { hasUnreadLines, listOf } from './read.js';

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
  if (content === undefined) return [];
  // What a shell reads line by line it reads whatever it begins with.
  const mayBeBinary = mechanism.byLine !== true || binaryName.test(file.path);
  if (mayBeBinary && isBinary(content.bytes)) return [];
  const findings: string[] = [];
  if (content.truncated && mechanism.growsLarge !== true) findings.push('oversized');
  if (mechanism.growsLarge !== true && isTooComplex(file)) findings.push('plist-too-complex');
  if (mechanism.byLine === true && hasUnreadLines(file)) findings.push('line-cut');
  return findings;
}

/** Smaller property lists hold no more values than are read. */
const leastComplex = 64 * 1024;

/** A property list with more values than are read: a mechanism may not have come to those that it looks for. */
function isTooComplex({ content, list }: MechanismFile): boolean {
  if (content === undefined || content.bytes.length < leastComplex) return false;
  if (!/^\s*(?:<|bplist)/.test(Buffer.from(content.bytes.subarray(0, 256)).toString('latin1'))) return false;
  const read = list ?? listOf(content);
  return read.ok ? read.findings.includes('plist-too-complex') : read.finding === 'plist-too-complex';
}

/** Mach-O of either order and width, universal binaries, SQLite, archives, scripts that zsh has compiled. */
const binary = /^(?:feedfac[ef]|c[ef]faedfe|cafebab[ef]|53514c69|504b0304|1f8b|04050607|07060504)/;

/** Modules, compiled scripts and hooks, which stand among files that are read line by line. */
const binaryName = /\.(?:so(?:\.\d+)?|dylib|zwc)$|\/(?:hooks|\.git-?hooks)\/[^/]+$/i;

function isBinary(bytes: Uint8Array): boolean {
  return binary.test(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
}
