import path from 'node:path';
import { conditionsOf, Orderer } from '../detect/index.js';
import { type Query, RawFilter } from '../rules/index.js';
import {
  type CapturedEvent,
  type CaptureFile,
  captureEvent,
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

/** Lines that held no event. */
export interface Skipped {
  readonly skipped: number;
  /** Zero-based number of the first of them, where it is known. */
  readonly first?: number | undefined;
}

/** Says that lines held no event: quiet about them, a file in another format would look like one without a match. */
export function tellSkipped({ skipped, first }: Skipped, stderr: TextSink): void {
  if (skipped === 0) return;
  const lines = skipped === 1 ? '1 line' : `${skipped} lines`;
  const where =
    first === undefined ? '' : `, the first is line ${first + 1}: expected one JSON object a line`;
  stderr.write(`launchwarden: ${lines} held no event${where}\n`);
}

/** Lets the lines of a capture be passed over that none of the queries can match. */
export function readFor(queries: readonly Query[], onProgress?: ReadOptions['onProgress']): ReadOptions {
  const filter = RawFilter.of(queries.flatMap(conditionsOf));
  return filter === undefined
    ? { onProgress }
    : { onProgress, wanted: (chunk, length) => filter.places(chunk, length) };
}

/** Hands the events of a capture over in the order of event time. Returns how many lines held none. */
export function takeInOrder(file: CaptureFile, sink: CaptureSink, options: ReadOptions = {}): Skipped {
  let skipped = 0;
  let first: number | undefined;
  const orderer = new Orderer();
  let newest = Number.NEGATIVE_INFINITY;
  let released = Number.NEGATIVE_INFINITY;
  const release = (mark: number) => {
    released = mark;
    for (const event of orderer.release(mark)) sink.take(event as CapturedEvent);
  };
  let waiting = 0;
  for (const { number, text } of readLines(file, options)) {
    const event = text === undefined ? undefined : captureEvent(text, number);
    if (event === undefined) {
      skipped++;
      first ??= number;
      continue;
    }
    if (event.time <= released || orderer.forced > 0) {
      sink.restart();
      return takeSorted(file, sink, options);
    }
    orderer.push(event);
    newest = Math.max(newest, event.time);
    if (++waiting < batch) continue;
    waiting = 0;
    release(newest - window);
    if (sink.done === true) return { skipped, first };
  }
  release(Number.POSITIVE_INFINITY);
  return { skipped, first };
}

function takeSorted(file: CaptureFile, sink: CaptureSink, options: ReadOptions): Skipped {
  let skipped = 0;
  let first: number | undefined;
  const onSkipped = (line: number) => {
    skipped++;
    first ??= line;
  };
  for (const event of sortedEvents(file, { ...options, onSkipped })) {
    sink.take(event);
    if (sink.done === true) break;
  }
  return { skipped, first };
}

/** Calls `use` with a file to read: the one named, or what standard input held when `-` was written. */
export async function withInput<T>(
  context: CommandContext,
  written: string,
  use: (file: CaptureFile, progress: Progress) => T | Promise<T>,
): Promise<T> {
  const progress = new Progress(context.io.stderr, context.clock);
  if (written !== '-') return use(path.resolve(context.io.cwd, written), progress);
  // It may have to be read twice, and sorted.
  const scratch = new ScratchFile();
  try {
    for await (const chunk of context.io.stdin()) scratch.append(chunk);
    return await use(scratch.descriptor, progress);
  } finally {
    scratch.close();
  }
}
