export { type JobKeys, jobKeysOf } from './job-keys.js';
export {
  type ListFile,
  type Obstacle,
  type ObstacleEffect,
  obstaclesOf,
  type ProgramState,
  type Question,
  type Surroundings,
} from './obstacles.js';
export { type Overrides, overridesIn, overridesPath, readPrintDisabled } from './overrides.js';
export { type JobTrigger, triggersOf } from './triggers.js';
export {
  type Disabled,
  type DomainReport,
  disabledOf,
  type JobReport,
  type LiveState,
  type Loading,
  liveState,
  loadingOf,
  runsSays,
  startsSays,
  type WillLoad,
} from './truth.js';
