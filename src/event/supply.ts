import { claimsOf, typesOf } from './claims.js';
import type { SensorKind } from './event.js';

/** One kind of event that a sensor delivers. */
export interface SuppliedEvent {
  readonly sensor: SensorKind;
  readonly action: string;
  /** Of `event.type`. */
  readonly types: readonly string[];
  /** Whether such an event can carry a field. */
  carries(field: string): boolean;
}

/** What a set of running sensors delivers. */
export interface Supply {
  /** The kinds of events of a category; null stands for any category. */
  eventsOf(category: string | null): readonly SuppliedEvent[];
  /** Whether whatever a document can hold may come: a capture is among the sensors. */
  readonly anything: boolean;
}

/**
 * The category of Elastic's on-host rules for events with `Persistence.*`, which are launch_daemon events of the category
 * file; and of file events whose path belongs to a persistent item.
 */
const persistenceEvents: ReadonlySet<string> = new Set([
  'file launch_daemon',
  'file modification',
  'file rename',
  'file clone',
  'file deletion',
]);

function isOf(category: string | null, event: string): boolean {
  if (category === null) return true;
  return category === 'persistence' ? persistenceEvents.has(event) : event.startsWith(`${category} `);
}

/** Of these sensors, and of the agent about itself. */
export function supplyOf(sensors: readonly SensorKind[]): Supply {
  const all: readonly SensorKind[] = [...sensors, 'agent'];
  const events = all.flatMap((sensor) =>
    [...claimsOf(sensor)].map(([event, fields]) => ({
      event,
      sensor,
      action: event.slice(event.indexOf(' ') + 1),
      types: typesOf(event),
      carries: (field: string) => fields.has(field),
    })),
  );
  return {
    anything: sensors.includes('capture'),
    eventsOf: (category) => events.filter(({ event }) => isOf(category, event)),
  };
}
