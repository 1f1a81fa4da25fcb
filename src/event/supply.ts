import type { SensorKind } from './event.js';
import { type EventGroup, lookupField } from './fields.js';

const system: Readonly<Record<string, readonly string[]>> = {
  file: [
    ...['modification', 'rename', 'deletion', 'open', 'extended_attributes_delete', 'mount', 'clone'],
    'launch_daemon',
  ],
  process: ['fork', 'exec', 'end', 'already_running', 'remote_thread'],
  persistence: ['launch_daemon'],
};

// What each sensor can observe, by category and `event.action` (names of elastic/endpoint-package). `persistence` is the
// category of Elastic's on-host rules for events with `Persistence.*`.
const actions: Readonly<Partial<Record<SensorKind, Readonly<Record<string, readonly string[]>>>>> = {
  'endpoint-security': system,
  eslogger: system,
  'process-scan': { process: ['fork', 'exec', 'already_running'] },
  'file-watch': {
    file: ['modification', 'rename', 'deletion', 'launch_daemon'],
    persistence: ['launch_daemon'],
  },
  'launchd-state': { configuration: ['loaded'] },
};

/** What a set of running sensors delivers. */
export interface Supply {
  /** Actions that events of a category can have; null stands for any category. Undefined when none can come. */
  actionsOf(category: string | null): ReadonlySet<string> | undefined;
  /** Whether a field is filled on the events of a category that any of the sensors delivers. */
  fills(field: string, category: string | null): boolean;
  /** Whether whatever a document can hold may come: a capture is among the sensors. */
  readonly anything: boolean;
}

const groupsOf: Readonly<Record<string, readonly EventGroup[]>> = {
  file: ['file', 'launch-item'],
  process: ['process'],
  persistence: ['launch-item'],
  configuration: ['job'],
};
const anyGroup: readonly EventGroup[] = ['file', 'launch-item', 'process', 'job'];

export function supplyOf(sensors: readonly SensorKind[]): Supply {
  const anything = sensors.includes('capture');
  const own = sensors.filter((kind) => kind !== 'capture');
  return {
    anything,
    actionsOf(category) {
      const found = own.flatMap((kind) =>
        category === null ? Object.values(actions[kind] ?? {}).flat() : (actions[kind]?.[category] ?? []),
      );
      return found.length === 0 ? undefined : new Set(found);
    },
    fills(field, category) {
      if (anything) return true;
      const groups = category === null ? anyGroup : (groupsOf[category] ?? []);
      const filledBy = lookupField(field)?.filledBy ?? {};
      return own.some((kind) => filledBy[kind]?.some((group) => groups.includes(group)) === true);
    },
  };
}
