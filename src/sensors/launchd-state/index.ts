export type { RunLaunchctl } from './launchctl.js';
export { type LaunchdStateOptions, launchdStateDefaults } from './options.js';
export { LaunchdStateSensor, type LaunchdStateSensorOptions } from './sensor.js';
