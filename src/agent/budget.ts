import type { Clock } from '../base/clock.js';
import { formatSize } from '../base/size.js';
import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import type { Alert } from '../event/alert.js';
import type { Gap } from '../event/event.js';

/** One event in 64 is stored at the strictest level, of those that no rule has a use for. */
const strictest = 6;
/** Below so much of every limit a level is taken back. */
const easyShare = 0.8;
/** While the budget stays exceeded, what is left out is told so often, milliseconds. */
const tellMs = 10 * 60_000;

export interface BudgetOptions {
  readonly settings: Pick<Settings['budget'], 'cpu' | 'memory'>;
  readonly clock: Clock;
  /** What is used: a share of one processor over the last half minute, and bytes. */
  readonly load: () => { readonly cpu: number; readonly memory: number };
  readonly gap: (gap: Gap) => void;
  /** It was exceeded a moment ago: memory that nobody needs at present is given back. */
  readonly exceeded?: () => void;
  /** It is kept again: what was put off is done. */
  readonly kept?: () => void;
}

/**
 * Keeps the agent within `[budget]` by leaving out what is worth least: raw events that no rule has a use for are stored
 * more and more thinly, alerts below high are not scanned by content, and the hourly inventory waits. Detection itself is
 * never thinned out. Whatever is left out is counted, and told as a gap.
 */
export class Budget {
  readonly #options: BudgetOptions;
  #limits: BudgetOptions['settings'];
  readonly #left = { events: 0, scans: 0, inventories: 0 };
  #told = { events: 0, scans: 0, inventories: 0 };
  #level = 0;
  #turn = 0;
  #toldTo: Micros = 0;
  #toldAt = 0;
  #reason: string | undefined;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#limits = options.settings;
  }

  /** Other limits, from the next figures on; without any nothing is left out any more. */
  configure(settings: BudgetOptions['settings']): void {
    this.#limits = settings;
    const { cpu, memory } = settings;
    if (cpu === undefined && memory === undefined && this.#level > 0)
      this.#end('there is no budget any more');
  }

  /** True while something is left out. */
  get over(): boolean {
    return this.#level > 0;
  }

  /** Why something is left out; undefined when nothing is. */
  get trouble(): string | undefined {
    return this.#reason === undefined ? undefined : `over its budget: ${this.#reason}`;
  }

  /** Whether an event that no rule has a use for is stored. */
  stores(): boolean {
    if (this.#level === 0 || this.#turn++ % 2 ** this.#level === 0) return true;
    this.#left.events++;
    return false;
  }

  /** The alerts whose content is read now. */
  affords(alerts: readonly Alert[]): readonly Alert[] {
    if (this.#level === 0) return alerts;
    const grave = alerts.filter(({ severity }) => severity === 'high' || severity === 'critical');
    this.#left.scans += alerts.length - grave.length;
    return grave;
  }

  /** Whether the inventory is read now; otherwise once the budget is kept again. */
  inventory(): boolean {
    if (this.#level === 0) return true;
    this.#left.inventories++;
    return false;
  }

  /** To be called with new figures, every ten seconds or so. */
  tick(): void {
    const { clock, load, exceeded } = this.#options;
    const { cpu, memory } = this.#limits;
    if (cpu === undefined && memory === undefined) return;
    const used = load();
    const over = [
      ...(cpu !== undefined && used.cpu > cpu
        ? [`${percent(used.cpu)} of a processor, more than ${percent(cpu)}`]
        : []),
      ...(memory !== undefined && used.memory > memory
        ? [`${formatSize(used.memory)} of memory, more than ${formatSize(memory)}`]
        : []),
    ];
    const easy =
      (cpu === undefined || used.cpu < cpu * easyShare) &&
      (memory === undefined || used.memory < memory * easyShare);
    if (over.length > 0) {
      this.#reason = over.join(' and ');
      if (this.#level === 0) this.#begin();
      this.#level = Math.min(strictest, this.#level + 1);
      exceeded?.();
    } else if (this.#level > 0 && easy) {
      this.#level--;
      if (this.#level === 0) {
        this.#end('the budget is kept again');
        return;
      }
    }
    if (this.#level > 0 && clock.monotonic() - this.#toldAt >= tellMs && this.#more().length > 0)
      this.#tell('the budget is still exceeded');
  }

  status(): object {
    const { cpu, memory } = this.#limits;
    return {
      cpu: cpu ?? null,
      memory_bytes: memory ?? null,
      level: this.#level,
      reason: this.#reason ?? null,
      left_out: { ...this.#left },
    };
  }

  #begin(): void {
    const { clock, gap } = this.#options;
    const now = clock.now();
    this.#toldTo = now;
    this.#toldAt = clock.monotonic();
    this.#told = { ...this.#left };
    const detail = `the agent uses ${this.#reason}: events that no rule needs are stored in part, alerts below high are not scanned by content, and the inventory waits`;
    gap({ sensor: 'agent', reason: 'budget', from: now, to: now, detail });
  }

  #end(how: string): void {
    this.#level = 0;
    this.#tell(how);
    this.#reason = undefined;
    this.#options.kept?.();
  }

  #tell(how: string): void {
    const { clock, gap } = this.#options;
    const now = clock.now();
    const more = this.#more();
    const lost = this.#left.events - this.#told.events;
    const detail = `${how}; left out: ${more.length === 0 ? 'nothing' : more.join(', ')}`;
    gap({
      sensor: 'agent',
      reason: 'budget',
      from: Math.min(this.#toldTo, now),
      to: now,
      ...(lost === 0 ? {} : { lost }),
      detail,
    });
    this.#told = { ...this.#left };
    this.#toldTo = now;
    this.#toldAt = clock.monotonic();
  }

  /** What was left out since it was told last. */
  #more(): string[] {
    const words = {
      events: 'raw events not stored',
      scans: 'scans of alerts',
      inventories: 'inventories put off',
    };
    return (Object.keys(words) as (keyof typeof words)[]).flatMap((key) => {
      const count = this.#left[key] - this.#told[key];
      return count === 0 ? [] : [`${count} ${words[key]}`];
    });
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
