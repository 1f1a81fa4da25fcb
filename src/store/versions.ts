import { hashParts } from '../base/digest.js';
import type { Micros } from '../base/time.js';
import type { CodeSignatureFields } from '../event/document.js';
import type { ExtendedAttribute, NotTaken, SeenState, Version, VersionKind } from '../event/version.js';
import { type EvidenceStore, evidenceOwner } from './evidence.js';
import { neededBy } from './needed.js';
import { all, type Db, one } from './sqlite.js';

/** Versions of one path; of more the oldest go, but for the first and what an open alert needs. */
const maxOfPath = 64;
/** Versions in all. */
const maxVersions = 100_000;
/** Contents of one path that an open alert keeps. */
const maxOfAlert = 4;
/** Open alerts of one item that are looked at. */
const maxAlerts = 8;
const defaultLimit = 1_000;
/** So long after its first sight a version with the same content is still the same. */
const settleMicros = 2_000_000;

/** Attributes that change by use, and say nothing about what the file is. */
const restless = new Set(['com.apple.lastuseddate#PS']);

interface Row {
  readonly seq: number;
  readonly path: string;
  readonly kind: string;
  readonly time: number;
  readonly last: number;
  readonly gone: number | null;
  readonly digest: string;
  readonly sha256: string | null;
  readonly size: number;
  readonly body: string;
  /** `meta` of the content; null when it is not kept. */
  readonly meta: string | null;
}

export interface VersionQuery {
  /** 1000 when absent. */
  readonly limit?: number;
  /** Those that were first seen at or before this. */
  readonly until?: Micros;
}

/** How a path belongs to an item. */
export interface ItemPath {
  readonly itemId: string;
  readonly path: string;
  /** `item`: it describes the item. `runs`: the item executes or loads it. `part`: it stands in the item's bundle. */
  readonly role: 'item' | 'runs' | 'part';
}

const columns = `v.seq, v.path, v.kind, v.time, v.last, v.gone, v.digest, v.sha256, v.size, v.body,
  (SELECT meta FROM evidence e WHERE e.sha256 = v.sha256) AS meta`;

/**
 * Every state that a watched file was seen in, by path; an item has the paths that describe it, that it runs and that
 * stand in its bundle. The bytes are in `evidence`, under the hash. Bounded by path and in all.
 */
export class Versions {
  readonly #db: Db;
  readonly #evidence: Pick<EvidenceStore, 'pin'>;
  readonly #sql;
  #rows: number | undefined;
  #generation = 0;

  /** `evidence`: where what an alert comes to need is pinned. */
  constructor(db: Db, evidence: Pick<EvidenceStore, 'pin'>) {
    this.#db = db;
    this.#evidence = evidence;
    const list = (where: string) =>
      db.prepare(`SELECT ${columns} FROM versions v WHERE ${where} ORDER BY v.seq DESC LIMIT :limit`);
    this.#sql = {
      get: db.prepare(`SELECT ${columns} FROM versions v WHERE v.seq = ?`),
      newest: db.prepare(`SELECT ${columns} FROM versions v WHERE v.path = ? ORDER BY v.seq DESC LIMIT 1`),
      before: db.prepare(
        `SELECT ${columns} FROM versions v WHERE v.path = ? AND v.seq < ? ORDER BY v.seq DESC LIMIT ${maxOfPath}`,
      ),
      ofPath: list('v.path = :path AND v.time <= :until'),
      ofHash: list('v.sha256 = :sha256 AND v.time <= :until'),
      ofItem: list(
        'v.path IN (SELECT p.path FROM version_paths p WHERE p.item = :item) AND v.time <= :until',
      ),
      current: db.prepare(
        `SELECT ${columns} FROM versions v WHERE v.seq IN (SELECT max(seq) FROM versions GROUP BY path)
          ORDER BY v.seq DESC LIMIT ?`,
      ),
      paths: db.prepare('SELECT item AS itemId, path, role FROM version_paths WHERE item = ? ORDER BY path'),
      items: db.prepare('SELECT item AS itemId, path, role FROM version_paths WHERE path = ? ORDER BY item'),
      itemsLike: db.prepare(
        'SELECT DISTINCT item AS id FROM version_paths WHERE item >= ? AND item < ? ORDER BY item LIMIT ?',
      ),
      hashesLike: db.prepare(
        'SELECT DISTINCT sha256 AS id FROM versions WHERE sha256 >= ? AND sha256 < ? ORDER BY sha256 LIMIT ?',
      ),
      add: db.prepare(
        `INSERT INTO versions (path, kind, time, last, digest, sha256, size, owner, body)
          VALUES (:path, :kind, :time, :time, :digest, :sha256, :size, :owner, :body)`,
      ),
      seen: db.prepare('UPDATE versions SET last = ?, gone = NULL WHERE seq = ?'),
      gone: db.prepare('UPDATE versions SET gone = ? WHERE seq = ? AND gone IS NULL'),
      complete: db.prepare('UPDATE versions SET digest = ?, body = ? WHERE seq = ?'),
      body: db.prepare('UPDATE versions SET body = ? WHERE seq = ?'),
      tie: db.prepare('INSERT OR IGNORE INTO version_paths (item, path, role) VALUES (?, ?, ?)'),
      count: db.prepare('SELECT count(*) AS rows FROM versions'),
      surplus: db.prepare(
        `SELECT seq FROM versions v WHERE path = :path AND seq <> (SELECT min(seq) FROM versions WHERE path = :path)
          AND NOT ${neededBy('v.sha256')} ORDER BY seq DESC LIMIT -1 OFFSET ${maxOfPath - 1}`,
      ),
      oldest: db.prepare(
        `SELECT seq FROM versions v WHERE owner = ? AND NOT ${neededBy('v.sha256')} ORDER BY seq LIMIT 200`,
      ),
      owners: db.prepare(
        'SELECT owner, count(*) AS rows FROM versions GROUP BY owner ORDER BY rows DESC LIMIT 16',
      ),
      remove: db.prepare('DELETE FROM versions WHERE seq = ?'),
      untie: db.prepare('DELETE FROM version_paths WHERE path NOT IN (SELECT path FROM versions)'),
      alerts: db.prepare(
        `SELECT a.seq FROM alerts a WHERE a.status <> 'closed' AND a.item IN (SELECT item FROM version_paths WHERE path = ?)
          ORDER BY a.seq DESC LIMIT ${maxAlerts}`,
      ),
      need: db.prepare(
        `INSERT OR IGNORE INTO alert_hashes (sha256, alert)
          SELECT :sha256, :alert WHERE (SELECT count(*) FROM alert_hashes h WHERE h.alert = :alert
            AND h.sha256 IN (SELECT sha256 FROM versions WHERE path = :path)) < ${maxOfAlert}`,
      ),
    };
  }

  /** Newest first: of everything that describes the item, that it runs and that stands in its bundle. */
  ofItem(itemId: string, query: VersionQuery = {}): Version[] {
    return this.#list(this.#sql.ofItem, { item: itemId }, query);
  }

  /** Newest first. */
  ofPath(path: string, query: VersionQuery = {}): Version[] {
    return this.#list(this.#sql.ofPath, { path }, query);
  }

  /** Newest first. */
  ofHash(sha256: string, query: VersionQuery = {}): Version[] {
    return this.#list(this.#sql.ofHash, { sha256 }, query);
  }

  get(id: number): Version | undefined {
    const row = one<Row>(this.#sql.get, id);
    return row === undefined ? undefined : versionOf(row);
  }

  newest(path: string): Version | undefined {
    const row = one<Row>(this.#sql.newest, path);
    return row === undefined ? undefined : versionOf(row);
  }

  /** The last version of the same path before this one with another content. */
  before(version: Pick<Version, 'id' | 'path' | 'sha256'>): Version | undefined {
    const rows = all<Row & object>(this.#sql.before, version.path, version.id);
    const row = rows.find(({ sha256 }) => sha256 !== (version.sha256 ?? null));
    return row === undefined ? undefined : versionOf(row);
  }

  /** The newest version of each path, the newest first. */
  current(limit = defaultLimit): Version[] {
    return all<Row & object>(this.#sql.current, limit).flatMap((row) => versionOf(row) ?? []);
  }

  /** Ids of items that begin so. */
  itemsLike(beginning: string, limit: number): string[] {
    return all<{ id: string }>(this.#sql.itemsLike, beginning, `${beginning}\u{10ffff}`, limit).map(
      ({ id }) => id,
    );
  }

  /** Hashes of contents that begin so. */
  hashesLike(beginning: string, limit: number): string[] {
    return all<{ id: string }>(this.#sql.hashesLike, beginning, `${beginning}\u{10ffff}`, limit).map(
      ({ id }) => id,
    );
  }

  /** What belongs to an item. */
  pathsOf(itemId: string): ItemPath[] {
    return all<ItemPath & object>(this.#sql.paths, itemId);
  }

  /** The items that a path belongs to. */
  itemsOf(path: string): ItemPath[] {
    return all<ItemPath & object>(this.#sql.items, path);
  }

  /**
   * Takes the states of some files at `now`, which belong to the items that `of` names. A state that the newest version of
   * its path has is no new one. Returns the new versions. One transaction; contents are put before.
   */
  record(
    states: readonly { readonly state: SeenState; readonly of: readonly Omit<ItemPath, 'path'>[] }[],
    now: Micros,
  ): Version[] {
    const added: Version[] = [];
    this.#db
      .transaction(() => {
        added.length = 0;
        for (const { state, of } of states) {
          for (const { itemId, role } of of) this.#sql.tie.run(itemId, state.path, role);
          const version = this.#take(state, now);
          if (version !== undefined) added.push(version);
        }
        this.#trim();
      })
      .immediate();
    return added;
  }

  /** Nothing stands at the path any more. */
  gone(path: string, now: Micros): void {
    const newest = one<Row>(this.#sql.newest, path);
    if (newest !== undefined) this.#sql.gone.run(now, newest.seq);
  }

  /** What was learned later about the file that a version is of. */
  learned(id: number, more: Pick<SeenState, 'signature'>): void {
    const row = one<Row>(this.#sql.get, id);
    if (row === undefined) return;
    this.#sql.body.run(JSON.stringify({ ...(JSON.parse(row.body) as object), ...more }), id);
  }

  #take(state: SeenState, now: Micros): Version | undefined {
    const digest = digestOf(state);
    const attributes = attributesOf(state);
    const newest = one<Row>(this.#sql.newest, state.path);
    const [before, known] = newest?.digest.split(' ') ?? [];
    if (
      newest !== undefined &&
      before === digest &&
      (known === attributes || [known, attributes].includes('-'))
    ) {
      this.#sql.seen.run(now, newest.seq);
      // Whoever saw it first could not read them.
      if (known === '-' && attributes !== '-')
        this.#sql.complete.run(`${digest} ${attributes}`, bodyOf(state), newest.seq);
      return undefined;
    }
    if (newest !== undefined && this.#isSettling(newest, state, now)) {
      this.#sql.complete.run(`${digest} ${attributes}`, bodyOf(state), newest.seq);
      this.#sql.seen.run(now, newest.seq);
      return undefined;
    }
    const { path, kind, sha256, size } = state;
    const owner = evidenceOwner({ path, uid: String(state.uid) }) ?? '';
    const row = {
      path,
      kind,
      time: now,
      digest: `${digest} ${attributes}`,
      sha256: sha256 ?? null,
      size,
      owner,
      body: bodyOf(state),
    };
    const seq = Number(this.#sql.add.run(row).lastInsertRowid);
    if (this.#rows !== undefined) this.#rows++;
    const wanted = [sha256, newest?.sha256].filter((one) => typeof one === 'string');
    for (const alert of all<{ seq: number }>(this.#sql.alerts, path))
      for (const hash of wanted)
        if (this.#sql.need.run({ sha256: hash, alert: alert.seq, path }).changes > 0)
          this.#evidence.pin(hash);
    for (const surplus of all<{ seq: number }>(this.#sql.surplus, { path })) this.#remove(surplus.seq);
    return this.get(seq);
  }

  /** A file that is being written is seen between its bytes and its times: that is one version. */
  #isSettling(row: Row, state: SeenState, now: Micros): boolean {
    if (row.sha256 === null || row.sha256 !== state.sha256 || now - row.time > settleMicros) return false;
    const newest = versionOf(row);
    const same = ['kind', 'type', 'mode', 'uid', 'gid', 'inode', 'notTaken'] as const;
    return (
      newest !== undefined && state.type === 'file' && same.every((name) => newest[name] === state[name])
    );
  }

  /** Bounds all versions: from whoever has most the oldest go. */
  #trim(): void {
    if (this.#generation !== this.#db.generation) this.#rows = undefined;
    this.#generation = this.#db.generation;
    this.#rows ??= one<{ rows: number }>(this.#sql.count)?.rows ?? 0;
    if (this.#rows <= maxVersions) return;
    for (const { owner } of all<{ owner: string }>(this.#sql.owners)) {
      for (const { seq } of all<{ seq: number }>(this.#sql.oldest, owner)) this.#remove(seq);
      if (this.#rows <= maxVersions) break;
    }
    this.#sql.untie.run();
  }

  #remove(seq: number): void {
    this.#sql.remove.run(seq);
    if (this.#rows !== undefined) this.#rows--;
  }

  #list(
    statement: Parameters<typeof all>[0],
    key: Readonly<Record<string, string>>,
    { limit = defaultLimit, until = Number.MAX_SAFE_INTEGER }: VersionQuery,
  ): Version[] {
    return all<Row & object>(statement, { ...key, limit, until }).flatMap((row) => versionOf(row) ?? []);
  }
}

/** What tells two states apart; a change time that moved alone does not. */
function digestOf(state: SeenState): string {
  const { kind, type, link = '', sha256 = '', size, mode, uid, gid, mtime, birth = '', inode = '' } = state;
  // Of a bundle the manifest has the times of its files; those of the folder move with what is in it. Of a link some see
  // the link and some what it leads to.
  const own =
    type === 'file' ? [mode, uid, gid, mtime, birth, inode] : type === 'dir' ? [mode, uid, gid] : [];
  return hashParts([kind, type, link, sha256, size, state.notTaken ?? '', ...own]);
}

/** The same of the extended attributes; `-` where they are not known. */
function attributesOf({ xattrs }: SeenState): string {
  if (xattrs === undefined) return '-';
  const lines = xattrs
    .filter(({ name }) => !restless.has(name))
    .map(({ name, value, size }) => [name, size, Buffer.from(value).toString('base64')].join(' '));
  return hashParts(lines.sort());
}

type Body = Omit<SeenState, 'path' | 'kind' | 'sha256' | 'size' | 'birth' | 'mtime' | 'ctime' | 'xattrs'> & {
  readonly birth?: string;
  readonly mtime: string;
  readonly ctime: string;
  readonly xattrs?: readonly { readonly name: string; readonly value: string; readonly size: number }[];
};

function bodyOf(state: SeenState): string {
  const { path: _, kind: __, sha256: ___, size: ____, birth, mtime, ctime, xattrs, ...rest } = state;
  const body: Body = {
    ...rest,
    mtime: String(mtime),
    ctime: String(ctime),
    ...(birth === undefined ? {} : { birth: String(birth) }),
    ...(xattrs === undefined ? {} : { xattrs: xattrs.map(encoded) }),
  };
  return JSON.stringify(body);
}

function encoded({ name, value, size }: ExtendedAttribute) {
  return { name, size, value: Buffer.from(value).toString('base64') };
}

/** Undefined of a damaged row, which keeps nobody from reading the others. */
function versionOf(row: Row): Version | undefined {
  try {
    const { birth, mtime, ctime, xattrs, ...rest } = JSON.parse(row.body) as Body & {
      readonly signature?: Readonly<CodeSignatureFields>;
      readonly notTaken?: NotTaken;
    };
    return {
      ...rest,
      id: row.seq,
      path: row.path,
      kind: row.kind as VersionKind,
      time: row.time,
      lastSeen: row.last,
      size: row.size,
      mtime: BigInt(mtime),
      ctime: BigInt(ctime),
      kept: keptOf(row.meta),
      ...(row.sha256 === null ? {} : { sha256: row.sha256 }),
      ...(row.gone === null ? {} : { gone: row.gone }),
      ...(birth === undefined ? {} : { birth: BigInt(birth) }),
      ...(xattrs === undefined
        ? {}
        : {
            xattrs: xattrs.map((one) => ({
              ...one,
              value: new Uint8Array(Buffer.from(one.value, 'base64')),
            })),
          }),
    };
  } catch {
    return undefined;
  }
}

function keptOf(meta: string | null): Version['kept'] {
  if (meta === null) return 'none';
  try {
    return (JSON.parse(meta) as { truncated?: boolean } | null)?.truncated === true ? 'head' : 'whole';
  } catch {
    return 'whole';
  }
}
