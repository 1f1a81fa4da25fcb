export {
  type BundleEntry,
  type BundleManifest,
  type ExtendedAttribute,
  manifestOf,
  type NotTaken,
  type SeenState,
  type Version,
  type VersionKind,
} from '../event/version.js';
export type { AlertGroup } from './alert-groups.js';
export type { AlertStats } from './alert-stats.js';
export type { TriageChange, TriageOutcome } from './alert-workflow.js';
export type { AlertChange, AlertQuery, Alerts, Receivers } from './alerts.js';
export { mostCounted } from './alerts.js';
export type { Acceptance, Baselines } from './baselines.js';
export type { FileState, StoreCondition, StoreNotice } from './condition.js';
export {
  knownSchemas,
  readOnlyReason,
  restoreDatabases,
  saveDatabases,
  schemasOf,
  trySqlite,
} from './database-copy.js';
export type { EventRange, Events, EventsFound, PruneResult } from './events.js';
export type { Evidence, EvidenceMeta, EvidenceRead, EvidenceStore } from './evidence.js';
export { evidenceOwner, objectBytes } from './evidence.js';
export type { ExceptionHitStore, ExceptionHits } from './exception-hits.js';
export { prepareFolder } from './folder.js';
export type { Inventory, InventoryChange } from './inventory.js';
export type { Investigations } from './investigations.js';
export type { ItemChange, Items, RememberedItem } from './items.js';
export { type FolderLock, lockFolder } from './lock.js';
export { openStore, type Store, type StoreOptions } from './open.js';
export type {
  DeadFilter,
  DeadLetter,
  DeadLetters,
  DestinationState,
  DestinationStatePatch,
  Lane,
  LaneDepth,
  Outbox,
  OutboxCaps,
  OutboxItem,
  OutboxRow,
  Settled,
  Settlement,
  TakeLimits,
} from './outbox.js';
export { lanes } from './outbox.js';
export { type QuickCheck, quickCheck } from './quick-check.js';
export { type Gaps, type Meta, observedRootKey, type StoredGap } from './records.js';
export type { ReinfectionWatch, ReinfectionWatches } from './reinfection.js';
export { driverProblem, isDiskFull, storeError } from './sqlite.js';
export type { Stories } from './stories.js';
export type { Terms } from './terms.js';
export type { ItemPath, VersionQuery, Versions } from './versions.js';
