import { randomUUID } from 'node:crypto';
import { type Db, one } from './sqlite.js';

/** The numbers that only grow, in one row of their own so that a commit touches one page for all of them. */
export interface LedgerRow {
  /** Number of the newest document; never used again, even when the document has gone. */
  doc: number;
  /** Number of the newest change of an alert. */
  change: number;
  /** The chain over all alert documents: drawn once per database, how many, and the last one's digest. */
  chainId: string;
  chainLength: number;
  chainHead: string;
}

const empty: LedgerRow = { doc: 0, change: 0, chainId: '', chainLength: 0, chainHead: '' };

export class Ledger {
  readonly #sql;

  constructor(db: Db) {
    this.#sql = {
      read: db.prepare(
        'SELECT doc, change, chain_id AS chainId, chain_length AS chainLength, chain_head AS chainHead FROM ledger',
      ),
      write: db.prepare(
        'INSERT OR REPLACE INTO ledger (id, doc, change, chain_id, chain_length, chain_head) VALUES (1, :doc, :change, :chainId, :chainLength, :chainHead)',
      ),
    };
  }

  read(): LedgerRow {
    return one<LedgerRow>(this.#sql.read) ?? { ...empty };
  }

  /** Changes the row inside the caller's transaction; gives a new database its chain's id. Returns the row as it is now. */
  update(change: (row: LedgerRow) => void): LedgerRow {
    const row = this.read();
    if (row.chainId === '') row.chainId = row.chainHead = randomUUID();
    change(row);
    this.#sql.write.run(row);
    return row;
  }
}
