export { editRuleLists, type RuleLists, writeConfigFile } from './edit.js';
export { managedMark } from './managed.js';
export { logLevels, sensorKinds, sensorTiers } from './options.js';
export { type DefaultPaths, defaultPaths } from './paths.js';
export { filesIn, type Overlay, readOverlay } from './policy-overlay.js';
export { together } from './read.js';
export {
  type ConfigurableSensor,
  dataDirAnyway,
  loadSettings,
  logFileOf,
  type PolicySource,
  type SensorTier,
  type SettingOrigin,
  type Settings,
  type SettingsFlags,
  type SettingsOptions,
} from './settings.js';
export { checkTrust, requireTrust, trustProblems } from './trust.js';
