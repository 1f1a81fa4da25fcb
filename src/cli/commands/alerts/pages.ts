import type { Alert } from '../../../event/alert.js';
import type { AlertQuery, Store } from '../../../store/index.js';

// Documents are read in pages, so that a listing of any length takes the memory of one.
const pageSize = 200;

/** Hands over the alerts of a query page by page, in its order. */
export function eachPage(store: Store, query: AlertQuery, take: (page: readonly Alert[]) => void): void {
  let left = query.limit ?? 0;
  let before: string | undefined;
  while (left > 0) {
    const limit = Math.min(left, pageSize);
    const page = store.alerts.list({ ...query, limit, ...(before === undefined ? {} : { before }) });
    take(page);
    left -= page.length;
    before = page.at(-1)?.id;
    if (page.length < limit) return;
  }
}
