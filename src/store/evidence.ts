import type { Clock } from '../base/clock.js';
import { hashParts, sha256Hex } from '../base/digest.js';
import type { Micros } from '../base/time.js';
import type { FileContent } from '../event/event.js';
import type { StoreNotice } from './condition.js';
import { heldBy, neededBy, openAlertOf } from './needed.js';
import type { IncomingObject, Objects } from './objects.js';
import { all, type Db, one } from './sqlite.js';

export interface EvidenceMeta {
  /** When it was first kept. */
  readonly time: Micros;
  /** macOS path that it was read from. */
  readonly path?: string;
}

export interface Evidence {
  readonly sha256: string;
  /** `truncated` when the file was larger than what was read; the hash is then the whole file's all the same. */
  readonly content: FileContent;
  readonly meta: EvidenceMeta;
  /** True when an alert speaks of it: it is given up last. */
  readonly pinned: boolean;
}

/**
 * What became of a content. `kept`: the bytes are those that were put. `missing`: it was never kept, or was given up for
 * want of room. `corrupt`: the bytes have another hash, `found`, than they had; they are not handed out.
 */
export type EvidenceRead =
  | ({ readonly state: 'kept' } & Evidence)
  | {
      readonly state: 'missing';
      /** It was kept and not given up: its file was taken away. */
      readonly lost?: true;
    }
  | { readonly state: 'corrupt'; readonly found: string };

export interface EvidenceSource {
  readonly path?: string;
  /** Name of the user whose quota it counts against; absent for what belongs to the system. */
  readonly owner?: string;
}

/** Of the quota so much is for what alerts speak of; the rest stays free for files that were just seen. */
const pinnedShare = 0.75;
/** One user's open alerts keep what they speak of up to this share of the quota; beyond it theirs goes like the rest. */
const openShare = 0.5;
/** Of the quota so much is held for one baseline. */
const heldShare = 0.2;
/** Contents of one file that no alert speaks of, the newest ones. */
const looseVersions = 16;
/** A severity score from which on evidence is severe (`high`). */
const severe = 73;
/** Contents from this size on stand in files of their own, and of the quota those that no alert speaks of have so much. */
export const objectBytes = 512 * 1024;
const largeShare = 0.5;
/** So many contents go at once when there is less room than before. */
const shrunkAtOnce = 200;
/** What waits in memory while room on the disk is scarce. */
const mostHeldBytes = 8 * 1024 * 1024;

interface Totals {
  all: number;
  pinned: number;
  /** Loose ones in files of their own. */
  large: number;
}

/**
 * File contents by their hash, bounded in total and fair by user: what no alert speaks of goes first, from the user who
 * has most, the oldest first. When alerts alone fill their share, the user who has most gives up contents of the lowest
 * severity, later ones before the first of each file; what belongs to the system goes last. What somebody holds never
 * goes, and what an open alert speaks of only when that user's open alerts alone have more than their share.
 */
export class EvidenceStore {
  readonly #db: Db;
  readonly #clock: Clock;
  #maxBytes: number;
  /** There is less room than before: what is over it goes bit by bit. */
  #toShrink = false;
  readonly #scarce: () => boolean;
  readonly #objects: Objects;
  /** Hashes of contents that were given up and whose files are not removed yet. */
  readonly #dead = new Set<string>();
  #swept = false;
  readonly #held = new Map<string, { content: FileContent; source: EvidenceSource }>();
  #heldBytes = 0;
  #lost = 0;
  #lostTold = 0;
  /** Pinned contents given up since they were last told, by user. */
  readonly #evicted = new Map<string, number>();
  #evictedSince: Micros | undefined;
  #totals: Totals | undefined;
  /** Pinned bytes of which nothing could be given up. */
  #allNeeded: number | undefined;
  #generation = 0;
  readonly #sql;

  constructor(
    db: Db,
    how: {
      readonly clock: Clock;
      readonly maxBytes: number;
      readonly objects: Objects;
      /** True while the room on the disk is for alerts alone. */
      readonly scarce?: () => boolean;
    },
  ) {
    this.#db = db;
    this.#clock = how.clock;
    this.#maxBytes = how.maxBytes;
    this.#objects = how.objects;
    this.#scarce = how.scarce ?? (() => false);
    this.#sql = {
      put: db.prepare(
        `INSERT OR IGNORE INTO evidence (sha256, time, size, pinned, meta, bytes, owner, item)
          VALUES (:sha256, :time, :size, :pinned, :meta, :bytes, :owner, :item)`,
      ),
      needed: db.prepare(`SELECT ${neededBy(':sha256')} AS needed`),
      pin: db.prepare('UPDATE evidence SET pinned = :score WHERE sha256 = :sha256 AND pinned < :score'),
      get: db.prepare('SELECT sha256, pinned, meta, bytes FROM evidence WHERE sha256 = ?'),
      size: db.prepare('SELECT sha256, size FROM evidence WHERE sha256 = ?'),
      has: db.prepare('SELECT 1 AS has FROM evidence WHERE sha256 = ?'),
      totals: db.prepare(
        `SELECT coalesce(sum(size), 0) AS "all", coalesce(sum(CASE WHEN pinned > 0 THEN size END), 0) AS pinned,
          coalesce(sum(CASE WHEN pinned = 0 AND size >= ${objectBytes} THEN size END), 0) AS large FROM evidence`,
      ),
      owners: db.prepare(
        `SELECT owner, sum(size) AS bytes, sum(CASE WHEN pinned = 0 THEN size ELSE 0 END) AS loose,
          sum(CASE WHEN pinned > 0 THEN size ELSE 0 END) AS pinned FROM evidence GROUP BY owner`,
      ),
      versions: db.prepare(
        'SELECT sha256, size FROM evidence WHERE item = ? AND pinned = 0 ORDER BY time DESC LIMIT -1 OFFSET ?',
      ),
      loose: db.prepare(
        'SELECT sha256, size FROM evidence WHERE owner = ? AND pinned = 0 AND sha256 <> ? ORDER BY time LIMIT 20',
      ),
      largest: db.prepare(
        `SELECT sha256, size FROM evidence WHERE pinned = 0 AND size >= ${objectBytes} AND sha256 <> :keep
          AND owner = (SELECT owner FROM evidence WHERE pinned = 0 AND size >= ${objectBytes} AND sha256 <> :keep
            GROUP BY owner ORDER BY sum(size) DESC LIMIT 1)
          ORDER BY time LIMIT 1`,
      ),
      weakest: db.prepare(
        `SELECT sha256, size, ${openAlertOf('e.sha256')} AS open, (pinned >= ${severe}) AS severe, EXISTS (SELECT 1 FROM evidence o
            WHERE e.item <> '' AND o.item = e.item AND o.pinned > 0 AND (o.time < e.time OR (o.time = e.time AND o.rowid < e.rowid))) AS later
          FROM evidence e WHERE owner = ? AND pinned > 0 AND NOT ${heldBy('e.sha256')}
          ORDER BY open, severe, later DESC, pinned, time DESC, rowid DESC LIMIT 1`,
      ),
      remove: db.prepare('DELETE FROM evidence WHERE sha256 = ?'),
      hold: db.prepare('INSERT OR IGNORE INTO evidence_holds (sha256, holder) VALUES (?, ?)'),
      release: db.prepare('DELETE FROM evidence_holds WHERE holder = ?'),
      holders: db.prepare('SELECT holder FROM evidence_holds WHERE sha256 = ? ORDER BY holder'),
    };
  }

  /** Contents that did not fit into memory while the disk had no room. */
  get lost(): number {
    return this.#lost;
  }

  /** Keeps the bytes of a file; the same hash again changes nothing. Returns how many others had to go. */
  put(sha256: string, content: FileContent, source: EvidenceSource = {}): number {
    if (!this.#scarce()) return this.#store(sha256, content, source);
    this.#hold(sha256, content, source);
    return 0;
  }

  /** A large content (`objectBytes`) that is written piece by piece; undefined while there is no room for such. */
  begin(): Promise<IncomingObject> | undefined {
    return this.#scarce() || this.#db.inMemory ? undefined : this.#objects.begin();
  }

  /** Takes over what `begin` wrote and finished under this hash: all `size` bytes of it. */
  putObject(sha256: string, size: number, source: EvidenceSource = {}): number {
    return this.#store(sha256, { bytes: new Uint8Array(), size, truncated: false }, source, true);
  }

  /** An alert of this severity score speaks of it. */
  pin(sha256: string, score = 1): void {
    if (this.#sql.pin.run({ sha256, score: Math.max(1, score) }).changes > 0) this.#totals = undefined;
  }

  /**
   * From now on it is never given up, also when it comes only later, until `release`. `holder` names who needs it:
   * `undo:...`, `baseline:...`.
   */
  hold(sha256: string, holder: string): void {
    this.#sql.hold.run(sha256, holder);
    this.pin(sha256);
  }

  /** Holds as many of these as fit into a part of the quota, small ones first. */
  holdAll(hashes: readonly string[], holder: string): void {
    const sized = [...new Set(hashes)].flatMap((sha256) => one<Content>(this.#sql.size, sha256) ?? []);
    let left = this.#maxBytes * heldShare;
    for (const { sha256, size } of sized.sort((a, b) => a.size - b.size)) {
      left -= size;
      if (left < 0) return;
      this.hold(sha256, holder);
    }
  }

  /** The holder needs nothing any more: what it held goes when its turn comes. */
  release(holder: string): void {
    this.#sql.release.run(holder);
  }

  holders(sha256: string): string[] {
    return all<{ holder: string }>(this.#sql.holders, sha256).map(({ holder }) => holder);
  }

  /** The bytes, when they are still those that were put. */
  read(sha256: string): EvidenceRead {
    const found = this.#find(sha256);
    if (found === undefined) return { state: 'missing' };
    const { evidence, kept, lost } = found;
    if (lost) return { state: 'missing', lost };
    const { bytes, truncated } = evidence.content;
    // Of a content that is not whole, kept by an earlier version, nobody noted the hash of the part.
    const expected = truncated ? kept : sha256;
    const actual = sha256Hex(bytes);
    return expected === undefined || actual === expected
      ? { state: 'kept', ...evidence }
      : { state: 'corrupt', found: actual };
  }

  /** The bytes as they are, unchecked. */
  get(sha256: string): Evidence | undefined {
    return this.#find(sha256)?.evidence;
  }

  #find(
    sha256: string,
  ): { readonly evidence: Evidence; readonly kept: string | undefined; readonly lost?: true } | undefined {
    type Row = { sha256: string; pinned: number; meta: string; bytes: Buffer };
    const row = one<Row>(this.#sql.get, sha256);
    if (row === undefined) return undefined;
    const { fileSize, truncated, kept, object, ...meta } = metaOf(row.meta);
    const bytes = object === true ? this.#objects.read(sha256) : row.bytes;
    const content = {
      bytes: bytes ?? new Uint8Array(),
      size: fileSize ?? row.bytes.byteLength,
      truncated: truncated ?? false,
    };
    const evidence = { sha256: row.sha256, content, meta, pinned: row.pinned > 0 };
    return { evidence, kept, ...(bytes === undefined ? { lost: true } : {}) };
  }

  /** Other room, bytes; what is over it goes with the next calls of `retry`. */
  resize(maxBytes: number): void {
    if (maxBytes === this.#maxBytes) return;
    this.#maxBytes = maxBytes;
    this.#allNeeded = undefined;
    this.#toShrink = true;
  }

  /** To be called now and then: stores what waited for room, and holds what alerts speak of to its share. */
  retry(): void {
    this.#removeFiles();
    if (this.#toShrink) this.#shrinkOn();
    if (!this.#scarce()) {
      for (const [sha256, { content, source }] of this.#held) {
        this.#store(sha256, content, source);
        this.#held.delete(sha256);
        this.#heldBytes -= content.bytes.byteLength;
      }
    }
    const { pinned } = this.#total();
    if (pinned > this.#maxBytes * pinnedShare && pinned !== this.#allNeeded) this.#shrinkPinned();
  }

  /** What users lost because alerts about them fill their share, once for each user. */
  takeNotices(): StoreNotice[] {
    const to = this.#clock.now();
    const from = this.#evictedSince ?? to;
    const notices: StoreNotice[] = [...this.#evicted].map(([owner, lost]) => ({
      reason: 'overflow' as const,
      from,
      to,
      lost,
      detail: `evidence of ${owner === '' ? 'the system' : `user ${owner}`} is more than there is room for: contents that alerts speak of were given up, first ones and severe ones kept`,
    }));
    this.#evicted.clear();
    this.#evictedSince = undefined;
    const lost = this.#lost - this.#lostTold;
    this.#lostTold = this.#lost;
    if (lost > 0) {
      const detail = 'the disk is full: contents of files did not fit into memory either';
      notices.push({ reason: 'overflow', from, to, lost, detail });
    }
    return notices;
  }

  #hold(sha256: string, content: FileContent, source: EvidenceSource): void {
    if (this.#held.has(sha256)) return;
    const { byteLength } = content.bytes;
    if (this.#heldBytes + byteLength > mostHeldBytes) {
      this.#lost++;
      return;
    }
    this.#heldBytes += byteLength;
    // The memory of the bytes is the caller's.
    const bytes = content.bytes.slice();
    this.#held.set(sha256, { content: { ...content, bytes }, source });
  }

  /** Files of what was given up, once it is sure that nobody has taken it back. */
  #removeFiles(): void {
    if (this.#db.inMemory) return;
    const unknown = (sha256: string) => one(this.#sql.has, sha256) === undefined;
    for (const sha256 of this.#dead) if (unknown(sha256)) this.#objects.remove(sha256);
    this.#dead.clear();
    if (!this.#swept) this.#objects.sweep((sha256) => !unknown(sha256));
    this.#swept = true;
  }

  #store(sha256: string, content: FileContent, source: EvidenceSource, object = false): number {
    try {
      return this.#insert(sha256, content, source, object);
    } catch (error) {
      this.#totals = undefined;
      throw error;
    }
  }

  #insert(sha256: string, content: FileContent, source: EvidenceSource, object: boolean): number {
    return this.#db
      .transaction(() => {
        const totals = this.#total();
        const time = this.#clock.now();
        const { bytes, size, truncated } = content;
        const { path, owner = '' } = source;
        const taken = object ? size : bytes.byteLength;
        const item = path === undefined ? '' : hashParts([path]).slice(0, 16);
        const meta: StoredMeta = {
          time,
          fileSize: size,
          truncated,
          ...(truncated ? { kept: sha256Hex(bytes) } : {}),
          ...(object ? { object } : {}),
          ...(path === undefined ? {} : { path }),
        };
        const pinned = one<{ needed: number }>(this.#sql.needed, { sha256 })?.needed ?? 0;
        const added = this.#sql.put.run({
          sha256,
          time,
          pinned,
          size: taken,
          meta: JSON.stringify(meta),
          bytes,
          owner: owner.slice(0, 256),
          item,
        });
        if (added.changes === 0) return 0;
        totals.all += taken;
        totals.pinned += pinned * taken;
        if (pinned === 0 && taken >= objectBytes) totals.large += taken;
        const old = item === '' ? [] : all<Content>(this.#sql.versions, item, looseVersions);
        return this.#remove(old) + this.#shrinkLoose(sha256);
      })
      .immediate();
  }

  #shrinkOn(): void {
    try {
      this.#toShrink = this.#db.transaction(() => this.#shrinkLoose('', shrunkAtOnce)).immediate() > 0;
    } finally {
      this.#totals = undefined;
    }
  }

  /** Returns how many went: about `most` of them, and none when what alerts do not speak of has room. */
  #shrinkLoose(keep: string, most = Number.POSITIVE_INFINITY): number {
    let gone = 0;
    // Programs must not push out the lists that name them.
    while (gone < most && this.#total().large > this.#maxBytes * largeShare) {
      const rows = all<Content>(this.#sql.largest, { keep });
      if (rows.length === 0) break;
      gone += this.#remove(rows);
    }
    while (gone < most && this.#total().all > this.#maxBytes) {
      const owners = this.#owners().filter(({ loose }) => loose > 0);
      const rows = owners.flatMap(({ owner }) => all<Content>(this.#sql.loose, owner, keep)).slice(0, 20);
      if (rows.length === 0) break;
      gone += this.#remove(rows, () => this.#total().all <= this.#maxBytes);
    }
    return gone;
  }

  #shrinkPinned(): void {
    const most = this.#maxBytes * pinnedShare;
    this.#db
      .transaction(() => {
        let { pinned } = this.#total();
        while (pinned > most) {
          const found = this.#weakest();
          this.#allNeeded = found === undefined ? pinned : undefined;
          if (found === undefined) break;
          pinned -= found.content.size;
          this.#note(found.owner, this.#remove([found.content]));
        }
      })
      .immediate();
    this.#totals = undefined;
  }

  /** What is to go first of what alerts speak of; undefined when all of it is needed. */
  #weakest(): { readonly owner: string; readonly content: Content } | undefined {
    // What belongs to the system goes when there is nothing else.
    const rank = (one: Owner) => (one.owner === '' ? Number.NEGATIVE_INFINITY : one.pinned);
    const owners = this.#owners().filter((one) => one.pinned > 0);
    for (const { owner, pinned } of owners.sort((a, b) => rank(b) - rank(a))) {
      const content = one<Content & { open: number }>(this.#sql.weakest, owner);
      if (content === undefined) continue;
      if (content.open === 0 || pinned > this.#maxBytes * openShare) return { owner, content };
    }
    return undefined;
  }

  #note(owner: string, gone: number): void {
    this.#evictedSince ??= this.#clock.now();
    this.#evicted.set(owner, (this.#evicted.get(owner) ?? 0) + gone);
  }

  /** Who has how much, the most first. */
  #owners(): Owner[] {
    return all<Owner>(this.#sql.owners).sort((a, b) => b.bytes - a.bytes);
  }

  /** Removes contents one by one, until `enough` says so. */
  #remove(rows: readonly Content[], enough: () => boolean = () => false): number {
    let gone = 0;
    for (const { sha256, size } of rows) {
      if (enough()) break;
      this.#sql.remove.run(sha256);
      const totals = this.#total();
      totals.all -= size;
      if (size >= objectBytes) {
        totals.large -= size;
        this.#dead.add(sha256);
      }
      gone++;
    }
    return gone;
  }

  /** Summed once; kept in step while nothing else happens. */
  #total(): Totals {
    if (this.#generation !== this.#db.generation) this.#totals = undefined;
    this.#generation = this.#db.generation;
    this.#totals ??= one<Totals>(this.#sql.totals) as Totals;
    return this.#totals;
  }
}

interface Content {
  readonly sha256: string;
  readonly size: number;
}

interface Owner {
  readonly owner: string;
  readonly bytes: number;
  readonly loose: number;
  readonly pinned: number;
}

/** Whose quota a file counts against: the home that it is in, else its owner; undefined for the system's. */
export function evidenceOwner(file: {
  readonly path?: string;
  readonly owner?: string;
  readonly uid?: string;
}) {
  const home = /^\/Users\/(?!Shared\/)([^/]+)\//.exec(file.path ?? '')?.[1];
  if (home !== undefined) return home;
  return file.uid === '0' || file.owner === 'root' ? undefined : (file.owner ?? file.uid);
}

type StoredMeta = EvidenceMeta & {
  readonly fileSize?: number;
  readonly truncated?: boolean;
  /** Of a truncated content: the hash of the part that is kept. */
  readonly kept?: string;
  /** It stands in a file of its own. */
  readonly object?: boolean;
};

function metaOf(text: string): StoredMeta {
  try {
    const meta = JSON.parse(text) as StoredMeta | null;
    if (typeof meta === 'object' && meta !== null && Number.isSafeInteger(meta.time)) return meta;
  } catch {
    // Damaged: the bytes are worth more than what was noted about them.
  }
  return { time: 0 };
}
