import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Alert, Settled } from '../event/alert.js';
import type { Store } from '../store/index.js';
import type { ExceptionKeeper } from './exceptions.js';

export interface SettlingOptions {
  readonly store: Pick<Store, 'alerts'>;
  readonly exceptions: ExceptionKeeper;
  readonly destinations: readonly string[];
  readonly log: Logger;
}

/** Closes alerts that need nobody, and opens them again when there turns out to be more to them. */
export class Settling {
  readonly #options: SettlingOptions;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** Alerts that were committed just now, new or grown. */
  committed(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.#settle(alert);
  }

  /** An event that alerts embed has another document than before. */
  amended(eventId: string): void {
    this.committed(this.#options.store.alerts.ofEvent(eventId));
  }

  #settle(alert: Alert): void {
    const { store, destinations, log } = this.#options;
    try {
      const settled = this.#reasonOf(alert);
      if (settled === undefined && alert.status !== 'closed') return;
      const changed = store.alerts.settle(alert.id, settled, destinations);
      if (changed !== undefined)
        log.info(
          { alert: alert.id, reason: settled?.reason },
          settled === undefined ? 'alert opened again' : 'alert closed',
        );
    } catch (error) {
      log.error({ alert: alert.id, error: messageOf(error) }, 'an alert could not be settled');
    }
  }

  #reasonOf(alert: Alert): Settled | undefined {
    const exception = this.#options.exceptions.hides(alert);
    if (exception === undefined) return undefined;
    if (alert.status === 'open') this.#options.exceptions.count(exception, alert.time);
    return { reason: 'exception', text: `${exception.id}: ${exception.reason}` };
  }
}
