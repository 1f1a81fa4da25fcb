export {
  type Bundle,
  type CollectOptions,
  collectBundle,
  eventsAround,
  type LeftOut,
  type TimelineEntry,
  timelineOf,
} from './bundle.js';
export { type EscalationSize, escalationBundle } from './escalation.js';
export { Redactor } from './redact.js';
export { type TarFile, tarEnd, tarEntry } from './tar.js';
