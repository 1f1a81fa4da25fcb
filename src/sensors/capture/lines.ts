import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf, messageOf, UserError } from '../../base/errors.js';

const chunkBytes = 1024 * 1024;
/** Some editors begin UTF-8 text with it; it belongs to no line. */
const byteOrderMark = 0xefbbbf;
/** A longer line is skipped and counted: no event is that large, and it must not fill the memory. */
export const maxLineBytes = 32 * 1024 * 1024;

export interface Line {
  /** Zero-based; blank lines are counted. */
  readonly number: number;
  /** Undefined when the line is longer than may be. */
  readonly text: string | undefined;
}

/** Places of a chunk of the file, ascending: a complete line that has none of them is not wanted. */
export type WantedPlaces = (chunk: Buffer, length: number) => readonly number[];

/** The path of a capture, or the descriptor of one that its owner opened and will close. */
export type CaptureFile = string | number;

export interface ReadOptions {
  /** Lets lines be passed over that nobody needs; they are counted in the numbers and not yielded. */
  readonly wanted?: WantedPlaces | undefined;
  /** Called after every chunk with the bytes read so far and the size of the file. */
  readonly onProgress?: ((read: number, size: number) => void) | undefined;
  /** Called at the end with the number of lines, and how many of them were passed over. */
  readonly onLines?: ((lines: number, passed: number) => void) | undefined;
  /** `maxLineBytes` unless told otherwise. */
  readonly longest?: number;
}

function open(file: CaptureFile): { readonly descriptor: number; readonly size: number } {
  if (typeof file === 'number') return { descriptor: file, size: fstatSync(file).size };
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (stat.isFile()) return { descriptor, size: stat.size };
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    const reason = errnoOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new UserError('capture/unreadable', `cannot read ${file}: ${reason}`, {
      hint: 'Name a file of events as JSON, or "-" for standard input.',
      cause: error,
    });
  }
  closeSync(descriptor);
  throw new UserError('capture/unreadable', `cannot read ${file}: it is not a regular file`, {
    hint: 'Use "-" and a pipe for anything else.',
  });
}

/** A capture's descriptor and size; `close` leaves what somebody else opened. Throws a UserError. */
export function openCaptureFile(file: CaptureFile): {
  readonly descriptor: number;
  readonly size: number;
  close(): void;
} {
  const opened = open(file);
  return {
    ...opened,
    close: () => {
      if (typeof file === 'string') closeSync(opened.descriptor);
    },
  };
}

/** The lines of a file that are not blank, one after the other, in bounded memory. Throws a UserError. */
export function* readLines(file: CaptureFile, options: ReadOptions = {}): Generator<Line> {
  const { longest = maxLineBytes } = options;
  const { descriptor, size } = open(file);
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let held: Buffer[] = [];
    let heldBytes = 0;
    let number = 0;
    let read = 0;
    let passedOver = 0;
    for (;;) {
      const count = readSync(descriptor, chunk, 0, chunkBytes, read);
      if (count === 0) break;
      const wanted = options.wanted?.(chunk, count);
      let next = 0;
      let start = read === 0 && count >= 3 && chunk.readUIntBE(0, 3) === byteOrderMark ? 3 : 0;
      read += count;
      for (let end = chunk.indexOf(10); end !== -1 && end < count; end = chunk.indexOf(10, start)) {
        const bytes = end - start;
        if (wanted !== undefined) while ((wanted[next] ?? Number.POSITIVE_INFINITY) < start) next++;
        const passed =
          wanted !== undefined &&
          heldBytes === 0 &&
          (wanted[next] ?? count) >= end &&
          isObject(chunk, start, end);
        if (passed) passedOver++;
        if (heldBytes + bytes > longest) yield { number, text: undefined };
        else if (!passed) {
          const text =
            heldBytes === 0
              ? chunk.toString('utf8', start, end)
              : Buffer.concat([...held, chunk.subarray(start, end)]).toString('utf8');
          if (!isBlank(text)) yield { number, text };
        }
        held = [];
        heldBytes = 0;
        number++;
        start = end + 1;
      }
      // Of a line that is too long only its length is kept.
      if (heldBytes + count - start <= longest) held.push(Buffer.from(chunk.subarray(start, count)));
      else held = [];
      heldBytes += count - start;
      options.onProgress?.(read, size);
    }
    options.onLines?.(heldBytes > 0 ? number + 1 : number, passedOver);
    if (heldBytes > longest) yield { number, text: undefined };
    else {
      const text = Buffer.concat(held).toString('utf8');
      if (!isBlank(text)) yield { number, text };
    }
  } finally {
    if (typeof file === 'string') closeSync(descriptor);
  }
}

/** Whether the line at least looks like a JSON object: what does not is told of as a line without an event. */
function isObject(chunk: Buffer, start: number, end: number): boolean {
  const last = chunk[end - 1] === 13 ? end - 2 : end - 1;
  return chunk[start] === 123 && chunk[last] === 125;
}

function isBlank(text: string): boolean {
  const first = text.charCodeAt(0);
  return Number.isNaN(first) || (first <= 32 && text.trim() === '');
}
