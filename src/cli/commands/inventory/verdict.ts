import type { InventoryRow } from '../../../event/inventory.js';
import { levelOf, weightOf } from '../../../event/priority.js';
import type { Severity } from '../../../event/rule-meta.js';
import type { Store } from '../../../store/index.js';

/** What is to be thought of an entry: an alert is open about it, its findings are odd, or neither. */
export interface InventoryVerdict {
  readonly word: 'alert' | 'odd' | 'quiet' | 'gone';
  /** Of the highest open alert, or what its findings come to. */
  readonly level?: Severity;
  /** Open alerts about the item. */
  readonly alerts: readonly string[];
}

/** Alerts whose events are looked through for further items. */
const maxAlerts = 2_000;
/** Items with alerts that are looked at. */
const maxItems = 10_000;
/** Findings of less weight are habits of careless vendors. */
const odd = 20;

interface AlertsOfItem {
  readonly ids: string[];
  level: Severity;
  score: number;
}

/** Open alerts by the item that their events are about. */
export function openAlerts(store: Pick<Store, 'alerts'>): ReadonlyMap<string, AlertsOfItem> {
  const byItem = new Map<string, AlertsOfItem>();
  const waiting = { status: ['open', 'acknowledged'], sort: 'priority' } as const;
  for (const { item, ids, level, score } of store.alerts.groups({ ...waiting, limit: maxItems }).groups)
    if (item !== undefined) byItem.set(item, { ids: [...ids], level, score });
  for (const alert of store.alerts.list({ ...waiting, limit: maxAlerts })) {
    const events = Array.isArray(alert.doc['Events']) ? alert.doc['Events'] : [];
    const items = new Set([alert.doc, ...events].map(itemIn).filter((one) => one !== undefined));
    for (const item of items) {
      const known = byItem.get(item);
      const { score, level } = alert.priority;
      if (known === undefined) byItem.set(item, { ids: [alert.id], level, score });
      else {
        if (!known.ids.includes(alert.id)) known.ids.push(alert.id);
        if (score > known.score) [known.score, known.level] = [score, level];
      }
    }
  }
  return byItem;
}

/** Stored documents may be damaged: anything may stand anywhere. */
function itemIn(doc: unknown): string | undefined {
  const id: unknown = (doc as { launchwarden?: { persistence?: { item_id?: unknown } } } | null)?.launchwarden
    ?.persistence?.item_id;
  return typeof id === 'string' ? id : undefined;
}

export function verdictOf(
  { entry, gone }: InventoryRow,
  alerts: ReadonlyMap<string, AlertsOfItem>,
): InventoryVerdict {
  const about = alerts.get(entry.item_id);
  if (about !== undefined) return { word: 'alert', level: about.level, alerts: about.ids };
  if (gone !== undefined) return { word: 'gone', alerts: [] };
  const weight = weightOf(entry.findings);
  return weight >= odd ? { word: 'odd', level: levelOf(weight), alerts: [] } : { word: 'quiet', alerts: [] };
}
