import { hashParts } from '../base/digest.js';
import { formatMicros } from '../base/time.js';
import type { Event, Gap } from '../event/event.js';

/**
 * The event that a gap is when somebody may have made it on purpose: `event.action` is `sight_lost`, of a canary that failed
 * `canary_failed`, of category configuration. Undefined for every other gap.
 */
export function sightLostEvent(
  { blinded, sensor, reason, detail, from, to }: Gap,
  boot: string,
): Event | undefined {
  if (blinded !== true) return undefined;
  const isCanary = reason === 'canary-failed';
  const id = hashParts(['sight_lost', boot, sensor, reason, from, to]);
  return {
    id,
    time: to,
    nanos: 0,
    sequence: Number.POSITIVE_INFINITY,
    doc: {
      '@timestamp': formatMicros(to),
      message: isCanary ? 'the canary of launchwarden failed' : 'launchwarden was blind',
      event: {
        id,
        module: 'launchwarden',
        category: ['configuration'],
        type: ['change'],
        action: isCanary ? 'canary_failed' : 'sight_lost',
      },
      launchwarden: {
        sensor: { kind: 'agent', precision: 'exact' },
        gap: { sensor, reason, detail, from: formatMicros(from), to: formatMicros(to) },
      },
    },
  };
}
