export { type CanaryItem, type CanaryPlace, makeCanaryItem } from './item.js';
export {
  type CanaryBegun,
  type CanaryEnd,
  type CanaryEnded,
  type CanaryProgress,
  canaryOps,
} from './protocol.js';
export {
  brokenStep,
  brokenText,
  type CanaryLink,
  type CanaryResult,
  type CanaryStep,
  canaryLinks,
  countedFrom,
  lastCanary,
  lastCanaryKey,
} from './result.js';
export { type CanaryOptions, cleanUpCanary, type OnStep, runCanary } from './run.js';
