import { parseExactJson } from '../../base/exact-json.js';
import { formatMicros } from '../../base/time.js';
import type { EcsDocument } from '../../event/document.js';
import { type Event, timesOf } from '../../event/event.js';
import { capturedEventId } from '../../event/ids.js';
import { withLaunchctl } from '../../event/launchctl.js';
import { mayHaveDottedKey, nested } from '../../event/nested.js';
import { captureTime, isNumericTime } from './time.js';

/** An event of a capture, with the place of its line: zero-based, blank lines counted. */
export interface CapturedEvent extends Event {
  readonly line: number;
  /** True of a document without a time that can be read: its `time` is the beginning of all time. */
  readonly untimed?: true;
}

/** The value of a field of `event`; the first of several. */
function eventField(doc: Record<string, unknown>, name: string): unknown {
  const event = doc['event'];
  if (typeof event !== 'object' || event === null || !Object.hasOwn(event, name)) return undefined;
  const value = (event as Record<string, unknown>)[name];
  return Array.isArray(value) ? (value[0] as unknown) : value;
}

/**
 * The event of one line of a capture (NDJSON of ECS documents). Undefined when the line is no JSON object. A time
 * that is a number becomes one that rules can compare. Nothing in a document makes this throw.
 */
export function captureEvent(text: string, line: number): CapturedEvent | undefined {
  let doc: unknown;
  try {
    doc = parseExactJson(text);
  } catch {
    return undefined;
  }
  if (typeof doc !== 'object' || doc === null || Array.isArray(doc)) return undefined;
  const fields = (mayHaveDottedKey(text) ? nested(doc) : doc) as Record<string, unknown>;
  const written = fields['@timestamp'];
  const at = captureTime(written);
  if (at !== undefined && isNumericTime(written)) fields['@timestamp'] = formatMicros(at.time, at.nanos);
  const id = eventField(fields, 'id');
  const sequence = eventField(fields, 'sequence');
  return {
    id: typeof id === 'string' && id !== '' && id.length <= 512 ? id : capturedEventId(text),
    ...timesOf(fields, at?.time ?? 0),
    nanos: at?.nanos ?? 0,
    sequence: typeof sequence === 'number' ? sequence : Number.POSITIVE_INFINITY,
    doc: withLaunchctl(fields as EcsDocument),
    line,
    ...(at === undefined ? { untimed: true } : {}),
  };
}
