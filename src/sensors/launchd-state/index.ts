export { consoleUser, domainsOf, domainsOfUser, homeOwners } from './domains.js';
export { launchctlAt, type RunLaunchctl } from './launchctl.js';
export { type LaunchdStateOptions, launchdStateDefaults } from './options.js';
export { readDomain, readService, type ServiceAnswer } from './read-print.js';
export { LaunchdStateSensor, type LaunchdStateSensorOptions } from './sensor.js';
