export { FileWatchSensor, type FileWatchSensorOptions, type Home } from './file-watch-sensor.js';
export { type FileWatchLimits, fileWatchLimits } from './options.js';
export { Rights } from './rights.js';
export { Scope } from './scope.js';
export type { FileType } from './snapshot.js';
export type { FileStateStore, ItemChange, RememberedItem } from './state.js';
