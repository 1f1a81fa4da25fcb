import { compareEvents } from '../../event/event.js';
import { type CapturedEvent, captureEvent } from './event.js';
import { type CaptureFile, type Line, type ReadOptions, readLines } from './lines.js';
import { ScratchFile } from './scratch.js';

/** Text that is sorted in memory at once. */
const runCharacters = 64 * 1024 * 1024;

/** Time, then the event's own sequence, then the place in the file. */
function compareCaptured(a: CapturedEvent, b: CapturedEvent): number {
  return compareEvents(a, b) || a.line - b.line;
}

/** A sorted part of the capture: one event a line, its place in the capture before it. */
class Run {
  readonly #lines: Iterator<Line>;
  head: CapturedEvent | undefined;

  constructor(file: ScratchFile) {
    // We wrote it: a line was short enough, and is longer now by its number and by what was no UTF-8.
    this.#lines = readLines(file.descriptor, { longest: Number.POSITIVE_INFINITY });
    this.next();
  }

  next(): void {
    const { value, done } = this.#lines.next();
    if (done === true) {
      this.head = undefined;
      return;
    }
    const text = (value as Line).text as string;
    const tab = text.indexOf('\t');
    this.head = captureEvent(text.slice(tab + 1), Number(text.slice(0, tab)));
  }
}

/** Reads a capture in whatever order and hands its events out sorted. Bounded memory: sorted parts go to the disk. */
export function* sortedEvents(
  file: CaptureFile,
  options: ReadOptions & {
    /** Called with the lines that hold no event, or one without a time (`untimed`). */
    readonly onSkipped?: (line: number, why: 'no-event' | 'untimed') => void;
    readonly onEvent?: (event: CapturedEvent) => void;
    readonly runCharacters?: number;
  } = {},
): Generator<CapturedEvent> {
  const files: ScratchFile[] = [];
  const limit = options.runCharacters ?? runCharacters;
  let part: { event: CapturedEvent; text: string }[] = [];
  let characters = 0;
  const flush = () => {
    if (part.length === 0) return;
    part.sort((a, b) => compareCaptured(a.event, b.event));
    const scratch = new ScratchFile();
    files.push(scratch);
    scratch.append(part.map(({ event, text }) => `${event.line}\t${text.trim()}\n`).join(''));
    part = [];
    characters = 0;
  };
  try {
    for (const { number, text } of readLines(file, options)) {
      const event = text === undefined ? undefined : captureEvent(text, number);
      if (text === undefined || event === undefined || event.untimed) {
        options.onSkipped?.(number, event?.untimed ? 'untimed' : 'no-event');
        continue;
      }
      options.onEvent?.(event);
      part.push({ event, text });
      characters += text.length;
      if (characters > limit) flush();
    }
    if (files.length === 0) {
      part.sort((a, b) => compareCaptured(a.event, b.event));
      for (const { event } of part) yield event;
      return;
    }
    flush();
    yield* merged(files.map((one) => new Run(one)));
  } finally {
    for (const one of files) one.close();
  }
}

/** Few runs (one for 64 million characters), so the smallest head is simply looked for. */
function* merged(runs: readonly Run[]): Generator<CapturedEvent> {
  for (;;) {
    let best: Run | undefined;
    for (const run of runs) {
      if (run.head === undefined) continue;
      if (best?.head === undefined || compareCaptured(run.head, best.head) < 0) best = run;
    }
    if (best?.head === undefined) return;
    yield best.head;
    best.next();
  }
}
