import type { Clock } from '../base/clock.js';
import { UserError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Destination } from './destination.js';
import { FileDestination } from './file/file.js';
import type { Target } from './forwarder.js';
import { type DestinationOptions, destinationName } from './options.js';

export interface OpenContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Version of the program, told to receivers. */
  readonly version: string;
}

function create(name: string, options: DestinationOptions, context: OpenContext): Destination {
  switch (options.type) {
    case 'file':
      return new FileDestination(name, options, context.clock);
    default:
      throw new UserError(
        'forward/no-type',
        `destination "${name}" has type ${options.type}, which this version lacks`,
      );
  }
}

/** Makes the destinations of the configuration. Throws a UserError for one that cannot be set up. */
export async function openTargets(
  all: readonly DestinationOptions[],
  context: OpenContext,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const options of all) {
    const name = destinationName(options);
    if (targets.some(({ destination }) => destination.name === name)) {
      throw new UserError('forward/duplicate-name', `two destinations are named "${name}"`, {
        hint: 'Give each [[destination]] a "name" of its own.',
      });
    }
    const { event_rows, event_bytes, alert_rows, alert_bytes, when_full } = options.queue;
    targets.push({
      destination: create(name, options, context),
      caps: {
        eventRows: event_rows,
        eventBytes: event_bytes,
        alertRows: alert_rows,
        alertBytes: alert_bytes,
        policy: when_full,
      },
      simulated: options.simulated,
      rawEvents: options.raw_events,
    });
  }
  return targets;
}
