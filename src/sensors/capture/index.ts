export { type CapturedEvent, captureEvent } from './event.js';
export {
  type CaptureFile,
  type Line,
  maxLineBytes,
  type ReadOptions,
  readLines,
  type WantedPlaces,
} from './lines.js';
export { type CaptureForm, type OpenCapture, openCapture } from './open.js';
export { ScratchFile } from './scratch.js';
export { sortedEvents } from './sort.js';
export { captureTime } from './time.js';
export { type Unwrapped, unwrap } from './unwrap.js';
