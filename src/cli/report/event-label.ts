import type { EcsDocument } from '../../event/document.js';
import { eventLine } from '../../respond/investigate/index.js';
import type { Moment } from './timeline.js';

/** An event as one line, and the lane that it belongs into. Hostile text. */
export function eventLabel(event: EcsDocument): { readonly lane: Moment['lane']; readonly text: string } {
  const lane =
    event.file !== undefined ? 'file' : event.launchwarden?.job !== undefined ? 'launchd' : 'process';
  return { lane, text: eventLine(event) };
}
