export { type Backoff, backoffMs } from './backoff.js';
export {
  type AssetResult,
  type DeadDocument,
  deadDocuments,
  installElasticAssets,
  pauseStored,
  resumeStored,
  storedStatus,
  type TestResult,
  testDestination,
} from './commands.js';
export type { Destination, Lane, OutboxItem, Verdict } from './destination.js';
export { type ElasticAsset, elasticAssets } from './elasticsearch/assets.js';
export { Forwarder, type ForwarderOptions, type Target } from './forwarder.js';
export type { DestinationFactory } from './module/module.js';
export { type OpenContext, openDestination, openTargets, setUpProblem } from './open.js';
export {
  type DestinationOptions,
  destinationName,
  destinationOptions,
  type ForwardOptions,
  forwardOptions,
} from './options.js';
export { type EventSource, RawEvents, type RawEventsOptions } from './raw-events.js';
export { Reporter, type ReporterOptions } from './reporter.js';
export type { DestinationStatus, LaneStatus } from './shown-status.js';
export {
  type ChangeAction,
  changeDocument,
  type Escalation,
  escalationDocument,
  gapDocument,
  type HealthChange,
  type HealthReason,
  type Heartbeat,
  heartbeatDocument,
  type Losses,
  lossDocument,
  type StatusContext,
  type StatusDocument,
} from './status.js';
export { type TestStep, type TestStepName, testSteps } from './try-out.js';
export {
  type ChainFinding,
  type ChainFindingKind,
  type ChainSummary,
  ChainVerifier,
  type Verification,
} from './verify.js';
