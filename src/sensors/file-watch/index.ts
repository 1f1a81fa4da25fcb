export {
  FileWatchSensor,
  type FileWatchSensorOptions,
  fileEventsRefused,
  firstScanNote,
  type Home,
} from './file-watch-sensor.js';
export { FilesNow, type HashedFile } from './files-now.js';
export type { FileEventMark } from './fs-events.js';
export { linkText } from './links.js';
export { type FileWatchLimits, fileWatchLimits, restlessLimits } from './options.js';
export { ProgramWatch, type RunningItem } from './programs.js';
export { ContentReader, type ReadAttributes, readSlices } from './reader.js';
export { type Passage, Rights } from './rights.js';
export { Scope } from './scope.js';
export { type FileType, lookAt, type Snapshot } from './snapshot.js';
export type { FileStateStore, ItemChange, RememberedItem } from './state.js';
