export { isLaunchItem, type LaunchdJob, type LaunchdJobOptions, launchdJob } from './launchd-job.js';
export { Lister } from './places.js';
export { InventoryScan, type ScannedItem, type ScanOptions } from './scan.js';
