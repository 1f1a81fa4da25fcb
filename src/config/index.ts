export { editRuleLists, type RuleLists, writeConfigFile } from './edit.js';
export { logLevels, sensorKinds, sensorTiers } from './options.js';
export { type DefaultPaths, defaultPaths } from './paths.js';
export {
  type ConfigurableSensor,
  loadSettings,
  type SensorTier,
  type SettingOrigin,
  type Settings,
  type SettingsFlags,
  type SettingsOptions,
} from './settings.js';
export { checkTrust, requireTrust } from './trust.js';
