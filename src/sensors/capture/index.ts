export { type CapturedEvent, captureEvent } from './event.js';
export { type Line, maxLineBytes, type ReadOptions, readLines, type WantedPlaces } from './lines.js';
export { sortedEvents } from './sort.js';
