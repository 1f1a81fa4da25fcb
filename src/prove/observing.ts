import type { Event, Gap } from '../event/event.js';
import type { SensorHealth } from '../sensors/sensor.js';
import type { ProveSystem } from './system.js';

export interface Observed {
  readonly events: readonly Event[];
  readonly gaps: readonly Gap[];
  readonly health: SensorHealth;
  /** Why it ended by itself; undefined when it did not. */
  readonly failure: string | undefined;
}

const maxEvents = 20_000;

/** Runs a sensor while something is done, and gives what it saw. Rejects when it cannot be started. */
export async function observing(
  system: ProveSystem,
  kind: 'process-scan' | 'endpoint-security',
  during: (events: readonly Event[]) => Promise<void>,
): Promise<Observed> {
  const sensor = system.sensor(kind);
  const events: Event[] = [];
  const gaps: Gap[] = [];
  let failure: string | undefined;
  await sensor.start({
    observe: ({ event }) => void (events.length < maxEvents && events.push(event)),
    completeThrough: () => {},
    gap: (gap) => void (gaps.length < maxEvents && gaps.push(gap)),
    failed: (reason) => {
      failure = reason;
    },
  });
  try {
    await during(events);
    const health = sensor.health();
    return { events, gaps, health, failure };
  } finally {
    await sensor.stop();
  }
}
