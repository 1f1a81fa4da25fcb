import type { ProcessRecord } from './source.js';

const maxMembers = 65_536;

/**
 * Tells the processes below one process from all others. Who outlives his parent still belongs: by his own pid, and by
 * the group or session of a member.
 */
export class DescendantScope {
  readonly #root: number;
  readonly #members = new Map<number, string>();

  constructor(root: number) {
    this.#root = root;
    this.#members.set(root, '');
  }

  /** True when the process is below the root, which itself is not. To be asked once for every record, in order. */
  includes(record: ProcessRecord): boolean {
    if (record.pid === this.#root) return false;
    const { pid, ppid, pgid, sid } = record;
    const known = this.#members.get(pid) === record.startKey;
    const belongs =
      known ||
      this.#members.has(ppid) ||
      (pgid !== undefined && pgid !== pid && this.#members.has(pgid)) ||
      (sid !== undefined && sid !== pid && this.#members.has(sid));
    if (!belongs) {
      // A pid given out again.
      this.#members.delete(pid);
      return false;
    }
    this.#members.delete(pid);
    this.#members.set(pid, record.startKey);
    if (this.#members.size > maxMembers) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const pid of this.#members.keys()) {
      if (pid === this.#root) continue;
      this.#members.delete(pid);
      return;
    }
  }
}
