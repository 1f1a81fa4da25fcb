import { hashParts } from '../base/digest.js';
import { flat } from '../base/flat.js';
import type { PersistentItem } from './mechanism.js';
import { maxItems, reasonsOf } from './read.js';

/** Characters of a key and of a label. */
const maxKey = 256;
const maxLabel = 1_024;

/** An item from what is known of it; the findings of what it runs are added to its own. */
export function itemOf(given: Partial<PersistentItem>): PersistentItem {
  const { key = '', label, runs = [], when = [], as, enabled, findings = [] } = given;
  return {
    key: boundedKey(key),
    label: label === undefined ? undefined : flat(label.slice(0, maxLabel)),
    runs,
    when,
    as: as === undefined ? undefined : flat(as.slice(0, maxKey)),
    enabled,
    findings: [...new Set([...findings, ...reasonsOf(runs)])],
  };
}

/** Findings that speak for themselves, in whatever company. */
const telling: ReadonlySet<string> = new Set(['remote-script', 'program-in-tmp', 'dyld-environment']);

/**
 * The item of a file that its owner fills with all kinds of things: that it fetches, decodes or runs something from a
 * hidden folder is usual there, and no finding.
 */
export function ownersItem(given: Partial<PersistentItem>): PersistentItem {
  const item = itemOf(given);
  const own = given.findings ?? [];
  return { ...item, findings: item.findings.filter((one) => telling.has(one) || own.includes(one)) };
}

/** The first items; that there are more is a finding of the last one. Items of one key are one, the first. */
export function firstItems(items: Iterable<PersistentItem>): PersistentItem[] {
  const kept = new Map<string, PersistentItem>();
  for (const item of items) {
    if (kept.has(item.key)) continue;
    if (kept.size >= maxItems) {
      const [last] = [...kept.values()].slice(-1);
      if (last !== undefined) kept.set(last.key, { ...last, findings: [...last.findings, 'too-many-items'] });
      break;
    }
    kept.set(item.key, item);
  }
  return [...kept.values()];
}

/** A long key keeps its beginning; the rest is hashed, so that two long ones differ. */
function boundedKey(key: string): string {
  return key.length <= maxKey
    ? flat(key)
    : flat(`${key.slice(0, maxKey - 20)}#${hashParts([key]).slice(0, 16)}`);
}
