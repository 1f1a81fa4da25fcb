export type { Destination, Lane, OutboxItem, Verdict } from './destination.js';
export { type DestinationStatus, Forwarder, type ForwarderOptions, type Target } from './forwarder.js';
export { type OpenContext, openDestination, openTargets } from './open.js';
export {
  type DestinationOptions,
  destinationName,
  destinationOptions,
  type ForwardOptions,
  forwardOptions,
} from './options.js';
