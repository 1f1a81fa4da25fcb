export {
  doesText,
  Engine,
  type EngineOptions,
  lastingOf,
  noteText,
  rehearse,
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
export { isIsolating, isNetwork, isolatedUntil, keepIsolated } from './steps/isolate.js';
export { type Target, targetOfAlert, targetOfItem, targetOfPath } from './target.js';
