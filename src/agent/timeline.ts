import type { Clock } from '../base/clock.js';
import { type Micros, parseTime } from '../base/time.js';
import type { EcsDocument } from '../event/document.js';
import { type Event, shiftOf, timesOf } from '../event/event.js';

/** The clocks part by this between two samples when one was set, microseconds; an adjustment by NTP is slower. */
const tolerance = 20_000;
/** A longer time between two readings in a row, milliseconds: we were held up, and the sample says nothing. */
const heldUpMs = 1;
/** A step is noticed at the next sample, at the latest so much later, microseconds. */
const noticed = 2_000_000;
/** Between two runs the clocks are compared with what was stored up to a minute before, and may have drifted since. */
const toleranceAcrossRuns = 1_000_000;
/** Whoever sets the clock without end must not fill the memory. */
const maxStretches = 64;

/** A stretch between two steps of the wall clock. All in microseconds. */
interface Stretch {
  /** Steady time since the boot from which on it may count; the first one has no beginning. */
  readonly from: number;
  /** Steady time at which the step before it was noticed: up to then the stretch before may still count. */
  readonly noticed: number;
  /** Wall time less steady time. It follows the small adjustments. */
  offset: number;
  /** The steps up to here. */
  readonly shift: Micros;
}

export interface TimelineOptions {
  readonly clock: Clock;
  /** Identity of this boot: the steady clock begins anew with it. */
  readonly boot: string;
  /** Milliseconds to add to `clock.monotonic()` so that two runs of one boot agree. */
  readonly sinceBoot: number;
  /** What `state` gave in an earlier run. */
  readonly state?: string | undefined;
}

/**
 * The time of detection: wall time without the steps that somebody made with the clock since the boot, so that the distance
 * of two events is that of the steady clock. Sensors date events by the wall clock; it knows what that was worth when.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  /** In order; at least one. */
  readonly #stretches: Stretch[];
  /** Whether the state that was given was of this boot. */
  readonly continues: boolean;

  constructor(options: TimelineOptions) {
    this.#options = options;
    const offset = options.clock.now() - this.#steady();
    const before = parseState(options.state, options.boot);
    this.continues = before !== undefined || options.state === undefined;
    this.#stretches = before?.stretches ?? [
      { from: Number.NEGATIVE_INFINITY, noticed: Number.NEGATIVE_INFINITY, offset, shift: 0 },
    ];
    // A step that the run before did not store may have been made at any time since.
    if (before !== undefined) this.#note(offset, toleranceAcrossRuns, before.at);
  }

  /** By the clock of detection. */
  get now(): Micros {
    return this.#options.clock.now() - this.#last.shift;
  }

  /** Whether the clock was ever set. */
  get stepped(): boolean {
    return this.#stretches.length > 1 || this.#last.shift !== 0;
  }

  /** To be stored, and given to the next run. */
  get state(): string {
    return JSON.stringify({ boot: this.#options.boot, at: this.#steady(), stretches: this.#stretches });
  }

  /** Compares the clocks. True when the wall clock was set since the last time. */
  sample(): boolean {
    const { clock } = this.#options;
    const before = clock.monotonic();
    const wall = clock.now();
    const after = clock.monotonic();
    if (after - before > heldUpMs) return false;
    return this.#note(wall - this.#steady(after), tolerance);
  }

  /** A wall time of the past as detection sees it. What lies in the future is now. */
  timeOf(wall: Micros): Micros {
    return wall - this.#shiftAt(wall);
  }

  /** What the wall clock would say now if so much time had passed until then, or will have. */
  wallOf(time: Micros): Micros {
    return time + this.#last.shift;
  }

  /** An event of a sensor, which dates by the wall clock, on this timeline. */
  place(event: Event): Event {
    if (!this.stepped) return event;
    const { doc } = event;
    const shift = this.#shiftAt(event.time);
    const { sensor } = doc.launchwarden ?? {};
    const from = sensor?.precision === 'interval' ? parseTime(sensor.not_before)?.time : undefined;
    const before = from === undefined ? shift : this.#shiftAt(from);
    if (shift === 0 && before === 0) return event;
    const clock = { shift, ...(before === shift ? {} : { not_before_shift: before }) };
    const placed: EcsDocument = { ...doc, launchwarden: { ...doc.launchwarden, clock } };
    return { ...event, ...timesOf(placed, event.time), doc: placed };
  }

  /**
   * The wall times since a time of detection, in the order of detection, one stretch after the other: where stored events
   * are found. `shift` is that of the events of the stretch.
   */
  wallsSince(time: Micros): { readonly from: Micros; readonly to: Micros; readonly shift: Micros }[] {
    const found = [];
    for (const [index, { from, offset, shift }] of this.#stretches.entries()) {
      const next = this.#stretches[index + 1];
      const end = next === undefined ? Number.MAX_SAFE_INTEGER : next.noticed + offset + noticed;
      const begin = Math.max(time + shift, from + offset - noticed);
      if (begin < end) found.push({ from: begin, to: end, shift });
    }
    return found;
  }

  /** Whether a stored event belongs to a stretch: the steps that another run measured are a little different. */
  belongs(event: Event, stretch: { readonly shift: Micros }): boolean {
    const distance = Math.abs(shiftOf(event) - stretch.shift);
    return this.#stretches.every(({ shift }) => Math.abs(shiftOf(event) - shift) >= distance);
  }

  get #last(): Stretch {
    return this.#stretches.at(-1) as Stretch;
  }

  #steady(milliseconds = this.#options.clock.monotonic()): number {
    return Math.round((milliseconds + this.#options.sinceBoot) * 1000);
  }

  #note(offset: number, allowed: Micros, from = this.#steady()): boolean {
    const last = this.#last;
    const moved = offset - last.offset;
    if (Math.abs(moved) <= allowed) {
      last.offset = offset;
      return false;
    }
    this.#stretches.push({ from, noticed: this.#steady(), offset, shift: last.shift + moved });
    if (this.#stretches.length > maxStretches) this.#stretches.shift();
    return true;
  }

  /**
   * The steps up to a wall time. The same wall time may have come twice; what sensors report is new, so it is the later one.
   */
  #shiftAt(wall: Micros): Micros {
    if (!this.stepped) return 0;
    const now = this.#steady() + tolerance;
    const stretches = this.#stretches;
    for (let index = stretches.length - 1; index > 0; index--) {
      const { from, offset, shift } = stretches[index] as Stretch;
      const { offset: before } = stretches[index - 1] as Stretch;
      const to = stretches[index + 1]?.noticed ?? now;
      const steady = wall - offset;
      // After a step back nothing else has these times; after one forward the end of the stretch before it may.
      const slack = offset < before ? noticed : 0;
      if (steady >= from - slack && steady <= to) return shift;
    }
    const [first, second] = stretches;
    if (first !== undefined && wall - first.offset <= (second?.noticed ?? now)) return first.shift;
    // A time that a step forward passed over: of the step not noticed yet, or where an interval begins. Never too late.
    const passedOver = stretches.findLast(({ from, noticed, offset }, index) => {
      const before = stretches[index - 1];
      return before !== undefined && wall - offset < from && wall - before.offset > noticed;
    });
    // Or else it is in the future.
    return (passedOver ?? this.#last).shift;
  }
}

interface State {
  readonly at: number;
  readonly stretches: Stretch[];
}

function parseState(text: string | undefined, boot: string): State | undefined {
  if (text === undefined) return undefined;
  try {
    const { boot: of, at, stretches } = JSON.parse(text) as Record<string, unknown>;
    if (of !== boot || !Number.isSafeInteger(at) || !Array.isArray(stretches)) return undefined;
    const read = (stretches as Partial<Stretch>[]).map(({ from, noticed, offset, shift }, index) => ({
      from: index === 0 ? Number.NEGATIVE_INFINITY : (from as number),
      noticed: index === 0 ? Number.NEGATIVE_INFINITY : (noticed as number),
      offset: offset as number,
      shift: shift as number,
    }));
    const isWhole = read.every(
      ({ offset, shift, from, noticed }) =>
        [offset, shift].every(Number.isSafeInteger) &&
        [from, noticed].every((one) => typeof one === 'number'),
    );
    return read.length > 0 && isWhole ? { at: at as number, stretches: read } : undefined;
  } catch {
    return undefined;
  }
}
