import path from 'node:path';
import { things } from '../base/count.js';
import { UserError } from '../base/errors.js';
import { formatMicros } from '../base/time.js';
import { conditionsOf, Orderer } from '../detect/index.js';
import { wallTime } from '../event/event.js';
import { type Query, RawFilter } from '../rules/index.js';
import {
  type CapturedEvent,
  type CaptureFile,
  type CaptureForm,
  captureEvent,
  type OpenCapture,
  openCapture,
  type ReadOptions,
  readLines,
  ScratchFile,
  sortedEvents,
} from '../sensors/capture/index.js';
import type { CommandContext } from './context.js';
import type { TextSink } from './io.js';
import { Progress } from './output/progress.js';

/** A capture may be out of order by so much event time, microseconds; beyond that it is sorted on disk. */
const window = 5_000_000;
const batch = 512;

export interface CaptureSink {
  take(event: CapturedEvent): void;
  /** The capture turned out to be in disorder: everything taken so far comes again, sorted. */
  restart(): void;
  /** True once no further event changes anything. */
  readonly done?: boolean;
}

/** What became of the lines of a capture. */
export interface CaptureTally {
  /** Events that were looked at; `passed`: lines that could not match, which were not. */
  readonly events: number;
  readonly passed: number;
  /** Lines that held no event, and zero-based the first of them where it is known. */
  readonly skipped: number;
  readonly first?: number | undefined;
  /** Events without a time that can be read. */
  readonly untimed: number;
  readonly firstUntimed?: number | undefined;
  /** Event times of the first and the last event that was looked at, microseconds. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Says what was not read: quiet about that, a file in another format would look like one without a match. */
export function tellSkipped(tally: CaptureTally, input: OpenCapture, stderr: TextSink): void {
  const { skipped, first, untimed, firstUntimed } = tally;
  const unit = input.numbers === 'lines' ? 'line' : 'document';
  const all = skipped + input.skipped;
  if (all > 0) {
    const where =
      first === undefined ? '' : `, the first is ${unit} ${first + 1}: expected one JSON object a line`;
    stderr.write(`launchwarden: ${all} ${unit}${all === 1 ? '' : 's'} held no event${where}\n`);
  }
  if (untimed > 0) {
    const where = firstUntimed === undefined ? '' : `, the first is ${unit} ${firstUntimed + 1}`;
    stderr.write(
      `launchwarden: ${untimed} ${untimed === 1 ? 'event has' : 'events have'} no time that can be read (@timestamp) and ` +
        `${untimed === 1 ? 'was' : 'were'} left out${where}\n`,
    );
  }
}

/** How many events were searched, and from when to when, in words. */
export function searchedWords({
  events,
  passed,
  from,
  to,
}: Omit<CaptureTally, 'skipped' | 'untimed'>): string {
  const what = things(events + passed, 'event');
  // Of what was passed over no time was read.
  if (passed > 0 || from === undefined || to === undefined) return what;
  return `${what} from ${formatMicros(from).slice(0, 19)}Z to ${formatMicros(to).slice(0, 19)}Z`;
}

/** Throws a UserError when nothing that was there could be used. */
function requireEvents({ events, passed, skipped, untimed }: CaptureTally): void {
  if (events + passed > 0 || skipped + untimed === 0) return;
  if (untimed === 0)
    throw new UserError('capture/no-event', 'no line of the input holds an event', {
      hint: 'Expected are JSON documents of events.',
    });
  throw new UserError(
    'capture/no-time',
    untimed === 1
      ? 'the one document of the input has no time that can be read: it is no event'
      : `none of the ${things(untimed, 'document')} of the input has a time that can be read: they are no events`,
    {
      hint: 'An event has "@timestamp": ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970.',
    },
  );
}

/** Counts while a capture is read. */
class Counter {
  #events = 0;
  #passed = 0;
  #skipped = 0;
  #first: number | undefined;
  #untimed = 0;
  #firstUntimed: number | undefined;
  #from: number | undefined;
  #to: number | undefined;

  readonly skip = (line: number, why: 'no-event' | 'untimed'): void => {
    if (why === 'untimed') {
      this.#untimed++;
      this.#firstUntimed ??= line;
    } else {
      this.#skipped++;
      this.#first ??= line;
    }
  };

  readonly event = (event: CapturedEvent): void => {
    const time = wallTime(event);
    this.#events++;
    if (this.#from === undefined || time < this.#from) this.#from = time;
    if (this.#to === undefined || time > this.#to) this.#to = time;
  };

  readonly lines = (_lines: number, passed: number): void => {
    this.#passed = passed;
  };

  tally(): CaptureTally {
    const tally = {
      events: this.#events,
      passed: this.#passed,
      skipped: this.#skipped,
      first: this.#first,
      untimed: this.#untimed,
      firstUntimed: this.#firstUntimed,
      from: this.#from,
      to: this.#to,
    };
    requireEvents(tally);
    return tally;
  }
}

/** Lets the lines of a capture be passed over that none of the queries can match. */
export function readFor(queries: readonly Query[], onProgress?: ReadOptions['onProgress']): ReadOptions {
  const filter = RawFilter.of(queries.flatMap(conditionsOf));
  return filter === undefined
    ? { onProgress }
    : { onProgress, wanted: (chunk, length) => filter.places(chunk, length) };
}

/** Hands the events of a capture over in the order of event time. Throws a UserError when there are none. */
export function takeInOrder(file: CaptureFile, sink: CaptureSink, options: ReadOptions = {}): CaptureTally {
  const counter = new Counter();
  const orderer = new Orderer();
  let newest = Number.NEGATIVE_INFINITY;
  let released = Number.NEGATIVE_INFINITY;
  let isDone = false;
  const release = (mark: number) => {
    released = mark;
    for (const event of orderer.release(mark)) sink.take(event as CapturedEvent);
    isDone = sink.done === true;
  };
  let waiting = 0;
  for (const { number, text } of readLines(file, { ...options, onLines: counter.lines })) {
    const event = text === undefined ? undefined : captureEvent(text, number);
    if (event === undefined || event.untimed) {
      counter.skip(number, event === undefined ? 'no-event' : 'untimed');
      continue;
    }
    if (event.time <= released || orderer.forced > 0) {
      sink.restart();
      return takeSorted(file, sink, options);
    }
    counter.event(event);
    // An earlier event may still come, which would have been among the first.
    if (isDone) continue;
    orderer.push(event);
    newest = Math.max(newest, event.time);
    if (++waiting < batch) continue;
    waiting = 0;
    release(newest - window);
  }
  if (!isDone) release(Number.POSITIVE_INFINITY);
  return counter.tally();
}

function takeSorted(file: CaptureFile, sink: CaptureSink, options: ReadOptions): CaptureTally {
  const counter = new Counter();
  const how = { ...options, onLines: counter.lines, onSkipped: counter.skip, onEvent: counter.event };
  for (const event of sortedEvents(file, how)) {
    sink.take(event);
    if (sink.done === true) break;
  }
  return counter.tally();
}

/**
 * Calls `use` with a capture to read, recognised by its content: the file named, or what standard input held when `-` was
 * written. Throws a UserError for what is no capture.
 */
export async function withInput<T>(
  context: CommandContext,
  { written, form }: { readonly written: string; readonly form?: CaptureForm | undefined },
  use: (input: OpenCapture, progress: Progress) => T | Promise<T>,
): Promise<T> {
  const progress = new Progress(context.io.stderr, context.clock);
  const take = async (file: CaptureFile) => {
    const input = await openCapture(file, form);
    try {
      return await use(input, progress);
    } finally {
      input.close();
    }
  };
  if (written !== '-') return take(path.resolve(context.io.cwd, written));
  // It may have to be read twice, and sorted.
  const scratch = new ScratchFile();
  try {
    for await (const chunk of context.io.stdin()) scratch.append(chunk);
    return await take(scratch.descriptor);
  } finally {
    scratch.close();
  }
}
