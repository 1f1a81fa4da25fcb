import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compareEvents } from '../../event/event.js';
import { type CapturedEvent, captureEvent } from './event.js';
import { type Line, type ReadOptions, readLines } from './lines.js';

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

  constructor(file: string) {
    this.#lines = readLines(file);
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
  file: string,
  options: ReadOptions & { readonly onSkipped?: () => void; readonly runCharacters?: number } = {},
): Generator<CapturedEvent> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'launchwarden-sort-'));
  const files: string[] = [];
  const limit = options.runCharacters ?? runCharacters;
  let part: { event: CapturedEvent; text: string }[] = [];
  let characters = 0;
  const flush = () => {
    if (part.length === 0) return;
    part.sort((a, b) => compareCaptured(a.event, b.event));
    const name = path.join(folder, String(files.length));
    writeFileSync(name, part.map(({ event, text }) => `${event.line}\t${text.trim()}\n`).join(''), {
      mode: 0o600,
    });
    files.push(name);
    part = [];
    characters = 0;
  };
  try {
    for (const { number, text } of readLines(file, options)) {
      const event = text === undefined ? undefined : captureEvent(text, number);
      if (text === undefined || event === undefined) {
        options.onSkipped?.();
        continue;
      }
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
    yield* merged(files.map((name) => new Run(name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
