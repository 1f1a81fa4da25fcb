import type { Clock } from '../base/clock.js';
import type { InventoryEntry } from '../event/inventory.js';
import { weightOf } from '../event/priority.js';
import { type ContentScanner, type FileScan, withheld } from './content-scanner.js';
import type { ItemJudge, RuleHit } from './judge.js';
import { type ItemTargets, inFairOrder } from './targets.js';

/** `match`: a hash list, YARA or a rule about the item names it. `odd`: its findings weigh as much as rare software's. */
export type ScanWord = 'match' | 'odd' | 'quiet';

/** What a scan says about one item; `item` is undefined for files that belong to none. */
export interface ScanVerdict {
  readonly word: ScanWord;
  readonly item: readonly InventoryEntry[] | undefined;
  readonly files: readonly FileScan[];
  readonly rules: readonly RuleHit[];
  /** Why not all of its files were scanned. */
  readonly cut?: string;
}

export interface ScanWork {
  readonly items: readonly ItemTargets[];
  /** Files of no item, canonical paths. */
  readonly files: readonly string[];
}

export interface ScanParts {
  readonly content: ContentScanner;
  readonly judge: ItemJudge;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly budgetMs: number;
  /** Called with the files that are done, and how many there are. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Why a file was left out when the time was over, or somebody interrupted. */
const outOfTime = 'the time of the scan was over';

const oddWeight = 20;

/** Scans items and files, the system and each home in turn. A file that several items name is scanned once. */
export async function* scanAll(work: ScanWork, parts: ScanParts): AsyncGenerator<ScanVerdict> {
  const { clock, signal, content, judge, budgetMs, onProgress } = parts;
  const until = clock.monotonic() + budgetMs;
  const scanned = new Map<string, FileScan>();
  const items = inFairOrder(work.items);
  const all = new Set([...items.flatMap(({ paths }) => paths), ...work.files]).size;
  const scan = async (path: string, item?: string): Promise<FileScan> => {
    const known = scanned.get(path);
    if (known !== undefined) return known;
    const done =
      clock.monotonic() > until || signal.aborted
        ? { path, yara: [], left: outOfTime }
        : await content.scan(path, signal, item);
    // Another item may name it as well.
    if (done.left === withheld) return done;
    scanned.set(path, done);
    onProgress?.(scanned.size, all);
    return done;
  };
  for (const { entries, paths, cut } of items) {
    const files: FileScan[] = [];
    for (const path of paths) files.push(await scan(path, entries[0]?.path));
    const rules = judge.hits(entries);
    const verdict = { item: entries, files, rules, ...(cut === undefined ? {} : { cut }) };
    yield { word: wordOf(verdict), ...verdict };
  }
  const ofItems = new Set(items.flatMap(({ paths }) => paths));
  for (const path of work.files) {
    if (ofItems.has(path)) continue;
    const verdict = { item: undefined, files: [await scan(path)], rules: [] };
    yield { word: wordOf(verdict), ...verdict };
  }
}

function wordOf({ item, files, rules }: Omit<ScanVerdict, 'word'>): ScanWord {
  const named = files.some(({ listed, yara }) => listed !== undefined || yara.length > 0);
  if (named || rules.some(({ about, exception }) => about === 'item' && exception === undefined))
    return 'match';
  const weight = Math.max(0, ...(item ?? []).map(({ findings }) => weightOf(findings)));
  return weight >= oddWeight ? 'odd' : 'quiet';
}
