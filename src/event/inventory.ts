import type { CodeSignatureFields } from './document.js';

/** What the inventory knows of one entry of a persistent item, as it was last seen. */
export interface InventoryEntry {
  /** The file or bundle that it stands in: `persistentItemId`, as events carry it. */
  readonly item_id: string;
  /** What tells it apart from other entries of the same item; empty when the file is the item. */
  readonly key: string;
  /** `launch-daemon`, `cron`, ... */
  readonly mechanism: string;
  /** Canonical macOS path. */
  readonly path: string;
  /** The home that it stands in. */
  readonly home?: string;
  readonly label?: string;
  /** Programs, scripts and modules that it executes or loads, canonical paths where they are known. */
  readonly runs: readonly string[];
  /** The one of them that does the work. */
  readonly program?: string;
  /** What starts it: `login`, `boot`, `interval`, ... */
  readonly when: readonly string[];
  /** User name that it runs as. */
  readonly as?: string;
  readonly enabled?: boolean;
  readonly findings: readonly string[];
  /** What a person does to remove it. */
  readonly removal: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'other';
  /** Bytes, of a bundle those of the file that describes it. */
  readonly size: number;
  /** Octal permission bits, and owner. */
  readonly mode: string;
  readonly uid: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Of the file that describes it; absent when it could not be read whole. */
  readonly sha256?: string;
  readonly program_sha256?: string;
  readonly signer?: CodeSignatureFields;
  /** Columns of osquery's table of the same name, as texts. */
  readonly launchd?: Readonly<Record<string, string>>;
  readonly startup_items?: Readonly<Record<string, string>>;
  /** Changes with the file, what describes it and its program: an entry with the same stamp need not be read again. */
  readonly stamp: string;
}

/** Who wrote an item, when a sensor saw it. */
export interface InventoryWriter {
  readonly executable?: string;
  readonly user?: string;
  readonly pid?: number;
  readonly signing_id?: string;
  readonly team_id?: string;
}

/** An entry with its history; times in microseconds. */
export interface InventoryRow {
  readonly entry: InventoryEntry;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** When what it says, or what it runs, was last found different. */
  readonly changed: number;
  /** When it was found gone. */
  readonly gone?: number;
  /** It was there at the first inventory of this Mac: who brought it nobody saw. */
  readonly baseline: boolean;
  readonly by?: InventoryWriter;
}

/** True when what stands at a path may be there although a scan that refused these did not see it. */
export function isHidden(path: string, refused: readonly string[]): boolean {
  return refused.some((one) => path === one || path.startsWith(one === '/' ? '/' : `${one}/`));
}

/** What tells two states of an entry apart, besides times. */
export function entryContent(entry: InventoryEntry): string {
  const { stamp: _, mtime: __, signer: ___, ...rest } = entry;
  return JSON.stringify(rest);
}
