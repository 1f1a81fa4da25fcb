export { type ReadBundle, readBundle } from './bundle-state.js';
export { architecturesOf, kindBytes, kindOf } from './file-kind.js';
export { isLaunchItem, type LaunchdJob, type LaunchdJobOptions, launchdJob } from './launchd-job.js';
export { Lister } from './places.js';
export { InventoryScan, type ScannedItem, type ScanOptions } from './scan.js';
export { type LargeContent, type ReadState, StateReader } from './state.js';
