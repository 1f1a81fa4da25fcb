import path from 'node:path';
import Driver from 'better-sqlite3';

/**
 * Makes the alerts of a data folder up to `total` of them: copies with ids of their own, each a minute older than the one
 * before, that share the documents of the first. For reading alone.
 */
export function multiplyAlerts(dataDir: string, total: number): void {
  const db = new Driver(path.join(dataDir, 'launchwarden.db'));
  try {
    const own = ['seq', 'id', 'time', 'created', 'item'];
    const names = (db.pragma('table_info(alerts)') as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !own.includes(name));
    const { rows, last } = db.prepare('SELECT count(*) AS rows, max(seq) AS last FROM alerts').get() as {
      rows: number;
      last: number;
    };
    db.transaction(() => {
      db.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
          INSERT INTO alerts (${[...own, ...names].join(', ')})
          SELECT a.seq + n.i * ${last}, printf('%08x', n.i * 2654435761 % 4294967296) || substr(a.id, 9), a.time - n.i * 60000000,
            a.created - n.i * 60000000, CASE a.item WHEN '' THEN '' ELSE a.item || '-' || (n.i % 5000) END,
            ${names.map((name) => `a.${name}`).join(', ')}
          FROM n JOIN alerts a ORDER BY n.i, a.seq LIMIT ?`,
      ).run(Math.ceil(total / rows), total - rows);
    })();
  } finally {
    db.close();
  }
}
