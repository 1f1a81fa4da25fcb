import { lstatSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../base/errors.js';
import type { PlistResult } from '../base/plist/index.js';
import type { RootMap } from '../base/root.js';
import type { FileContent } from '../event/event.js';
import { persistentItemId } from '../event/ids.js';
import type { InventoryEntry } from '../event/inventory.js';
import {
  type Found,
  type Mechanism,
  type MechanismFile,
  type PersistentItem,
  readItems,
} from '../mechanisms/index.js';
import { listOf } from '../mechanisms/read.js';
import { ContentReader, lookAt, Rights, type Snapshot } from '../sensors/file-watch/index.js';
import { launchdColumns, startupColumns } from './osquery.js';
import { type Candidate, candidatesOf, Lister } from './places.js';

/** Bytes of a file that describes an item, and of a program that is hashed. */
const maxContent = 1024 * 1024;
const maxProgram = 8 * 1024 * 1024;
const maxHashes = 4_096;
/** Entries of one home, and of the system: nobody's take the room of others. */
const mostOfHome = 10_000;
/** Values of a list that an entry keeps. */
const maxValues = 64;
const infoPlist = 'Contents/Info.plist';

export interface ScanOptions {
  readonly root: RootMap;
  readonly mechanisms: readonly Mechanism[];
  /** Canonical macOS paths of all homes. */
  readonly homes: readonly string[];
  /** Entries of an earlier scan by item id: those of a file that has not changed are taken over. */
  readonly known?: ReadonlyMap<string, readonly InventoryEntry[]>;
  /** Entries of one home, and of the system. */
  readonly maxOfHome?: number;
}

/** The entries of one file, or none. */
export interface ScannedItem {
  readonly itemId: string;
  readonly entries: readonly InventoryEntry[];
}

/**
 * Reads every persistent item of a Mac, or of a tree that stands for one. One step reads one file and takes at most some
 * milliseconds: whoever must not stand still takes a few steps at a time. Writes nothing; a bad file costs itself alone.
 */
export class InventoryScan {
  readonly #options: ScanOptions;
  readonly #rights: Rights;
  readonly #lister: Lister;
  readonly #reader = new ContentReader(maxContent);
  #hasher: ContentReader | undefined;
  /** Hashes of programs by their stamps: many items run the same shell. */
  readonly #hashes = new Map<string, string | undefined>();

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#rights = new Rights(options.root);
    this.#lister = new Lister(this.#rights);
  }

  /**
   * Folders and files of which not everything was read, canonical paths: for want of rights, or because a home, or the
   * system (`/`), has too many entries.
   */
  get refused(): readonly string[] {
    return [...this.#lister.refused];
  }

  /** All items; undefined after a path at which nothing is. */
  *all(): Generator<ScannedItem | undefined> {
    const { mechanisms, homes, maxOfHome = mostOfHome } = this.#options;
    const seen = new Set<string>();
    const counts = new Map<string, number>();
    for (const mechanism of mechanisms)
      for (const candidate of candidatesOf(mechanism, { homes, lister: this.#lister })) {
        const { home = '/' } = candidate;
        const count = counts.get(home) ?? 0;
        if (count >= maxOfHome) {
          this.#lister.refuse(home);
          continue;
        }
        const itemId = persistentItemId(mechanism.id, candidate.path);
        if (seen.has(itemId)) continue;
        const item = this.#read(candidate, itemId);
        if (item !== undefined) seen.add(itemId);
        counts.set(home, count + (item?.entries.length ?? 0));
        yield item;
      }
  }

  /** One item, as a path belongs to it; without entries when nothing is there. */
  one({ mechanism, place, path, home }: Found): ScannedItem {
    const itemId = persistentItemId(mechanism.id, path);
    return this.#read({ mechanism, place, path, home }, itemId) ?? { itemId, entries: [] };
  }

  #read(candidate: Candidate, itemId: string): ScannedItem | undefined {
    try {
      const seen = lookAt(this.#options.root.toHost(candidate.path));
      if (seen === 'denied' && this.#isRefused(candidate.path)) this.#lister.refuse(candidate.path);
      if (seen === undefined || seen === 'denied') return undefined;
      const { what } = candidate.place;
      if (what !== 'bundles' && seen.type === 'dir') return undefined;
      if (what === 'bundles' && seen.type !== 'dir' && seen.type !== 'symlink') return undefined;
      return { itemId, entries: this.#entries(candidate, itemId, seen) };
    } catch {
      return undefined;
    }
  }

  #entries(candidate: Candidate, itemId: string, seen: Snapshot): readonly InventoryEntry[] {
    const { place, path } = candidate;
    const described = place.what === 'bundles' ? `${path}/${place.describedBy ?? infoPlist}` : path;
    const file = this.#open(described);
    const stamp = `${stampOf(seen)} ${file === undefined ? '-' : stampOf(file.seen)}`;
    const known = this.#options.known?.get(itemId) ?? [];
    if (
      known.length > 0 &&
      known.every((entry) => entry.stamp === `${stamp} ${this.#programStamp(entry.program)}`)
    )
      return known;
    const read = file?.read();
    const content = read?.content;
    const list =
      content !== undefined && launchdMechanisms.test(candidate.mechanism.id) ? listOf(content) : undefined;
    const mechanismFile: MechanismFile = {
      path,
      home: candidate.home,
      uid: seen.uid,
      mode: seen.mode,
      type: seen.type === 'file' || seen.type === 'dir' || seen.type === 'symlink' ? seen.type : 'other',
      content,
      ...(list === undefined ? {} : { list }),
      target: seen.type === 'symlink' ? this.#target(path) : undefined,
    };
    const size = file?.seen.size ?? seen.size;
    const facts: EntryFacts = { candidate, itemId, seen, stamp, sha256: read?.sha256, list, size };
    // What stands there and cannot be read is there all the same.
    const unread = file !== undefined && content === undefined;
    const items = unread ? [unreadable] : itemsOf(candidate.mechanism, mechanismFile);
    const entries = items.map((item) => this.#entry(item, facts));
    content?.release?.();
    return entries;
  }

  #entry(item: PersistentItem, facts: EntryFacts): InventoryEntry {
    const { candidate, itemId, seen, stamp, sha256, list, size } = facts;
    const { mechanism, path, home } = candidate;
    const runs = [...new Set(item.runs.flatMap(({ paths }) => paths))].slice(0, maxValues);
    const program = item.runs.find((one) => one.path !== undefined)?.path;
    const programHash = program === undefined || program === path ? undefined : this.#hash(program, path);
    const common = {
      mechanism: mechanism.id,
      path,
      ...(item.label === undefined ? {} : { label: item.label }),
      runs,
      ...(program === undefined ? {} : { program }),
      ...(item.as === undefined ? {} : { as: item.as }),
      ...(item.enabled === undefined ? {} : { enabled: item.enabled }),
    };
    const launchd = launchdMechanisms.test(mechanism.id);
    const startup = startupColumns(common);
    return {
      item_id: itemId,
      key: item.key,
      ...common,
      ...(home === undefined ? {} : { home }),
      when: item.when,
      findings: item.findings,
      removal: mechanism.removal(item, { path }),
      type: seen.type === 'file' || seen.type === 'dir' || seen.type === 'symlink' ? seen.type : 'other',
      size,
      mode: seen.mode.toString(8).padStart(4, '0'),
      uid: seen.uid,
      mtime: Number(seen.mtime / 1_000_000_000n),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(programHash === undefined ? {} : { program_sha256: programHash }),
      ...(launchd ? { launchd: launchdColumns(path, list) } : {}),
      ...(startup === undefined ? {} : { startup_items: startup }),
      stamp: `${stamp} ${this.#programStamp(program)}`,
    };
  }

  /** A regular file at the end of a path, links followed, and how to read it; undefined when none is there. */
  #open(macPath: string) {
    const passage = this.#rights.follow(macPath);
    const seen = passage === undefined ? undefined : lookAt(passage.host);
    if (passage === undefined || seen === undefined || seen === 'denied' || seen.type !== 'file')
      return undefined;
    return {
      seen,
      passage,
      read: (reader = this.#reader): { content?: FileContent; sha256?: string } => {
        const result = reader.read({ hostPath: passage.host, seen, passage }, maxContent);
        if (!result.ok) return {};
        const { content, sha256 } = result;
        return { content, ...(sha256 === undefined ? {} : { sha256 }) };
      },
    };
  }

  /** Of what a user's item names only when that user could read it: a hash tells what stands there. */
  #hash(program: string, item: string): string | undefined {
    if (!program.startsWith('/')) return undefined;
    const file = this.#open(program);
    if (file === undefined || file.seen.size > maxProgram) return undefined;
    if (!file.passage.mayReadAs(this.#rights.decider(item), file.seen)) return undefined;
    const stamp = stampOf(file.seen);
    if (!this.#hashes.has(stamp)) {
      if (this.#hashes.size >= maxHashes) this.#hashes.clear();
      this.#hasher ??= new ContentReader(maxProgram);
      const { content, sha256 } = file.read(this.#hasher);
      content?.release?.();
      this.#hashes.set(stamp, sha256);
    }
    return this.#hashes.get(stamp);
  }

  #programStamp(program: string | undefined): string {
    if (program?.startsWith('/') !== true) return '-';
    const file = this.#open(program);
    return file === undefined ? '-' : stampOf(file.seen);
  }

  /** A file in the place of a folder on the way is no refusal. */
  #isRefused(path: string): boolean {
    try {
      lstatSync(this.#options.root.toHost(path));
      return false;
    } catch (error) {
      return /^E(?:ACCES|PERM)$/.test(errnoOf(error) ?? '');
    }
  }

  #target(path: string): string | undefined {
    try {
      return readlinkSync(this.#options.root.toHost(path));
    } catch {
      return undefined;
    }
  }
}

interface EntryFacts {
  readonly candidate: Candidate;
  readonly itemId: string;
  readonly seen: Snapshot;
  readonly stamp: string;
  readonly list: PlistResult | undefined;
  readonly sha256: string | undefined;
  readonly size: number;
}

const launchdMechanisms = /^(?:launch-agent|launch-daemon|bundled-launch-item)$/;
const unreadable: PersistentItem = { key: '', runs: [], when: [], findings: ['unreadable'] };

function itemsOf(mechanism: Mechanism, file: MechanismFile): readonly PersistentItem[] {
  try {
    return readItems(mechanism, file);
  } catch {
    // A mistake of ours must not hide that the file is there.
    return [unreadable];
  }
}

function stampOf({ key, ctime, size, mode, uid }: Snapshot): string {
  return `${key}:${ctime}:${size}:${mode}:${uid}`;
}
