export { type CapturedEvent, captureEvent } from './event.js';
export {
  type CaptureFile,
  type Line,
  maxLineBytes,
  type ReadOptions,
  readLines,
  type WantedPlaces,
} from './lines.js';
export { ScratchFile } from './scratch.js';
export { sortedEvents } from './sort.js';
