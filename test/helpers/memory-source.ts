import type {
  DestinationState,
  DestinationStatePatch,
  Lane,
  OutboxRow,
  Settled,
  Source,
  TakeLimits,
} from '../../src/store/outbox.js';

interface Waiting {
  row: OutboxRow;
  notBefore: number;
}

/** What waits for one destination, in memory: a property test needs many thousands of outboxes. */
export class MemorySource implements Source {
  readonly dead = new Map<string, string>();
  readonly #rows: Record<Lane, Map<number, Waiting>> = {
    alert: new Map(),
    status: new Map(),
    event: new Map(),
  };
  #state: DestinationState = {
    ...{ name: 'siem', fails: 0, delivered: 0, duplicates: 0, warnings: 0, dead: 0, evicted: 0 },
  };
  #seq = 0;

  add(lane: Lane, id: string, body = '{}'): void {
    const seq = ++this.#seq;
    const row: OutboxRow = { seq, lane, id, revision: 1, body, attempts: 0 };
    this.#rows[lane].set(seq, { row, notBefore: 0 });
  }

  get left(): number {
    return Object.values(this.#rows).reduce((sum, rows) => sum + rows.size, 0);
  }

  waiting(lane: Lane): OutboxRow[] {
    return [...this.#rows[lane].values()].map(({ row }) => row);
  }

  take(_name: string, lane: Lane, { maxItems, maxBytes, now, only }: TakeLimits): OutboxRow[] {
    const taken: OutboxRow[] = [];
    let bytes = 0;
    for (const { row, notBefore } of this.#rows[lane].values()) {
      if (only === undefined ? notBefore > now : row.seq !== only) continue;
      if (taken.length > 0 && (taken.length >= maxItems || bytes + row.body.length > maxBytes)) break;
      taken.push(row);
      bytes += row.body.length;
    }
    return taken;
  }

  nextReady(_name: string, lane: Lane): number | undefined {
    let next: number | undefined;
    for (const { notBefore } of this.#rows[lane].values()) next = Math.min(next ?? notBefore, notBefore);
    return next;
  }

  settle(_name: string, lane: Lane, { settlements }: Settled): void {
    for (const settlement of settlements) {
      const waiting = this.#rows[lane].get(settlement.seq);
      if (waiting === undefined) continue;
      if (settlement.outcome === 'retry') {
        waiting.notBefore = settlement.notBefore;
        if (settlement.charged === true) waiting.row = { ...waiting.row, attempts: waiting.row.attempts + 1 };
        continue;
      }
      if (settlement.outcome === 'dead') this.dead.set(waiting.row.id, settlement.reason);
      this.#rows[lane].delete(settlement.seq);
    }
  }

  release(): void {
    for (const rows of Object.values(this.#rows)) for (const waiting of rows.values()) waiting.notBefore = 0;
  }

  state(): DestinationState {
    return this.#state;
  }

  patch(_name: string, patch: DestinationStatePatch): void {
    this.#state = { ...this.#state, ...(patch as Partial<DestinationState>) };
  }
}
