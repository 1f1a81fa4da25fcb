import { parseExactJson } from '../../base/exact-json.js';
import { parseTime } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import { type Event, timesOf } from '../../event/event.js';
import { capturedEventId } from '../../event/ids.js';
import { withLaunchctl } from '../../event/launchctl.js';

/** An event of a capture, with the place of its line: zero-based, blank lines counted. */
export interface CapturedEvent extends Event {
  readonly line: number;
}

/** The value of a field that may be written nested (`event: {id}`) or dotted (`"event.id"`). */
function eventField(doc: Record<string, unknown>, name: string): unknown {
  const nested = doc['event'];
  if (typeof nested === 'object' && nested !== null && Object.hasOwn(nested, name))
    return (nested as Record<string, unknown>)[name];
  return doc[`event.${name}`];
}

/**
 * The event of one line of a capture (NDJSON of ECS documents). Undefined when the line is no JSON object. A document
 * without a time that can be read happened at the beginning of all time; nothing in a document makes this throw.
 */
export function captureEvent(text: string, line: number): CapturedEvent | undefined {
  let doc: unknown;
  try {
    doc = parseExactJson(text);
  } catch {
    return undefined;
  }
  if (typeof doc !== 'object' || doc === null || Array.isArray(doc)) return undefined;
  const fields = doc as Record<string, unknown>;
  const at = parseTime(fields['@timestamp']);
  const id = eventField(fields, 'id');
  const sequence = eventField(fields, 'sequence');
  return {
    id: typeof id === 'string' && id !== '' && id.length <= 512 ? id : capturedEventId(text),
    ...timesOf(fields, at?.time ?? 0),
    nanos: at?.nanos ?? 0,
    sequence: typeof sequence === 'number' ? sequence : Number.POSITIVE_INFINITY,
    doc: withLaunchctl(fields as EcsDocument),
    line,
  };
}
