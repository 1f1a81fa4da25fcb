import { UserError } from '../base/errors.js';
import type { Micros } from '../base/time.js';
import type { InventoryRow } from '../event/inventory.js';
import type { Store } from '../store/index.js';

/** Name of the request on the control socket. */
export const baselineOp = 'baseline.change';

/** A change of what is known good. */
export interface BaselineRequest {
  readonly action: 'save' | 'approve' | 'remove';
  readonly name: string;
  readonly author: string;
  readonly reason: string;
  /** Of `approve`: whole ids. */
  readonly items?: readonly string[];
}

const maxText = 2_000;
/** Items of one request. */
export const mostItems = 1_000;
export const baselineName = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;

function isRequest(args: unknown): args is BaselineRequest {
  const { action, name, author, reason, items = [] } = (args ?? {}) as Record<string, unknown>;
  return (
    (action === 'save' || action === 'approve' || action === 'remove') &&
    typeof name === 'string' &&
    baselineName.test(name) &&
    [author, reason].every((one) => typeof one === 'string' && one.length <= maxText) &&
    Array.isArray(items) &&
    items.length <= mostItems &&
    items.every((one) => typeof one === 'string' && one.length <= 64)
  );
}

/**
 * Carries a request out on a writable store, with the inventory as it stands there or as `rows`: the daemon's answer on its
 * socket, and the command line's own way when no daemon runs. Throws a UserError when the request is none.
 */
export function applyBaseline(
  store: Pick<Store, 'baselines' | 'inventory'>,
  args: unknown,
  { now, rows = store.inventory.list() }: { readonly now: Micros; readonly rows?: readonly InventoryRow[] },
): { readonly entries: number } {
  if (!isRequest(args)) throw new UserError('baseline/bad-request', 'not a request about a baseline');
  const { action, name, author, reason, items = [] } = args;
  const by = { time: now, author, reason };
  const present = rows.filter(({ gone }) => gone === undefined).map(({ entry }) => entry);
  const unknown = () =>
    new UserError('baseline/unknown', `there is no baseline "${name}"`, {
      hint: 'See "launchwarden baseline list".',
    });
  switch (action) {
    case 'save':
      store.baselines.save(name, present, by);
      return { entries: present.length };
    case 'approve': {
      const accepted = items.map((itemId) => ({
        itemId,
        entries: present.filter((entry) => entry.item_id === itemId),
      }));
      if (!store.baselines.approve(name, accepted, by)) throw unknown();
      return { entries: accepted.reduce((sum, { entries }) => sum + entries.length, 0) };
    }
    case 'remove':
      if (!store.baselines.remove(name)) throw unknown();
      return { entries: 0 };
  }
}
