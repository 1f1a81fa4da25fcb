import { randomUUID } from 'node:crypto';
import { type ChainEnd, chainRoot } from '../event/chain.js';
import type { ChainAnchor } from './anchor.js';
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
  /** How the chain before it ended, as JSON; empty when there was none, or it is unknown. */
  chainBefore: string;
}

const empty: LedgerRow = { doc: 0, change: 0, chainId: '', chainLength: 0, chainHead: '', chainBefore: '' };

export class Ledger {
  readonly #anchor: ChainAnchor | undefined;
  readonly #sql;

  constructor(db: Db, anchor?: ChainAnchor) {
    this.#anchor = anchor;
    this.#sql = {
      read: db.prepare(
        'SELECT doc, change, chain_id AS chainId, chain_length AS chainLength, chain_head AS chainHead, chain_before AS chainBefore FROM ledger',
      ),
      write: db.prepare(
        'INSERT OR REPLACE INTO ledger (id, doc, change, chain_id, chain_length, chain_head, chain_before) VALUES (1, :doc, :change, :chainId, :chainLength, :chainHead, :chainBefore)',
      ),
    };
  }

  read(): LedgerRow {
    return one<LedgerRow>(this.#sql.read) ?? { ...empty };
  }

  chain(): ChainEnd & { readonly before?: ChainEnd } {
    const { chainId, chainLength, chainHead, chainBefore } = this.read();
    const before = endOf(chainBefore);
    const end = { id: chainId, length: chainLength, digest: chainHead };
    return before === undefined ? end : { ...end, before };
  }

  /** Gives a database its chain when it has none that goes on. Call it when the database was opened. */
  settle(): void {
    const row = this.read();
    const last = this.#anchor?.end;
    // A chain that follows the remembered one was begun before that could be written down.
    const isOther = last !== undefined && last.id !== row.chainId && endOf(row.chainBefore)?.id !== last.id;
    if (isOther) row.chainId = '';
    if (!this.#goesOn(row)) this.#write(this.#begin(row));
  }

  /** Changes the row inside the caller's transaction; gives a new database its chain. Returns the row as it is now. */
  update(change: (row: LedgerRow) => void): LedgerRow {
    const row = this.read();
    if (!this.#goesOn(row)) this.#begin(row);
    change(row);
    return this.#write(row);
  }

  /** False of a new database, and of one from before, whose numbers were given already. */
  #goesOn({ chainId, chainLength }: LedgerRow): boolean {
    return chainId !== '' && this.#anchor?.isAheadOf({ id: chainId, length: chainLength }) !== true;
  }

  #begin(row: LedgerRow): LedgerRow {
    const before = this.#anchor?.end;
    row.chainId = randomUUID();
    row.chainLength = 0;
    row.chainHead = chainRoot(row.chainId, before);
    row.chainBefore = before === undefined ? '' : JSON.stringify(before);
    return row;
  }

  #write(row: LedgerRow): LedgerRow {
    this.#sql.write.run(row);
    return row;
  }
}

function endOf(text: string): ChainEnd | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as ChainEnd);
  } catch {
    return undefined;
  }
}
