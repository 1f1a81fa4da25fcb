export { type BringUpOptions, bringUp, type Outcome } from './bring-up.js';
export { type PlaceOptions, requireRights, surroundingsOf, withSource } from './install.js';
export { readWritten } from './job.js';
export type { JobState } from './launchctl.js';
export { requireSafeProgram } from './ownership.js';
export type { DatabaseSchemas, Parts, RunningAgent, Surroundings } from './parts.js';
export { placeFile } from './place.js';
export { jobLabel, jobProgram, onThisMachine, packageId, placed, places } from './places.js';
export {
  type Installation,
  type InstalledVersion,
  installedVersions,
  type JobFile,
  readInstallation,
  readJobFile,
  versionProblems,
} from './read.js';
export { type JobProgram, renderJob, renderLogRotation } from './render.js';
export { type InstallState, readState, stateProblem, type Written } from './state.js';
export { runSteps, type Step, type StepReport } from './steps.js';
export { type CommandResult, type System, thisSystem } from './system.js';
export { leftBehind, type TakeAwayOptions, takeAway } from './take-away.js';
export { placeFolder } from './way.js';
