export {
  type InstallOptions,
  leftBehind,
  planInstall,
  planUninstall,
  type UninstallOptions,
} from './install.js';
export type { JobState } from './launchctl.js';
export { requireSafeProgram } from './ownership.js';
export { placeFile, placeFolder } from './place.js';
export { jobLabel, placed, places } from './places.js';
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
export { runSteps, type Step, type StepReport } from './steps.js';
export { type CommandResult, type System, thisSystem } from './system.js';
