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
const telling: ReadonlySet<string> = new Set([
  'remote-script',
  'remote-shell',
  'program-in-tmp',
  'dyld-environment',
  'script-cut',
]);

/**
 * The item of a file that its owner fills with all kinds of things: that it fetches, decodes or runs something from a
 * hidden folder is usual there, and no finding.
 */
export function ownersItem(given: Partial<PersistentItem>): PersistentItem {
  const item = itemOf(given);
  const own = given.findings ?? [];
  return { ...item, findings: item.findings.filter((one) => telling.has(one) || own.includes(one)) };
}

/**
 * The items of a file, at most `maxItems`: those about which something is odd, then the first ones; that there are more is a
 * finding of the last one. Items of one key are one: the first, which starts whenever any of them does.
 */
export function firstItems(items: Iterable<PersistentItem>): PersistentItem[] {
  const kept = new Map<string, PersistentItem>();
  /** Keys of those that give way to an odd one, the last of them first. */
  let plain: string[] | undefined;
  let isFull = false;
  for (const item of items) {
    const same = kept.get(item.key);
    if (same !== undefined) {
      kept.set(item.key, { ...same, when: [...new Set([...same.when, ...item.when])] });
      continue;
    }
    if (kept.size >= maxItems) {
      isFull = true;
      if (item.findings.length === 0) continue;
      plain ??= [...kept.values()].filter(({ findings }) => findings.length === 0).map(({ key }) => key);
      const gone = plain.pop();
      if (gone === undefined) break;
      kept.delete(gone);
    }
    kept.set(item.key, item);
  }
  const [last] = [...kept.values()].slice(-1);
  if (isFull && last !== undefined)
    kept.set(last.key, { ...last, findings: [...last.findings, 'too-many-items'] });
  return [...kept.values()];
}

/** A long key keeps its beginning; the rest is hashed, so that two long ones differ. */
function boundedKey(key: string): string {
  return key.length <= maxKey
    ? flat(key)
    : flat(`${key.slice(0, maxKey - 20)}#${hashParts([key]).slice(0, 16)}`);
}
