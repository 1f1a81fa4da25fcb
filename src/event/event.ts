import { type Micros, parseTime } from '../base/time.js';
import type { EcsDocument, ProcessFields } from './document.js';
import type { ExtendedAttribute } from './version.js';

/**
 * One observation in the shape of an ECS document, exactly as Elastic Defend emits it on macOS. Immutable once it has
 * left enrichment.
 */
export interface Event {
  /** Stable and unique (`ids.ts`); equal to `doc.event.id`. */
  readonly id: string;
  /**
   * The time by which detection orders and measures, whole microseconds: `doc['@timestamp']` less `shift`, so that the
   * distance of two events of one boot is that of the steady clock, whatever the wall clock was set to in between.
   */
  readonly time: Micros;
  /**
   * By how much the wall clock had been set forward since the boot when the event happened, microseconds; absent when it
   * had not. Equal to `doc.launchwarden.clock.shift`.
   */
  readonly shift?: Micros;
  /** The nanoseconds below `time`, 0 to 999. */
  readonly nanos: number;
  /** Tiebreaker for equal times: `doc.event.sequence`; Infinity when the document has none. */
  readonly sequence: number;
  readonly doc: EcsDocument;
}

/** The order of detection: time, then sequence. Equal events keep the order of their arrival (sort is stable). */
export function compareEvents(a: Event, b: Event): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.nanos !== b.nanos) return a.nanos - b.nanos;
  return a.sequence === b.sequence ? 0 : a.sequence - b.sequence;
}

/** `doc['@timestamp']` in whole microseconds: what people and a SIEM call the time of the event. */
export function wallTime({ time, shift }: Pick<Event, 'time' | 'shift'>): Micros {
  return shift === undefined ? time : time + shift;
}

/** By how much the wall clock had been set forward since the boot when an event happened, microseconds. */
export function shiftOf({ shift }: Pick<Event, 'shift'>): Micros {
  return shift ?? 0;
}

/** The clock that an event carries in `doc.launchwarden.clock`: its time less the steps of the wall clock. */
export function timesOf(doc: unknown, wall: Micros): Pick<Event, 'time' | 'shift'> {
  const shift = shiftIn((doc as EcsDocument | undefined)?.launchwarden?.clock?.shift);
  return shift === undefined ? { time: wall } : { time: wall - shift, shift };
}

/**
 * The earliest time at which an event can have happened, by the clock of detection. An event whose time is known only to
 * lie between two polls (`launchwarden.sensor.precision: interval`) has the later one as its time, and this is the earlier.
 */
export function earliest(event: Event): Micros {
  const { sensor, clock } = event.doc.launchwarden ?? {};
  if (sensor?.precision !== 'interval') return event.time;
  const from = parseTime(sensor.not_before)?.time;
  if (from === undefined) return event.time;
  return Math.min(event.time, from - (shiftIn(clock?.not_before_shift) ?? event.shift ?? 0));
}

/** Documents from elsewhere may hold anything. */
function shiftIn(value: unknown): Micros | undefined {
  return Number.isSafeInteger(value) && value !== 0 ? (value as Micros) : undefined;
}

/** What a file held at the moment it was seen, read at once because it may be gone a moment later. */
export interface FileContent {
  /** The first bytes, at most the reader's budget. */
  readonly bytes: Uint8Array;
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** True when `bytes` is not all of it. */
  readonly truncated: boolean;
  /** The last bytes of a launch item that is not kept whole: its label may stand there. */
  readonly tail?: Uint8Array;
  /** The extended attributes of the file; absent where they were not read. */
  readonly attributes?: readonly ExtendedAttribute[];
  /** Called when nobody will read the bytes again: their memory is given back, and they are empty. */
  readonly release?: () => void;
}

/** What a sensor hands on: an event with what it knows, and the bytes that it carried away. */
export interface Observation {
  readonly event: Event;
  readonly content?: FileContent;
  /**
   * True when this is a revision of an event already observed under the same id: a file that was still being written when
   * it was first seen. Every rule judges it again; the stored event and the alerts that embed it take the newer document.
   */
  readonly amends?: boolean;
  /**
   * Of a start: the image that forked, or that the process ran before. No event of its own; it is the parent of others, and
   * may have begun before anybody looked.
   */
  readonly actor?: ProcessFields;
}

export type SensorKind =
  | 'endpoint-security'
  | 'eslogger'
  | 'process-scan'
  | 'file-watch'
  | 'launchd-state'
  | 'capture'
  /** The agent itself, about itself. */
  | 'agent';

/** A stretch of time in which something may have been missed, or was. Stored, shown and forwarded like an alert. */
export interface Gap {
  readonly sensor: SensorKind;
  /** Stable code: `dropped`, `restart`, `permission`, `clock-step`, `sleep`, `overflow`, `rescan`. */
  readonly reason: string;
  readonly from: Micros;
  readonly to: Micros;
  /** How many observations were lost; absent when that cannot be known. */
  readonly lost?: number;
  readonly detail: string;
  /** True when somebody may have done that in order not to be seen: it is an event, too, that rules can take up. */
  readonly blinded?: boolean;
}
