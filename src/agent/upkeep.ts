import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Micros } from '../base/time.js';
import type { Settings } from '../config/index.js';
import type { Gap } from '../event/event.js';
import type { Store } from '../store/index.js';

/** What the store had to do to go on is told like a gap: something may be missing. */
export function tendStore(store: Store, log: Logger, gap: (gap: Gap) => void): void {
  try {
    store.tend();
    for (const notice of store.takeNotices()) gap({ sensor: 'agent', ...notice });
  } catch (error) {
    log.error({ error: messageOf(error) }, 'the store could not be tended');
  }
}

/** Removes what is older or larger than `[retention]` allows; events that rules still need, from `horizon` on, stay. */
export function prune(
  store: Store,
  log: Logger,
  {
    retention,
    now,
    horizon,
  }: { readonly retention: Settings['retention']; readonly now: Micros; readonly horizon: Micros },
): void {
  try {
    store.events.prune(retention.eventBytes, horizon);
    store.alerts.prune(now - retention.closedAlerts);
    store.stories.prune();
  } catch (error) {
    log.error({ error: messageOf(error) }, 'old records could not be removed');
  }
}
