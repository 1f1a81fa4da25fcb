export {
  canUndo,
  doesText,
  Engine,
  type EngineOptions,
  lastingOf,
  noteText,
  rehearse,
  rehearseUndo,
  type Told,
  type Who,
} from './engine.js';
export { lockResponses } from './lock.js';
export type { JobState, Launchd, Machine } from './machine.js';
export {
  allPlan,
  automaticPlan,
  bootOutPlan,
  isolatePlan,
  quarantinePlan,
  restartDirectoryServicePlan,
  restoredPlan,
  restorePlan,
  signerValue,
  stopPlan,
  stopProcessPlan,
} from './make-plan.js';
export type { Deed, Expectation, Metadata, Outcome, Plan, Step, StepState, Watched } from './plan.js';
export {
  allResponses,
  quarantined,
  type Response,
  type ResponseState,
  readResponse,
  responsesOf,
  type StepRecord,
} from './response.js';
export { type ItemStage, stageOf } from './stage.js';
export { lastRestored, standsAlready } from './stands.js';
export { isIsolating, isNetwork, isolatedUntil, keepIsolated } from './steps/isolate.js';
export { type Target, targetOfAlert, targetOfItem, targetOfPath } from './target.js';
