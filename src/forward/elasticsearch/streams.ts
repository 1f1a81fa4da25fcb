import type { EcsDocument } from '../../event/document.js';
import type { OutboxItem } from '../destination.js';

/** Families of raw events that Elastic's own rules read (`logs-endpoint.events.*`). */
const families = ['process', 'file', 'network', 'library', 'security'] as const;

function datasetOf(item: OutboxItem, doc: EcsDocument): string {
  if (item.lane === 'alert') return 'launchwarden.alerts';
  if (item.lane === 'status') return 'launchwarden.status';
  const category = doc.event?.category ?? [];
  // A loaded launch item (category `configuration`) stands with the files, beside Elastic Defend's `launch_daemon`.
  const family = families.find((name) => category.includes(name)) ?? 'file';
  return `endpoint.events.${family}`;
}

/** The data stream of a document. */
export function streamOf(item: OutboxItem, namespace: string): string {
  const doc = item.lane === 'event' ? (JSON.parse(item.body) as EcsDocument) : {};
  return `logs-${datasetOf(item, doc)}-${namespace}`;
}

/** The data stream of a document and its text for it: `data_stream.*` must name the stream, or Elastic refuses it. */
export function ecsForElastic(
  item: OutboxItem,
  namespace: string,
): { readonly stream: string; readonly text: string } {
  if (item.lane === 'alert' && namespace === 'default') {
    // Stored alerts carry these fields already.
    return { stream: streamOf(item, namespace), text: item.body };
  }
  const doc = JSON.parse(item.body) as EcsDocument;
  const dataset = datasetOf(item, doc);
  const text = JSON.stringify({
    ...doc,
    event: { ...doc.event, dataset },
    data_stream: { type: 'logs', dataset, namespace },
  });
  return { stream: `logs-${dataset}-${namespace}`, text };
}
