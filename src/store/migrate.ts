import { UserError } from '../base/errors.js';
import type { Connection } from './database.js';

/**
 * Brings a database to the newest schema: step n of `steps` takes `user_version` n to n + 1, each in one transaction,
 * so that a crash leaves a whole version. A database that a newer program wrote is refused, not guessed at.
 */
export function migrate(db: Connection, steps: readonly string[], file: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > steps.length) {
    throw new UserError(
      'store/newer-schema',
      `${file} has schema ${version}; this launchwarden knows schemas up to ${steps.length}`,
      { hint: 'A newer launchwarden wrote it: install that version again, or name another data directory.' },
    );
  }
  if (version === steps.length) return;
  if (db.readonly) {
    throw new UserError(
      'store/older-schema',
      `${file} has schema ${version}; this launchwarden needs ${steps.length}`,
      {
        hint: 'Restart the agent: it brings the database up to date.',
      },
    );
  }
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
}
